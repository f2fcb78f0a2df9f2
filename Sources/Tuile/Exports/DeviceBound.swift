// Section 19: Device-bound sessions
// Device Bound Session Credentials (W3C): the browser keeps a private key for a session and
// proves it every few minutes, for a bound cookie that lives no longer. A copied session
// cookie is refused without it. Browsers without this go on as before. Where
// `device_binding` in the configuration is on, a host does three things: it gives the
// requests for `device_path` to tuile_session_answer_device; where a call of a session
// answers TUILE_UNBOUND, it sends what tuile_session_refuse writes; and it commits its
// sessions as ever, whose headers then have the offer of a login among them. docs/device-bound.md.

import CTuile

/// Sets all fields to what TUILE_DEVICE_REQUEST_INIT sets.
///
/// `size` is sizeof(tuile_device_request): nothing beyond that is written.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has. Since 0.2.
@_cdecl("tuile_device_request_init")
public func tuile_device_request_init(
  _ request: UnsafeMutablePointer<tuile_device_request>?, _ size: size_t
) -> tuile_status { initialize(request, size) }

/// Sets all fields to what TUILE_DEVICE_ANSWER_INIT sets.
///
/// `size` is sizeof(tuile_device_answer): nothing beyond that is written.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has. Since 0.2.
@_cdecl("tuile_device_answer_init")
public func tuile_device_answer_init(
  _ answer: UnsafeMutablePointer<tuile_device_answer>?, _ size: size_t
) -> tuile_status { initialize(answer, size) }

/// Makes the commit offer the browser to bind this session to its device, by a header
/// `Secure-Session-Registration`, whether or not the session was changed.
///
/// For `device_binding` by call; with every login the commit does it by itself. A browser that
/// can do it then calls `device_path`, and the session gets an ID of another form, which says
/// that it is bound, so that nothing in its data can undo it. Until then it is as it was.
///
/// Returns TUILE_OK; TUILE_EXISTS if the session is bound already: nothing is offered;
/// TUILE_ABSENT if it has neither an ID nor data: nothing is offered before there are; TUILE_UNBOUND; TUILE_E_ARGUMENT for NULL, or with `device_binding` off;
/// TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY.
/// Since 0.2.
@_cdecl("tuile_session_offer_device_binding")
public func tuile_session_offer_device_binding(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard try session.offerBinding() else { return TUILE_EXISTS }
    return session.isEmpty ? TUILE_ABSENT : TUILE_OK
  }
}

/// Whether the session's ID says that it is bound to a device, as far as this request knows:
/// nothing is read, and whether the bound cookie came does not matter.
///
/// Returns TUILE_OK; TUILE_E_BUSY while a queue has the session; TUILE_E_ARGUMENT for NULL.
/// Since 0.2.
@_cdecl("tuile_session_is_device_bound")
public func tuile_session_is_device_bound(
  _ session: UnsafePointer<tuile_session>?, _ bound: UnsafeMutablePointer<Bool>?
) -> tuile_status {
  guard let session, let bound else { return TUILE_E_ARGUMENT }
  guard let object = try? own(session) else { return TUILE_E_BUSY }
  bound.pointee = object.isBound
  return TUILE_OK
}

/// Answers a request for `device_path`: a browser registers a key for its session, or proves
/// that it has the key and gets a new bound cookie.
///
/// `session` was started from the request's Cookie header, and is ended after the answer is
/// sent; it is neither used before nor committed. The host sends `answer` as it is: the status, each header
/// and the body, to the browser over https, past all checks of forged requests (CSRF), since
/// the proof is one. `answer` is written on TUILE_OK alone; what it points to is the
/// session's, until tuile_session_end. The texts of `request` are borrowed for the call; each
/// may have any size, and a proof over 16 KiB is refused.
///
/// Returns TUILE_OK whatever the browser is told; TUILE_E_ARGUMENT for NULL, a struct of a size
/// that no version has, or with `device_binding` off; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT, TUILE_E_UNKNOWN if the store gave no answer, TUILE_E_RANDOM, TUILE_E_MEMORY: the host answers
/// with 500 or 503, and the browser comes again with the same proof. Since 0.2.
@_cdecl("tuile_session_answer_device")
public func tuile_session_answer_device(
  _ session: UnsafeMutablePointer<tuile_session>?, _ request: UnsafePointer<tuile_device_request>?,
  _ answer: UnsafeMutablePointer<tuile_device_answer>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let request, let answer else { throw .argument("request or answer is NULL") }
    try give(try session.answerDevice(try DeviceRequest(try tuile_device_request(given: request))), session, answer)
    return TUILE_OK
  }
}

/// Writes the answer to a request whose bound session came without its bound cookie: what a
/// call answered with TUILE_UNBOUND.
///
/// The status is 401. A navigation from another site, for which browsers do not refresh, gets
/// `Refresh: 0`: the reload comes with the bound cookie. Any other navigation is from a browser
/// that has lost its key, or never had it: the session's cookies are deleted in that browser,
/// and a short page in HTML says so; the stored session is left as it is. With `skipped`, the
/// browser's word that it could not refresh this time, no cookie is deleted.
///
/// `answer` is written on TUILE_OK alone; what it points to is the session's, until
/// tuile_session_end. A host that would rather show its own page, such as a login, calls
/// tuile_session_flush in place of this: of such a session it deletes nothing that is stored, and
/// begins a new one.
///
/// Returns TUILE_OK; TUILE_ABSENT if the session is not refused: the request is served as any
/// other; TUILE_E_ARGUMENT for NULL or a struct of a size that no version has; TUILE_E_MEMORY.
/// Since 0.2.
@_cdecl("tuile_session_refuse")
public func tuile_session_refuse(
  _ session: UnsafeMutablePointer<tuile_session>?, _ request: UnsafePointer<tuile_device_request>?,
  _ answer: UnsafeMutablePointer<tuile_device_answer>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let request, let answer else { throw .argument("request or answer is NULL") }
    let given = try DeviceRequest(try tuile_device_request(given: request))
    guard let refused = try session.refuse(given) else { return TUILE_ABSENT }
    try give(refused, session, answer)
    return TUILE_OK
  }
}

/// What it points to is the session's from now on.
private func give(
  _ given: DeviceAnswer, _ session: Session, _ answer: UnsafeMutablePointer<tuile_device_answer>
) throws(Failure) {
  session.device.answer = given
  var whole = try tuile_device_answer(given: answer)
  given.write(to: &whole)
  try whole.store(in: answer)
}
