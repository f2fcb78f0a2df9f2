import CSystem
import CTuile

/// A module's store as the C functions of `tuile_store_ops`.
enum StoreOps {
  /// What stands behind the functions' `context`.
  fileprivate final class Context {
    let store: any Store
    init(_ store: any Store) { self.store = store }
  }

  /// What a module's `tuile_module_open` does: fills `ops` for the store that
  /// `make` opens for the URL. `size` is that of the caller's tuile_store_ops.
  static func open(
    _ url: tuile_bytes, _ ops: UnsafeMutablePointer<tuile_store_ops>?,
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ error: UnsafeMutablePointer<tuile_error>?,
    make: (Bytes) throws(Failure) -> any Store
  ) -> tuile_status {
    answering(error) { () throws(Failure) in
      guard let url = Bytes(url), let ops, let context, ops.pointee.size == MemoryLayout<tuile_store_ops>.size else {
        throw .argument("the library and its store module are of different versions")
      }
      let store = try make(url)
      var filled = tuile_store_ops()
      filled.size = ops.pointee.size
      filled.trusted = store.trusted
      fillSessions(&filled)
      if store.keepsOwners { fillOwners(&filled) }
      context.pointee = Unmanaged.passRetained(Context(store)).toOpaque()
      ops.pointee = filled
      return TUILE_OK
    }
  }

  private static func fillSessions(_ ops: inout tuile_store_ops) {
    ops.load = { context, key, now, receive, receiver, error in
      answering(error) { () throws(Failure) in
        var data = ByteBuffer()
        guard let expires = try store(context).load(try bytes(key), now: now, into: &data) else { return TUILE_ABSENT }
        receive?(receiver, data.bytes.c, expires)
        return TUILE_OK
      }
    }
    ops.create = { context, key, data, expires, error in
      answering(error) { () throws(Failure) in
        try store(context).create(try bytes(key), data: try bytes(data), expires: expires, now: .min)
          ? TUILE_OK : TUILE_EXISTS
      }
    }
    ops.replace = { context, key, expected, data, expires, error in
      answering(error) { () throws(Failure) in
        switch try store(context).replace(
          try bytes(key), expected: try bytes(expected), data: try bytes(data), expires: expires)
        {
        case .replaced: return TUILE_OK
        case .conflict: return TUILE_CONFLICT
        case .absent: return TUILE_ABSENT
        }
      }
    }
    ops.touch = { context, key, expires, error in
      answering(error) { () throws(Failure) in
        try store(context).touch(try bytes(key), expires: expires) ? TUILE_OK : TUILE_ABSENT
      }
    }
    ops.remove = { context, key, error in
      answering(error) { () throws(Failure) in
        try store(context).remove(try bytes(key))
        return TUILE_OK
      }
    }
    ops.sweep = { context, now, limit, removed, error in
      answering(error) { () throws(Failure) in
        let count = try store(context).sweep(now: now, limit: Int(clamping: limit))
        removed?.pointee = count
        return TUILE_OK
      }
    }
    ops.put = { context, key, data, expires, error in
      answering(error) { () throws(Failure) in
        try store(context).put(try bytes(key), data: try bytes(data), expires: expires)
        return TUILE_OK
      }
    }
    ops.close = { context in
      guard let context else { return }
      Unmanaged<Context>.fromOpaque(context).takeRetainedValue().store.close()
    }
  }

  private static func fillOwners(_ ops: inout tuile_store_ops) {
    ops.own = { context, owner, key, record, expires, error in
      answering(error) { () throws(Failure) in
        try store(context).own(try bytes(owner), try bytes(key), record: try bytes(record), expires: expires)
        return TUILE_OK
      }
    }
    ops.owned = { context, owner, now, receive, receiver, error in
      answering(error) { () throws(Failure) in
        try store(context).owned(try bytes(owner), now: now) { key, record, expires in
          receive?(receiver, key.c, record.c, expires)
        }
        return TUILE_OK
      }
    }
    ops.disown = { context, owner, key, error in
      answering(error) { () throws(Failure) in
        try store(context).disown(try bytes(owner), try bytes(key))
        return TUILE_OK
      }
    }
  }
}

// Free functions: in a C function `Self` could not be named.

private func store(_ context: UnsafeMutableRawPointer?) throws(Failure) -> any Store {
  guard let context else { throw .argument("the store is NULL") }
  return Unmanaged<StoreOps.Context>.fromOpaque(context).takeUnretainedValue().store
}

private func bytes(_ bytes: tuile_bytes) throws(Failure) -> Bytes {
  guard let bytes = Bytes(bytes) else { throw .argument("NULL with a size") }
  return bytes
}
