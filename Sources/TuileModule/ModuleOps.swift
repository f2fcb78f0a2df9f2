import CSystem
import CTuile

/// A module's store as the operations that the core calls.
final class ModuleOps {
  private let store: any Store

  private init(_ store: any Store) { self.store = store }

  /// Fills what the core gave to `tuile_module_open`; `open` makes the store.
  static func open(
    _ url: tuile_bytes, _ ops: UnsafeMutablePointer<tuile_store_ops>?,
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ error: UnsafeMutablePointer<tuile_error>?,
    _ open: (Bytes) throws(Failure) -> any Store
  ) -> tuile_status {
    answering(error) { () throws(Failure) in
      guard let ops, let context, let url = Bytes(url), ops.pointee.size >= MemoryLayout<tuile_store_ops>.size else {
        throw .argument("the store's module is for another version of the library")
      }
      try Forks.prepare()
      let store = try open(url)
      let made: UnsafeMutablePointer<CChar> = Handle.give(ModuleOps(store))
      context.pointee = UnsafeMutableRawPointer(made)
      fill(&ops.pointee)
      if store.keepsOwners { fillOwners(&ops.pointee) }
      if store.tellsKeys { fillWalks(&ops.pointee) }
      if store.mostTogether > 1 { fillTogether(&ops.pointee, store.mostTogether) }
      return TUILE_OK
    }
  }

  /// Runs `body` with the store behind `context`.
  private static func with(
    _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<tuile_error>?,
    _ body: (any Store) throws(Failure) -> tuile_status
  ) -> tuile_status {
    answering(error) { () throws(Failure) in
      guard let context else { throw .argument("the store is NULL") }
      let ops: ModuleOps = Handle.borrow(context.assumingMemoryBound(to: CChar.self))
      return try body(ops.store)
    }
  }

  /// The core has checked what it passes on; an impossible view is empty.
  private static func view(_ bytes: tuile_bytes) -> Bytes { Bytes(bytes) ?? Bytes() }

  private static func fill(_ ops: inout tuile_store_ops) {
    ops.trusted = false
    ops.load = { context, key, now, receive, receiver, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        var data = ByteBuffer()
        guard let expires = try store.load(ModuleOps.view(key), now: now, into: &data) else { return TUILE_ABSENT }
        receive?(receiver, data.bytes.c, expires)
        return TUILE_OK
      }
    }
    ops.create = { context, key, data, expires, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        try store.create(ModuleOps.view(key), data: ModuleOps.view(data), expires: expires, now: 0)
          ? TUILE_OK : TUILE_EXISTS
      }
    }
    ops.replace = { context, key, expected, data, expires, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        switch try store.replace(
          ModuleOps.view(key), expected: ModuleOps.view(expected), data: ModuleOps.view(data), expires: expires)
        {
        case .replaced: return TUILE_OK
        case .conflict: return TUILE_CONFLICT
        case .absent: return TUILE_ABSENT
        }
      }
    }
    ops.touch = { context, key, expires, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        try store.touch(ModuleOps.view(key), expires: expires) ? TUILE_OK : TUILE_ABSENT
      }
    }
    ops.remove = { context, key, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        try store.remove(ModuleOps.view(key))
        return TUILE_OK
      }
    }
    ops.sweep = { context, now, limit, removed, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        let count = try store.sweep(now: now, limit: Int(clamping: limit))
        removed?.pointee = count
        return TUILE_OK
      }
    }
    ops.put = { context, key, data, expires, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        try store.put(ModuleOps.view(key), data: ModuleOps.view(data), expires: expires)
        return TUILE_OK
      }
    }
    ops.close = { context in
      guard let context else { return }
      let ops: ModuleOps = Handle.take(context.assumingMemoryBound(to: CChar.self))
      ops.store.close()
    }
  }

  private static func fillOwners(_ ops: inout tuile_store_ops) {
    ops.own = { context, owner, key, record, expires, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        try store.own(ModuleOps.view(owner), ModuleOps.view(key), record: ModuleOps.view(record), expires: expires)
        return TUILE_OK
      }
    }
    ops.owned = { context, owner, now, receive, receiver, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        try store.owned(ModuleOps.view(owner), now: now) { key, record, expires in
          receive?(receiver, key.c, record.c, expires)
        }
        return TUILE_OK
      }
    }
    ops.owned_record = { context, owner, key, receive, receiver, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        var record = ByteBuffer()
        let found = try store.ownedRecord(ModuleOps.view(owner), ModuleOps.view(key), into: &record)
        guard found else { return TUILE_ABSENT }
        receive?(receiver, record.bytes.c, 0)
        return TUILE_OK
      }
    }
    ops.disown = { context, owner, key, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        try store.disown(ModuleOps.view(owner), ModuleOps.view(key))
        return TUILE_OK
      }
    }
  }

  private static func fillWalks(_ ops: inout tuile_store_ops) {
    ops.keys = { context, now, receive, receiver, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        try store.keys(now: now) { key, expires in receive?(receiver, key.c, expires) ?? false }
        return TUILE_OK
      }
    }
    ops.owners = { context, receive, receiver, error in
      ModuleOps.with(context, error) { (store) throws(Failure) in
        try store.owners { owner in receive?(receiver, owner.c) ?? false }
        return TUILE_OK
      }
    }
  }

  private static func fillTogether(_ ops: inout tuile_store_ops, _ most: Int) {
    ops.max_together = most
    ops.together = { context, calls, count, receive in
      guard let context, let calls else { return }
      let ops: ModuleOps = Handle.borrow(context.assumingMemoryBound(to: CChar.self))
      var first: StoreCall?
      for i in Indices(count) {
        let call = ModuleOps.make(calls[count &- 1 &- i])
        call.next = first
        first = call
      }
      guard let first else { return }
      ops.store.together(first)
      var at = calls
      first.each { call in
        at.pointee.status = answering(&at.pointee.error) { () throws(Failure) in
          let status = try call.made()
          if call.isLoad, status == TUILE_OK { receive?(at.pointee.receiver, call.found.bytes.c, call.foundExpires) }
          return status
        }
        at += 1
      }
    }
  }

  private static func make(_ call: tuile_store_call) -> StoreCall {
    let key = view(call.key)
    switch call.operation {
    case TUILE_STORE_LOAD: return .load(key, now: call.time)
    case TUILE_STORE_CREATE: return .create(key, data: view(call.data), expires: call.time)
    default: return .replace(key, expected: view(call.expected), data: view(call.data), expires: call.time)
    }
  }
}
