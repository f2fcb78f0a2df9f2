import CSystem
import CTuile

/// Saving without losing another request's changes: replace only what was
/// loaded; if another request was first, load again, replay, and try again.
extension Session {
  enum Saved {
    case saved
    /// There was nothing to change; no cookie is owed.
    case leftAlone
    case deleted
  }

  func save() throws(Failure) -> Saved { try keys.home.save(self) }

  func saveToStore() throws(Failure) -> Saved {
    let before = key
    let saved = try saveUnderItsKey()
    guard case .deleted = saved, let before, let target = try boundMeanwhile(before) else { return saved }
    return try save(before, into: target)
  }

  private func saveUnderItsKey() throws(Failure) -> Saved {
    try load()
    let present = manager.now
    try limitLife(now: present)
    if retiring != nil { return try saveCycled(now: present) }
    if unsettled != nil {
      guard try settleBefore() else {
        didFindDeleted()
        return .deleted
      }
      // Written once more it would be unlike what others look for that were written with it.
      if unsettled == nil, !keyIsNew, !data.hasChanges {
        didFinish()
        return .saved
      }
    }
    do throws(Failure) {
      guard let key, !keyIsNew else {
        try create(now: present)
        didSave()
        return .saved
      }
      guard movedTo == nil else {
        didFindDeleted()
        return .deleted
      }
      return try replaceStored(key, now: present)
    } catch {
      if error.status == TUILE_E_UNKNOWN, unsettled == nil { rememberAttempt(encoded.bytes) }
      throw error
    }
  }

  func beginAgain(_ attempts: inout SessionData.Attempts) throws(Failure) {
    // It is a view of what is freed here.
    forgetPointer()
    try data.beginAgain(&attempts)
  }

  /// The next form of the data, encoded, in `encoded`.
  func encode(now: Int64) throws(Failure) {
    try data.write(to: &json)
    let moment = manager.moment(now: now, expires: expires(now: now))
    // A new session takes nothing over from what this request has found before.
    let base = key == nil || keyIsNew && retiring == nil ? Bytes() : stored.bytes
    try keys.codec.encode(json.bytes, base: base, moment, unique: manager.store.mayBeUnsure, to: &encoded)
  }

  func replace(_ key: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try replace(key, expected: stored.bytes, data: encoded.bytes, expires: expires)
  }

  /// Stores the session under its new key, or another one.
  func create(now: Int64) throws(Failure) {
    if ahead == nil { try encode(now: now) }
    let expires = expires(now: now)
    // 165 random bits do not meet twice; a store that says so all the time is broken.
    var attempts = 0
    var fresh = key ?? Bytes()
    if key == nil { fresh = try adoptNewKey() }
    while attempts < 8 {
      if try create(fresh, data: encoded.bytes, expires: expires, now: now) { return }
      fresh = try adoptNewKey()
      attempts &+= 1
    }
    throw Failure(status: TUILE_E_STORE, message: "the store says of every new key that it is taken")
  }

  /// Signs what the store has with the newest secret, if nobody changes it at the
  /// same time; then they do.
  func renewSignature() throws(Failure) {
    guard let key, movedTo == nil, let expires = known.expires else { return }
    try encode(now: manager.now)
    if try replace(key, expires: expires) == .replaced { didSave() }
  }
}

/// Waits a random, growing time between attempts, ten seconds in all: every
/// conflict means that somebody else got through, so that progress is certain,
/// and the spread gives everybody a turn.
struct Backoff {
  private var attempt: UInt32 = 0
  private var began: Int64 = 0

  /// Counts a conflict and waits.
  mutating func next(_ manager: Manager) throws(Failure) {
    manager.counters.conflicts.increment()
    manager.log(TUILE_LOG_DEBUG, "another request changed the session first; the changes are made again")
    attempt = attempt &+ 1
    let now = sys_monotonic_microseconds()
    if attempt == 1 { began = now }
    guard now &- began < 10_000_000 else {
      throw Failure(status: TUILE_E_BUSY, message: "other requests kept changing the session for ten seconds")
    }
    // In memory whoever is awake is done sooner than somebody who has slept.
    guard attempt > (manager.store.isInstant ? 16 : 1) else { return }
    var spread: UInt32 = 0
    _ = sys_random(&spread, MemoryLayout<UInt32>.size)
    let microseconds = spread % (64 &<< min(attempt, 7))
    guard let wait = manager.settings.config.wait else { return sys_sleep_microseconds(microseconds) }
    guard wait(manager.settings.config.wait_context, microseconds) == TUILE_OK else {
      throw Failure(status: TUILE_E_CALLBACK, message: "the host would not wait")
    }
  }
}
