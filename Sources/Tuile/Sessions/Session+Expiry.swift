import CTuile

/// How long a session lives: without activity, by Django's `_session_expiry`, and
/// at most, whatever is done with it, by `_session_ends`.
extension Session {
  static let endsName: StaticString = "_session_ends"

  var expiry: Expiry {
    let said = data.reserved(Expiry.name)
    guard said == nil, let layout = keys.layout else { return Expiry(said) }
    return layout.expiry({ data.value(of: Bytes($0)) }, manager.settings.ages) ?? .standard
  }

  /// Seconds of a session that says nothing of its end.
  var standardAge: Int64 { keys.layout?.standardAge ?? manager.settings.config.cookie_age }

  /// The end that no activity moves, in Unix microseconds.
  var ends: Int64? { Session.ends(data.reserved(Session.endsName)) }

  static func ends(_ raw: Bytes?) -> Int64? {
    guard let raw, let seconds = Numbers.read(raw, base: 10) else {
      return nil
    }
    return max(0, min(Expiry.longest, seconds)) &* 1_000_000
  }

  /// When the session expires if it is saved now, in Unix microseconds.
  func expires(now: Int64) -> Int64 {
    var date = expiry.date(standard: standardAge, now: now)
    // Another request's changes may have brought another expiry.
    if let said = hostExpiry.date, hostExpiry.expiry.bytes == data.reserved(Expiry.name) ?? Bytes() { date = said }
    date = limited(date, now: now)
    return min(date, ends ?? date)
  }

  func expires(at date: Int64) throws(Failure) {
    guard keys.home.hasKeys else { throw .argument("a session in its cookie expires as its expiry says") }
    try access()
    hostExpiry.expiry.removeAll()
    hostExpiry.expiry.append(data.reserved(Expiry.name) ?? Bytes())
    guard !hostExpiry.expiry.failed else { throw .memory }
    hostExpiry.date = date
  }

  /// Revocations are kept for `cookie_age`: then no session in a cookie lives longer.
  func limited(_ date: Int64, now: Int64) -> Int64 {
    guard let longest = longestAge else { return date }
    return min(date, Expiry.standard.date(standard: longest, now: now))
  }

  func checkAge(_ seconds: Int64) throws(Failure) {
    guard seconds <= longestAge ?? .max else {
      throw .range("with revocations a session in a cookie lives no longer than cookie_age")
    }
  }

  private var longestAge: Int64? {
    !keys.home.hasKeys && manager.revocations != nil ? manager.settings.config.cookie_age : nil
  }

  /// How many seconds the session has left if it is saved now, rounded down.
  func age(now: Int64) -> Int64 {
    var age = expiry.age(standard: standardAge, now: now)
    if let longestAge { age = min(age, longestAge) }
    guard let ends else { return age }
    return min(age, Expiry.date(microseconds: ends).age(standard: 0, now: now))
  }

  /// Gives a session its end, if there is one and it has none yet.
  func limitLife(now: Int64) throws(Failure) {
    let lifetime = manager.settings.config.lifetime
    if lifetime > 0, ends == nil { try setLifetime(lifetime, now: now) }
  }

  func setLifetime(_ seconds: Int64, now: Int64) throws(Failure) {
    try data.set(Bytes(Session.endsName), .integer(min(now / 1_000_000 &+ seconds, Expiry.longest)))
  }

  func removeLifetime() -> Bool { data.remove(Bytes(Session.endsName)) }

  /// Whether the session is read only, and has lived long enough since it was
  /// last kept alive that this is worth a write.
  func wantsRefresh(now: Int64) -> Bool {
    let refresh = manager.settings.config.refresh
    guard refresh > 0, key != nil, movedTo == nil, case .loaded = loading else { return false }
    guard let expiring = known.expires else { return false }
    return expires(now: now) &- expiring >= refresh &* 1_000_000
  }
}
