// Section 15: Sessions, their end
// When a session expires, and Django's test cookie. The expiry is kept in the
// session under `_session_expiry`, as Django keeps it, so that both honour it.
// Each function may also return what section 12 says of functions that take an
// `error`.

import CTuile

/// Lets the session expire after `seconds` without a change; 0: when the browser
/// closes; negative: at once. With `revocations`, which remember a logout for
/// `cookie_age`, not for longer than that.
///
/// Returns TUILE_OK; TUILE_E_RANGE if no date up to the year 9999 holds it, or for
/// more than `cookie_age` where there are `revocations`; and as above. Since 0.1.
@_cdecl("tuile_session_set_expiry")
public func tuile_session_set_expiry(
  _ session: UnsafeMutablePointer<tuile_session>?, _ seconds: Int64, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard seconds >= -Expiry.longest, seconds <= Expiry.longest else { throw .range("no date holds this expiry") }
    try session.checkAge(seconds)
    try session.set(expiry: .integer(seconds))
    return TUILE_OK
  }
}

/// Lets the session expire at a fixed time, Unix seconds, which no activity moves.
///
/// Returns TUILE_OK; TUILE_E_RANGE outside the years 1 to 9999, or for more than
/// `cookie_age` from now where there are `revocations`; and as above. Since 0.1.
@_cdecl("tuile_session_set_expiry_date")
public func tuile_session_set_expiry_date(
  _ session: UnsafeMutablePointer<tuile_session>?, _ seconds: Int64, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard seconds >= Date.earliest, seconds <= Date.latest else {
      throw .range("the date is not in the years 1 to 9999")
    }
    try session.checkAge(seconds &- session.manager.now / 1_000_000)
    try withScratch(32) { (room) throws(Failure) in
      var writer = ByteWriter(room, capacity: 32)
      Date(seconds: seconds).writeISO(to: &writer)
      try session.set(expiry: .string(writer.written))
    }
    return TUILE_OK
  }
}

/// Lets the session expire as the configuration says: Django's set_expiry(None).
///
/// Returns TUILE_OK; and as above. Since 0.1.
@_cdecl("tuile_session_clear_expiry")
public func tuile_session_clear_expiry(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    try session.access()
    if session.data.remove(Bytes(Expiry.name)) { try session.change() }
    return TUILE_OK
  }
}

/// Says when the session expires, in Unix microseconds, for hosts that compute it
/// themselves, as Django's `get_expiry_date` may be overridden to do.
///
/// It counts in place of the session's expiry for this session's commits, as long
/// as that expiry is not changed. It makes no change: the next commit that saves
/// stores it, `tuile_session_touch` has one do so. Not later than the end of the
/// longest life.
///
/// Returns TUILE_OK; TUILE_E_RANGE outside the years 1 to 9999; TUILE_E_ARGUMENT
/// for a session in its cookie; and as above. Since 0.1.1.
@_cdecl("tuile_session_set_stored_expiry")
public func tuile_session_set_stored_expiry(
  _ session: UnsafeMutablePointer<tuile_session>?, _ microseconds: Int64, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard microseconds >= Date.earliest &* 1_000_000, microseconds / 1_000_000 <= Date.latest else {
      throw .range("the date is not in the years 1 to 9999")
    }
    try session.expires(at: microseconds)
    return TUILE_OK
  }
}

/// Lets the session end `seconds` from now, whatever is done with it; 0: no such end.
///
/// Kept under `_session_ends`. With `lifetime` in the configuration every session
/// gets such an end when it is first saved, and 0 starts that time anew. Nothing
/// but this moves it: not activity, and not a new key.
///
/// Returns TUILE_OK; TUILE_E_RANGE if it is negative or no date up to the year
/// 9999 holds it; and as above. Since 0.1.
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
/// Returns TUILE_OK; TUILE_ABSENT if it has no such end; and as above. Since 0.1.
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

/// How many seconds the session has left if it is saved now; negative if its date
/// has passed.
///
/// Until the browser closes counts as `cookie_age`, which is how long the store
/// keeps such a session.
///
/// Returns TUILE_OK; and as above. Since 0.1.
@_cdecl("tuile_session_get_expiry_age")
public func tuile_session_get_expiry_age(
  _ session: UnsafeMutablePointer<tuile_session>?, _ seconds: UnsafeMutablePointer<Int64>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let seconds else { throw .argument("seconds is NULL") }
    try session.access()
    seconds.pointee = session.age(now: session.manager.now)
    return TUILE_OK
  }
}

/// When the session expires if it is saved now, in Unix seconds.
///
/// Returns TUILE_OK; and as above. Since 0.1.
@_cdecl("tuile_session_get_expiry_date")
public func tuile_session_get_expiry_date(
  _ session: UnsafeMutablePointer<tuile_session>?, _ seconds: UnsafeMutablePointer<Int64>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let seconds else { throw .argument("seconds is NULL") }
    try session.access()
    let date = session.expires(now: session.manager.now)
    seconds.pointee = date / 1_000_000 &- (date % 1_000_000 < 0 ? 1 : 0)
    return TUILE_OK
  }
}

/// How many seconds a session has left that was last changed at `modification`
/// and has the expiry `expiry`: get_expiry_age with Django's two arguments.
///
/// `modification` is in Unix microseconds, TUILE_UNSET for now. `expiry` is JSON as
/// Django keeps it under `_session_expiry`: a number of seconds, a string with a
/// date in ISO 8601, or null for `cookie_age`; empty for the session's own.
///
/// Returns TUILE_OK; and as above. Since 0.1.
@_cdecl("tuile_session_get_expiry_age_at")
public func tuile_session_get_expiry_age_at(
  _ session: UnsafeMutablePointer<tuile_session>?, _ modification: Int64, _ expiry: tuile_bytes,
  _ seconds: UnsafeMutablePointer<Int64>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  expiring(session, modification, expiry, seconds, error) { (expiry, standard, now) in
    expiry.age(standard: standard, now: now)
  }
}

/// When such a session expires, in Unix microseconds: get_expiry_date with
/// Django's two arguments, which are those of tuile_session_get_expiry_age_at.
///
/// Returns TUILE_OK; and as above. Since 0.1.
@_cdecl("tuile_session_get_expiry_date_at")
public func tuile_session_get_expiry_date_at(
  _ session: UnsafeMutablePointer<tuile_session>?, _ modification: Int64, _ expiry: tuile_bytes,
  _ microseconds: UnsafeMutablePointer<Int64>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  expiring(session, modification, expiry, microseconds, error) { (expiry, standard, now) in
    expiry.date(standard: standard, now: now)
  }
}

/// Whether the session ends when the browser closes.
///
/// Returns TUILE_OK; and as above. Since 0.1.
@_cdecl("tuile_session_get_expire_at_browser_close")
public func tuile_session_get_expire_at_browser_close(
  _ session: UnsafeMutablePointer<tuile_session>?, _ answer: UnsafeMutablePointer<Bool>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let answer else { throw .argument("answer is NULL") }
    try session.access()
    answer.pointee = session.expiry.atBrowserClose(standard: session.manager.settings.expireAtBrowserClose)
    return TUILE_OK
  }
}

/// Sets the test cookie: at the next request tuile_session_test_cookie_worked
/// tells whether the browser takes cookies.
///
/// Returns TUILE_OK; and as above. Since 0.1.
@_cdecl("tuile_session_set_test_cookie")
public func tuile_session_set_test_cookie(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    try session.access()
    try session.data.set(Bytes(testCookie), .string(Bytes("worked")))
    try session.change()
    return TUILE_OK
  }
}

/// Whether the test cookie came back: in a cookie, not by a key in the URL.
///
/// Returns TUILE_OK; and as above. Since 0.1.
@_cdecl("tuile_session_test_cookie_worked")
public func tuile_session_test_cookie_worked(
  _ session: UnsafeMutablePointer<tuile_session>?, _ worked: UnsafeMutablePointer<Bool>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let worked else { throw .argument("worked is NULL") }
    try session.access()
    let value = session.data.value(of: Bytes(testCookie))
    worked.pointee = session.cookieSent && value.map { $0 == Bytes("\"worked\"") } ?? false
    return TUILE_OK
  }
}

/// Deletes the test cookie.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is none; and as above. Since 0.1.
@_cdecl("tuile_session_delete_test_cookie")
public func tuile_session_delete_test_cookie(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    try session.access()
    guard session.data.remove(Bytes(testCookie)) else { return TUILE_ABSENT }
    try session.change()
    return TUILE_OK
  }
}

private let testCookie: StaticString = "testcookie"

extension Session {
  fileprivate func set(expiry: SessionData.Value) throws(Failure) {
    try access()
    try data.set(Bytes(Expiry.name), expiry)
    try change()
  }
}

private func expiring(
  _ session: UnsafeMutablePointer<tuile_session>?, _ modification: Int64, _ expiry: tuile_bytes,
  _ answer: UnsafeMutablePointer<Int64>?, _ error: UnsafeMutablePointer<tuile_error>?,
  _ ask: (_ expiry: Expiry, _ standard: Int64, _ now: Int64) -> Int64
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let given = Bytes(expiry), let answer else { throw .argument("expiry or the answer is NULL") }
    if given.isEmpty { try session.access() }
    let now = modification == unset ? session.manager.now : modification
    let chosen = given.isEmpty ? session.expiry : Expiry(given)
    answer.pointee = ask(chosen, session.manager.settings.cookieAge, now)
    return TUILE_OK
  }
}
