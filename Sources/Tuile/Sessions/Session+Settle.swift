import CTuile

/// Writes that got no answer. What is stored decides: each form that a session is
/// written in is unlike any other where a store can fail so (`Codec.encode`), so that
/// finding it means that this write was made, and finding what was there before that
/// it was not, yet. Then it is made again: a first copy that arrives later finds
/// other bytes than it expects. Anything else stays unknown.
extension Session {
  /// What a commit tried to save, when nobody knows whether it did.
  struct Unsettled: ~Copyable {
    var encoded = ByteBuffer()
    let changes: SessionData.Snapshot
    /// Other commits' changes were written with it, and are not in this session's data.
    let isMerged: Bool
  }

  /// For a commit that is made again: it must not count twice. `base` is what was
  /// to be replaced, where that is not in `stored`.
  func rememberAttempt(_ form: Bytes, on base: Bytes? = nil, isMerged: Bool = false) {
    do throws(Failure) {
      var tried = Unsettled(changes: try data.snapshot(), isMerged: isMerged)
      tried.encoded.append(form)
      if let base {
        stored.removeAll()
        stored.append(base)
      }
      guard !tried.encoded.failed, !stored.failed else { throw .memory }
      unsettled = consume tried
    } catch {
      // No commit can find out any more, and none may try.
      didLose(Failure(status: TUILE_E_UNKNOWN, message: "whether the session was saved before is not known"))
    }
  }

  /// As the store's replace.
  func replace(
    _ key: Bytes, expected: Bytes, data: Bytes, expires: Int64, _ operation: Latency.Operation = .replace
  ) throws(Failure) -> Replaced {
    try settled(key, expected: expected, stays: false) { (seen) throws(Failure) in
      try isMade(data, on: expected, seen)
    } write: { () throws(Failure) in
      if let call = takeAhead(TUILE_STORE_REPLACE, key) { return try call.replaced() }
      return try manager.reaching(operation) { (store) throws(Failure) in
        try store.replace(key, expected: expected, data: data, expires: expires)
      }
    }
  }

  /// Whether what is stored is what this write was to put there. A layout's form has nothing of
  /// each write's own: another request may have written the same.
  private func isMade(_ data: Bytes, on expected: Bytes?, _ seen: Bytes) throws(Failure) -> Bool {
    guard seen == data else { return false }
    guard keys.layout != nil, let expected, !(expected == data) else { return true }
    throw Failure(status: TUILE_E_UNKNOWN, message: "whether the session was saved is not known")
  }

  /// The same of an entry that nobody else writes over, so that anything else that is there means
  /// that it was not made, and will not be: what it expects is gone. `isOurs` says of what is
  /// stored whether this write made it.
  func replaceLast(
    _ key: Bytes, expected: Bytes, data: Bytes, expires: Int64, isOurs: (Bytes) throws(Failure) -> Bool
  ) throws(Failure) -> Replaced {
    try settled(key, expected: expected, stays: true, isOurs: isOurs) { () throws(Failure) in
      try manager.reaching(.replace) { (store) throws(Failure) in
        try store.replace(key, expected: expected, data: data, expires: expires)
      }
    }
  }

  private func settled(
    _ key: Bytes, expected: Bytes, stays: Bool, isOurs: (Bytes) throws(Failure) -> Bool,
    write: () throws(Failure) -> Replaced
  ) throws(Failure) -> Replaced {
    do throws(Failure) {
      return try write()
    } catch {
      guard error.status == TUILE_E_UNKNOWN else { throw error }
      return try settle(key, error, expected: expected, stays: stays, isOurs, again: write)
    }
  }

  /// As the store's create.
  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    func write() throws(Failure) -> Bool {
      if let call = takeAhead(TUILE_STORE_CREATE, key) { return try call.made() == TUILE_OK }
      return try manager.reaching(.create) { (store) throws(Failure) in
        try store.create(key, data: data, expires: expires, now: now)
      }
    }
    do throws(Failure) {
      return try write()
    } catch {
      guard error.status == TUILE_E_UNKNOWN else { throw error }
      let again = { () throws(Failure) -> Replaced in try write() ? .replaced : .conflict }
      return try settle(key, error, expected: nil, { (seen) throws(Failure) in seen == data }, again: again)
        == .replaced
    }
  }

  /// `expected` nil: nothing was there.
  private func settle(
    _ key: Bytes, _ failure: Failure, expected: Bytes?, stays: Bool = false, _ isOurs: (Bytes) throws(Failure) -> Bool,
    again: () throws(Failure) -> Replaced
  ) throws(Failure) -> Replaced {
    let unknown = Failure(status: TUILE_E_UNKNOWN, message: failure.message, detail: failure.detail)
    var attempts = 0
    while attempts < 3 {
      attempts &+= 1
      do throws(Failure) {
        var seen = ByteBuffer()
        let found = try manager.reaching(.load) { (store) throws(Failure) in
          try store.load(key, now: .min, into: &seen)
        }
        var answer = Replaced.absent
        if found != nil, try isOurs(seen.bytes) { return .replaced }
        if found == nil ? expected == nil : expected.map({ seen.bytes == $0 }) ?? false {
          answer = try again()
        } else if found != nil {
          guard stays else { throw unknown }
          return .conflict
        }
        // Without a grace that may be a login's work, which has taken with it what was saved.
        guard answer != .absent || manager.settings.config.cycle_grace > 0 || stays else { throw unknown }
        if answer != .conflict { return answer }
      } catch {
        // Also if this attempt is known to have failed: the first may arrive yet.
        throw unknown
      }
    }
    throw unknown
  }

  /// What was tried before is decided first; false if the session is gone.
  func settleBefore() throws(Failure) -> Bool {
    guard let key, unsettled != nil else { return true }
    var tried = ByteBuffer()
    tried.append(unsettled?.encoded.bytes ?? Bytes())
    guard !tried.failed else { throw .memory }
    let failure = Failure(status: TUILE_E_UNKNOWN, message: "whether the session was saved before is not known")
    let data = tried.bytes
    let present = manager.now
    let expires = expires(now: present)
    let base = keyIsNew ? nil : stored.bytes
    let answer = try settle(
      key, failure, expected: base, { (seen) throws(Failure) in try isMade(data, on: base, seen) }
    ) { () throws(Failure) in
      if keyIsNew { return try create(key, data: data, expires: expires, now: present) ? .replaced : .conflict }
      return try replace(key, expected: stored.bytes, data: data, expires: expires)
    }
    guard answer == .replaced else { return false }
    didSettle()
    return true
  }
}
