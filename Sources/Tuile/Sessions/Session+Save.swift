import CSystem
import CTuile

/// Saving without losing another request's changes: replace only what was
/// loaded; if another request was first, load again, replay, and try again.
extension Session {
  enum Saved { case saved, deleted }

  func save() throws(Failure) -> Saved {
    if let dialect = manager.cookieDialect { return try saveToCookie(dialect) }
    try load()
    let present = manager.now
    let expires = expiry.date(standard: manager.settings.cookieAge, now: present)
    if retiring != nil { return try saveCycled(now: present) }
    guard let key, !keyIsNew else {
      try create(expires: expires, now: present)
      didSave()
      return .saved
    }
    var wait = Backoff()
    while true {
      try encode(now: present)
      // The expiry may have come with another request's changes.
      let expires = expiry.date(standard: manager.settings.cookieAge, now: present)
      switch try replace(key, expires: expires) {
      case .replaced:
        didSave()
        return .saved
      case .absent:
        didFindDeleted()
        return .deleted
      case .conflict:
        try wait.next()
        guard try reload(key) else { return .deleted }
      }
    }
  }

  /// The next form of the data, encoded, in `encoded`.
  private func encode(now: Int64) throws(Failure) {
    try data.write(to: &json)
    try manager.codec.encode(json.bytes, now: now / 1_000_000, to: &encoded)
  }

  private func replace(_ key: Bytes, expires: Int64) throws(Failure) -> Replaced {
    let session = self
    return try manager.reaching { (store) throws(Failure) in
      try store.replace(key, expected: session.stored.bytes, data: session.encoded.bytes, expires: expires)
    }
  }

  /// After a conflict; false if the session is gone by now.
  private func reload(_ key: Bytes) throws(Failure) -> Bool {
    manager.counters.conflicts.increment()
    if try fetch(key) { return true }
    didFindDeleted()
    return false
  }

  private func create(expires: Int64, now: Int64) throws(Failure) {
    try encode(now: now)
    let session = self
    // 165 random bits do not meet twice; a store that says so all the time is broken.
    var attempts = 0
    var fresh = key ?? Bytes()
    if key == nil { fresh = try adoptNewKey() }
    while attempts < 8 {
      let name = fresh
      let created = try manager.reaching { (store) throws(Failure) in
        try store.create(name, data: session.encoded.bytes, expires: expires, now: now)
      }
      if created { return }
      fresh = try adoptNewKey()
      attempts &+= 1
    }
    throw Failure(status: TUILE_E_STORE, message: "the store says of every new key that it is taken")
  }

  /// Moves the session to its new key. The old one is retired in one step, by a
  /// replace that leaves it expired: whoever saves under it later gets a
  /// conflict and finds nothing, and if it was deleted meanwhile, so is the new one.
  private func saveCycled(now: Int64) throws(Failure) -> Saved {
    guard let old = retiring else { return .deleted }
    try create(expires: expiry.date(standard: manager.settings.cookieAge, now: now), now: now)
    guard let key else { return .deleted }
    var wait = Backoff()
    while true {
      switch try replace(old, expires: 0) {
      case .replaced:
        try manager.reaching { (store) throws(Failure) in try store.remove(old) }
        manager.counters.deletes.increment()
        didSave()
        return .saved
      case .absent:
        break
      case .conflict:
        try wait.next()
        if try reload(old) {
          // What the other request saved belongs under the new key as well.
          try encode(now: now)
          let expires = expiry.date(standard: manager.settings.cookieAge, now: now)
          let session = self
          _ = try manager.reaching { (store) throws(Failure) -> Bool in
            try store.remove(key)
            return try store.create(key, data: session.encoded.bytes, expires: expires, now: now)
          }
          continue
        }
      }
      try manager.reaching { (store) throws(Failure) in try store.remove(key) }
      if !isDeleted { didFindDeleted() }
      return .deleted
    }
  }
}

/// Waits a random, growing time between attempts, ten seconds in all: every
/// conflict means that somebody else got through, so that progress is certain,
/// and the spread gives everybody a turn.
private struct Backoff {
  private var attempt: UInt32 = 0
  private var began: Int64 = 0

  mutating func next() throws(Failure) {
    attempt = attempt &+ 1
    let now = sys_now_microseconds()
    if attempt == 1 { began = now }
    guard now &- began < 10_000_000 else {
      throw Failure(status: TUILE_E_BUSY, message: "other requests kept changing the session for ten seconds")
    }
    guard attempt > 1 else { return }
    var spread: UInt32 = 0
    _ = sys_random(&spread, MemoryLayout<UInt32>.size)
    sys_sleep_microseconds(spread % (64 &<< min(attempt, 7)))
  }
}
