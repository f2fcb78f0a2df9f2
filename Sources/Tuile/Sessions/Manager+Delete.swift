import CSystem
import CTuile

/// Deleting a session for good, also while a login gives it a new key.
extension Manager: SessionReader {
  /// What the store has under a key.
  enum Found {
    case absent
    /// None of our sessions, as far as anybody here can tell.
    case unreadable
    case session
    /// Under the key that a login gave it.
    case moved(Bytes)
  }

  /// Deletes a session from the store, wherever its key leads, up to a key that is
  /// `spared`. What can't be verified is left alone: it is another program's.
  func delete(_ old: Bytes, _ keys: ManagerKeys, sparing spared: (Bytes) -> Bool = { _ in false }) throws(Failure) {
    guard keys.home.hasKeys else { return }
    // Of the keys that it leads to.
    var arena = Arena(limit: 4096)
    try end(old, keys, sparing: spared, hops: 16, &arena)
  }

  /// Ends what is under a key. A pointer stays until what it leads to has ended: a logout
  /// that fails half-way is made again, and another one at the same time finds the way too.
  private func end(
    _ key: Bytes, _ keys: ManagerKeys, sparing spared: (Bytes) -> Bool, hops: Int, _ arena: inout Arena
  ) throws(Failure) {
    guard hops > 0, !spared(key) else { return }
    var mark = ByteBuffer()
    var number: UInt64 = 0
    guard sys_random(&number, MemoryLayout<UInt64>.size) else { throw .random }
    // Other bytes than anybody expects: a login that has read the session must not
    // be able to replace it any more.
    mark.append(keys.codec.layout == nil ? "ended " : "{\"_session_ended\":")
    Numbers.writeDecimal(Int64(bitPattern: number &>> 11), to: &mark)
    mark.append(keys.codec.layout == nil ? "" : "}")
    var wait = Backoff()
    let present = now
    while true {
      var raw = ByteBuffer()
      let found = try reaching(.load) { (store) throws(Failure) in
        try store.load(key, now: present, into: &raw)
      }
      guard found != nil else { return }
      let seen = raw.bytes
      switch try kind(of: seen, keys, &arena) {
      case .absent, .session: break
      case .moved(let next):
        try end(next, keys, sparing: spared, hops: hops &- 1, &arena)
        return try reaching(.remove) { (store) throws(Failure) in try store.remove(key) }
      case .unreadable: return countBadSignature()
      }
      var form = ByteBuffer()
      if keys.codec.layout == nil {
        form.append(mark.bytes)
      } else {
        // In the layout's own form: its table may take nothing else.
        try keys.codec.encode(mark.bytes, base: seen, moment(now: present, expires: present), to: &form)
      }
      guard !form.failed else { throw .memory }
      let note = form.bytes
      // In one step with reading it, so that the pointer of a login at the same time is not overlooked.
      let ended = try reaching(.replace) { (store) throws(Failure) in
        try store.replace(key, expected: seen, data: note, expires: 0)
      }
      if ended == .absent { return }
      if ended == .replaced {
        return try reaching(.remove) { (store) throws(Failure) in try store.remove(key) }
      }
      try wait.next(self)
    }
  }

  /// Looks a key up; the key that it leads to lives in the arena.
  func find(_ key: Bytes, _ keys: ManagerKeys, now: Int64, _ arena: inout Arena) throws(Failure) -> Found {
    var raw = ByteBuffer()
    let found = try reaching(.load) { (store) throws(Failure) in try store.load(key, now: now, into: &raw) }
    return found == nil ? .absent : try kind(of: raw.bytes, keys, &arena)
  }

  func isOurs(_ data: Bytes) throws(Failure) -> Bool {
    var arena = Arena(limit: 4096)
    if case .unreadable = try kind(of: data, keys, &arena) { return false }
    return true
  }

  /// What stored data is.
  func kind(of stored: Bytes, _ keys: ManagerKeys, _ arena: inout Arena) throws(Failure) -> Found {
    var text = ByteBuffer()
    do throws(Failure) {
      guard try keys.codec.decode(stored, to: &text) != nil, JSONText.isObject(text.bytes) else { return .unreadable }
    } catch {
      // Signed, and larger than this process would read it.
      if error.status == TUILE_E_LIMIT { return .session }
      guard error.status == TUILE_E_SYNTAX else { throw error }
      return .unreadable
    }
    guard let (_, raw) = JSONText.member(Session.pointer, of: text.bytes), let target = Session.target(raw) else {
      return .session
    }
    guard let copy = arena.copy(target) else { throw .memory }
    return .moved(copy)
  }
}
