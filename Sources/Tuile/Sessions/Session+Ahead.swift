import CSystem
import CTuile

/// A call of the store that an operation of a queue begins with, made ahead, together with
/// those of other sessions. The operation itself then runs as ever, and takes the answer
/// where it would make the call. What is no plain load, save or touch has none.
extension Session {
  /// The next call to be made ahead; nil: the operation makes its calls by itself.
  func callForLoad() -> StoreCall? {
    guard case .pending = loading, keys.home.hasKeys, ahead == nil, let key else { return nil }
    willFetch()
    ahead = .load(key, now: manager.now)
    return ahead
  }

  func callForCommit(httpStatus: Int32) -> StoreCall? {
    guard keys.home.hasKeys, httpStatus < 500, !isDeleted, unsettled == nil else { return nil }
    let saveAlways = manager.settings.config.save_every_request || touching
    if case .pending = loading { return modified || saveAlways ? callForLoad() : nil }
    do throws(Failure) {
      // An answer that nobody has taken: it is for the load.
      if ahead != nil { try load() }
      guard case .loaded = loading, ahead == nil, !previous.isUnread, !isEmpty, retiring == nil, movedTo == nil else {
        return nil
      }
      let present = manager.now
      if modified {
        ahead = try saveAhead(now: present)
      } else if saveAlways || wantsRefresh(now: present) {
        ahead = touchAhead(now: present)
      }
      return ahead
    } catch {
      // The operation meets it again.
      return nil
    }
  }

  /// As `saveToStore` does it.
  private func saveAhead(now: Int64) throws(Failure) -> StoreCall? {
    try limitLife(now: now)
    guard let key, !keyIsNew else {
      try encode(now: now)
      var fresh = key ?? Bytes()
      if key == nil { fresh = try adoptNewKey() }
      return .create(fresh, data: encoded.bytes, expires: expires(now: now))
    }
    // Commits that meet are written as one.
    guard !manager.queue.hasLine(for: key) else { return nil }
    try encode(now: now)
    return .replace(key, expected: stored.bytes, data: encoded.bytes, expires: expires(now: now))
  }

  /// As `touchStored` does it.
  private func touchAhead(now: Int64) -> StoreCall? {
    guard mayTouchStored, let key, !keyIsNew else { return nil }
    return .replace(key, expected: stored.bytes, data: stored.bytes, expires: expires(now: now))
  }

  /// The answer of the call that was made ahead, if it is that one.
  func takeAhead(_ operation: tuile_store_operation, _ key: Bytes) -> StoreCall? {
    guard let call = ahead, call.operation == operation, call.key == key else { return nil }
    ahead = nil
    return call
  }

  /// Whether the rest of the operation is done at once, or nearly.
  var isNearlyDone: Bool {
    switch ahead?.answer {
    case .made(let status): return status != TUILE_CONFLICT && status != TUILE_EXISTS
    case .failed(let failure): return failure.status != TUILE_E_UNKNOWN
    case nil: return false
    }
  }

  /// At the operation's end: a write whose answer it has not taken may be there.
  func forgetAhead() throws(Failure) {
    guard let call = ahead else { return }
    ahead = nil
    guard !call.isLoad else { return }
    throw Failure(status: TUILE_E_UNKNOWN, message: "whether the session was saved is not known")
  }
}

extension Manager {
  /// Makes the calls, and counts, times and reports them as `reaching` does.
  func reachTogether(_ first: StoreCall) {
    let began = store.trusted ? 0 : sys_monotonic_microseconds()
    store.together(first)
    let took = began == 0 ? 0 : sys_monotonic_microseconds() &- began
    first.each { (call) in
      // Each has waited for all of them.
      if began != 0 { latency.add(Manager.operation(of: call), took) }
      guard case .failed(let failure) = call.answer else { return }
      counters.storeFailures.increment()
      log(TUILE_LOG_ERROR, failure)
    }
    logRemarks()
  }

  private static func operation(of call: StoreCall) -> Latency.Operation {
    if call.isLoad { return .load }
    if call.operation == TUILE_STORE_CREATE { return .create }
    return call.isTouch ? .touch : .replace
  }
}
