// Section 6: Sessions, their end
// When a session expires. The expiry is kept in the session under `_session_expiry`,
// as Django keeps it, so that both honour it. A duration is in seconds; a point in
// time, in the functions that end in `_time`, in Unix microseconds, as in stores.

import CTuile

///
/// Lets the session expire `seconds` seconds after its last change.
///
/// 0: when the browser closes; negative: at once; TUILE_UNSET: as the configuration says,
/// which is Django's set_expiry(None). Where the configuration has `revocations`,
/// `cookie_age` is the most, since a logout is remembered for as long.
///
/// Returns TUILE_OK; TUILE_E_RANGE if no date up to the year 9999 holds it, or for more
/// than `cookie_age` where there are `revocations`; TUILE_E_ARGUMENT for NULL;
/// TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
/// TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1; TUILE_UNSET since 0.2.
@_cdecl("tuile_session_set_expiry")
public func tuile_session_set_expiry(
  _ session: UnsafeMutablePointer<tuile_session>?, _ seconds: Int64, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard seconds != unset else {
      try session.access()
      if session.data.remove(Bytes(Expiry.name)) { try session.change() }
      return TUILE_OK
    }
    guard seconds >= -Expiry.longest, seconds <= Expiry.longest else { throw .range("no date holds this expiry") }
    try session.checkAge(seconds)
    try session.set(expiry: .integer(seconds))
    return TUILE_OK
  }
}

/// Lets the session expire at a fixed time, in Unix microseconds. Activity does not change
/// it. Fractions of a second are dropped.
///
/// Returns TUILE_OK; TUILE_E_RANGE outside the years 1 to 9999, or for more than
/// `cookie_age` from now where there are `revocations`; TUILE_E_ARGUMENT for NULL;
/// TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
/// TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.2.
@_cdecl("tuile_session_set_expiry_time")
public func tuile_session_set_expiry_time(
  _ session: UnsafeMutablePointer<tuile_session>?, _ microseconds: Int64, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    let seconds = try wholeSeconds(microseconds)
    try session.checkAge(seconds &- session.manager.now / 1_000_000)
    try withScratch(32) { (room) throws(Failure) in
      var writer = ByteWriter(room, capacity: 32)
      Date(seconds: seconds).writeISO(to: &writer)
      try session.set(expiry: .string(writer.written))
    }
    return TUILE_OK
  }
}

/// Says when the session expires, in Unix microseconds, for hosts that compute it
/// themselves, as Django's `get_expiry_date` may be overridden to do.
///
/// The commits of this session store it in place of what the session's expiry says, until
/// that expiry is changed. This alone saves nothing: call tuile_session_touch for that. It
/// is never later than the end of the longest life.
///
/// Returns TUILE_OK; TUILE_E_RANGE outside the years 1 to 9999; TUILE_E_ARGUMENT for NULL,
/// or a session in its cookie; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.1.
@_cdecl("tuile_session_set_stored_time")
public func tuile_session_set_stored_time(
  _ session: UnsafeMutablePointer<tuile_session>?, _ microseconds: Int64, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    _ = try wholeSeconds(microseconds)
    try session.expires(at: microseconds)
    return TUILE_OK
  }
}

/// Lets the session end `seconds` seconds from now, whatever is done with it; 0: no such
/// end.
///
/// Kept under `_session_ends`. Where the configuration has `lifetime`, every session gets
/// such an end when it is first saved, and 0 starts it again. Neither activity nor a new ID
/// changes it.
///
/// Returns TUILE_OK; TUILE_E_RANGE if it is negative or no date up to the year 9999 holds
/// it; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_set_lifetime")
public func tuile_session_set_lifetime(
  _ session: UnsafeMutablePointer<tuile_session>?, _ seconds: Int64, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    let now = session.manager.now
    guard seconds >= 0, seconds <= Expiry.longest &- now / 1_000_000 else { throw .range("no date holds this end") }
    try session.access()
    if seconds > 0 {
      try session.setLifetime(seconds, now: now)
    } else {
      guard session.removeLifetime() else { return TUILE_OK }
    }
    try session.change()
    return TUILE_OK
  }
}

/// How many seconds of its longest life the session has left.
///
/// Returns TUILE_OK; TUILE_ABSENT if it has no such end; TUILE_E_ARGUMENT for NULL;
/// TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
/// TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_get_lifetime")
public func tuile_session_get_lifetime(
  _ session: UnsafeMutablePointer<tuile_session>?, _ seconds: UnsafeMutablePointer<Int64>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let seconds else { throw .argument("seconds is NULL") }
    try session.access()
    guard let ends = session.ends else { return TUILE_ABSENT }
    seconds.pointee = Expiry.date(microseconds: ends).age(standard: 0, now: session.manager.now)
    return TUILE_OK
  }
}

/// How many seconds the session has left; negative if its date has passed. A session that
/// lasts until the browser closes counts as `cookie_age`, for which the store keeps it.
///
/// `modification` is when it was last changed, in Unix microseconds: TUILE_UNSET for now.
/// `expiry` is empty for the session's own, or JSON to take in place of its
/// `_session_expiry`: a number of seconds, a string with a date in ISO 8601, or null for
/// `cookie_age`. These are the two arguments of Django's get_expiry_age.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1; with `modification` and `expiry` since 0.2.
@_cdecl("tuile_session_get_expiry_age")
public func tuile_session_get_expiry_age(
  _ session: UnsafeMutablePointer<tuile_session>?, _ modification: Int64, _ expiry: tuile_bytes,
  _ seconds: UnsafeMutablePointer<Int64>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  expiring(session, modification, expiry, seconds, error) { (session, asked, now) in
    asked?.age(standard: session.standardAge, now: now) ?? session.age(now: now)
  }
}

/// When the session expires, in Unix microseconds: Django's get_expiry_date.
///
/// `modification` is when it was last changed, in Unix microseconds: TUILE_UNSET for now.
/// `expiry` is empty for the session's own, or JSON to take in place of its
/// `_session_expiry`, as in tuile_session_get_expiry_age.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.2.
@_cdecl("tuile_session_get_expiry_time")
public func tuile_session_get_expiry_time(
  _ session: UnsafeMutablePointer<tuile_session>?, _ modification: Int64, _ expiry: tuile_bytes,
  _ microseconds: UnsafeMutablePointer<Int64>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  expiring(session, modification, expiry, microseconds, error) { (session, asked, now) in
    asked?.date(standard: session.standardAge, now: now) ?? session.expires(now: now)
  }
}

/// Whether the session ends when the browser closes.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1.
@_cdecl("tuile_session_get_expire_at_browser_close")
public func tuile_session_get_expire_at_browser_close(
  _ session: UnsafeMutablePointer<tuile_session>?, _ answer: UnsafeMutablePointer<Bool>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let answer else { throw .argument("answer is NULL") }
    try session.access()
    answer.pointee = session.expiry.atBrowserClose(standard: session.manager.settings.config.expire_at_browser_close)
    return TUILE_OK
  }
}

extension Session {
  fileprivate func set(expiry: SessionData.Value) throws(Failure) {
    try access()
    try data.set(Bytes(Expiry.name), expiry)
    try change()
  }
}

/// The second in which a time is that a date can have.
func wholeSeconds(_ microseconds: Int64) throws(Failure) -> Int64 {
  let seconds = microseconds / 1_000_000 &- (microseconds % 1_000_000 < 0 ? 1 : 0)
  guard seconds >= Date.earliest, seconds <= Date.latest else {
    throw .range("the time is not in the years 1 to 9999")
  }
  return seconds
}

/// Answers of a session's end. `ask` gets the expiry that was asked for; nil: the session's
/// own, if it were saved now.
private func expiring(
  _ session: UnsafeMutablePointer<tuile_session>?, _ modification: Int64, _ expiry: tuile_bytes,
  _ answer: UnsafeMutablePointer<Int64>?, _ error: UnsafeMutablePointer<tuile_error>?,
  _ ask: (_ session: Session, _ asked: Expiry?, _ now: Int64) -> Int64
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let given = Bytes(expiry), let answer else { throw .argument("expiry or the answer is NULL") }
    if given.isEmpty { try session.access() }
    let now = modification == unset ? session.manager.now : modification
    let own: Expiry? = modification == unset ? nil : session.expiry
    answer.pointee = ask(session, given.isEmpty ? own : Expiry(given), now)
    return TUILE_OK
  }
}
