import CSystem
import CTuile

/// Deleting a session for good, also while a login gives it a new key.
extension Manager {
  /// Deletes a session from the store, wherever its key leads, up to a key that is `spared`.
  func delete(_ old: Bytes, _ keys: ManagerKeys, sparing spared: (Bytes) -> Bool = { _ in false }) throws(Failure) {
    guard settings.cycleGrace > 0, keys.cookieDialect == nil else {
      return try reaching(.remove) { (store) throws(Failure) in try store.remove(old) }
    }
    // Of the keys that it leads to.
    var arena = Arena(limit: 4096)
    var target: Bytes? = old
    var hops = 0
    while let key = target, hops < 16, !spared(key) {
      target = try end(key, keys, &arena)
      hops &+= 1
    }
  }

  /// Removes what is under a key, in one step with reading it, so that the pointer
  /// of a login at the same time is not overlooked; where that leads.
  private func end(_ key: Bytes, _ keys: ManagerKeys, _ arena: inout Arena) throws(Failure) -> Bytes? {
    var mark = ByteBuffer()
    var number: UInt64 = 0
    guard sys_random(&number, MemoryLayout<UInt64>.size) else { throw .random }
    // Other bytes than anybody expects: a login that has read the session must not
    // be able to replace it any more.
    mark.append("ended ")
    Numbers.writeDecimal(Int64(bitPattern: number), to: &mark)
    var wait = Backoff()
    let present = now
    while true {
      var raw = ByteBuffer()
      let found = try reaching(.load) { (store) throws(Failure) in
        try store.load(key, now: present, into: &raw)
      }
      guard found != nil else { break }
      let (seen, note) = (raw.bytes, mark.bytes)
      // Before anything is changed: memory may run out.
      let kept = arena.mark
      let target = try pointer(in: seen, keys, &arena)
      let ended = try reaching(.replace) { (store) throws(Failure) in
        try store.replace(key, expected: seen, data: note, expires: 0)
      }
      if ended == .absent { return nil }
      if ended == .replaced {
        try reaching(.remove) { (store) throws(Failure) in try store.remove(key) }
        return target
      }
      arena.release(to: kept)
      try wait.next(self)
    }
    try reaching(.remove) { (store) throws(Failure) in try store.remove(key) }
    return nil
  }

  /// Where stored data leads; nowhere if it can't be read. Throws only `.memory`.
  private func pointer(in stored: Bytes, _ keys: ManagerKeys, _ arena: inout Arena) throws(Failure) -> Bytes? {
    var text = ByteBuffer()
    var signedBy: Int?
    do throws(Failure) {
      signedBy = try keys.codec.decode(stored, to: &text)
    } catch {
      guard error.status != TUILE_E_MEMORY else { throw error }
    }
    guard let signedBy, signedBy >= 0, let (_, raw) = JSONText.member(Session.pointer, of: text.bytes),
      let target = Session.target(raw)
    else { return nil }
    guard let copy = arena.copy(target) else { throw .memory }
    return copy
  }
}
