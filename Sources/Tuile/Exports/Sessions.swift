// Section 3: Sessions, one request
// Begin from the request's Cookie header, read and change, commit while the response's
// headers are still open, end. A session belongs to one thread at a time. The store is
// read by the first call that needs the session's data. A function that has the name of a
// method of Django's SessionBase does the same as that. A store that gives no answer is an
// error, never a missing session. What one request reads and changes may take eight times
// `max_data` and 1 MiB of memory: calls beyond that get TUILE_E_LIMIT.

import CTuile
import Synchronization

/// Starts a request's session from its Cookie header and its URL. Either may be empty;
/// both are borrowed for the call. `*session` is the caller's, to be ended with
/// tuile_session_end before its manager is closed.
///
/// Nothing is read yet. The session ID in the cookie is used only if the store has a
/// session of it; a client can't choose one. If several cookies have the session's name,
/// `cookie_rule` says which one counts. The URL is looked at only with `url_sessions` in
/// the configuration, where no cookie came: it may hold the ID as `;sid=` or `sid=`, which
/// tuile_url_write puts into the links of the response. Anyone who sees such a URL can use
/// the session: cycle the ID at every login, and send `Referrer-Policy: no-referrer`.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, or a text that has a size and no data;
/// TUILE_E_MEMORY. Since 0.2.
@_cdecl("tuile_session_start")
public func tuile_session_start(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ cookie_header: tuile_bytes, _ url: tuile_bytes,
  _ session: UnsafeMutablePointer<UnsafeMutablePointer<tuile_session>?>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let manager, let session else { throw .argument("manager or session is NULL") }
    guard let header = Bytes(cookie_header), let url = Bytes(url) else {
      throw .argument("cookie_header or url is NULL and has a size")
    }
    session.pointee = Handle.give(try Session(manager: Handle.borrow(manager), cookieHeader: header, url: url))
    return TUILE_OK
  }
}

/// Starts a session of an ID that the host has from elsewhere, as tuile_store_keys gives it
/// or a page of an administrator's shows it: no cookie, and so no signature, is looked at.
/// Never for what a client sent, and what the commit says of a cookie is for no browser,
/// since the store may know a session by another name than its cookie. The ID is borrowed
/// for the call; `*session` is the caller's, to be ended with tuile_session_end before its
/// manager is closed.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an ID that the store can't have, or sessions
/// in cookies; TUILE_E_MEMORY. Since 0.2.
@_cdecl("tuile_session_start_with_id")
public func tuile_session_start_with_id(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ id: tuile_bytes,
  _ session: UnsafeMutablePointer<UnsafeMutablePointer<tuile_session>?>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let manager, let session, let id = Bytes(id) else { throw .argument("manager, id or session is NULL") }
    session.pointee = Handle.give(try Session(manager: Handle.borrow(manager), id: id))
    return TUILE_OK
  }
}

/// Saves what was changed and gives the response its headers, by the rules of Django's
/// SessionMiddleware.
///
///
/// If `http_status` is below 500, a changed session is saved and its cookie is set. A
/// session without ID and data has its cookie deleted, if one was sent; one that was only
/// read gets `Vary: Cookie`. A response with a Set-Cookie also gets `Vary: Cookie` and
/// `Cache-Control: private`. If another request changed the session meanwhile, this
/// request's changes are applied to the new state; such commits of one session in this
/// process then run one after the other, in order.
///
/// `add_header` is called with `context` after the store has saved; the name and value are
/// lent for that call. It may be NULL if the headers were sent already.
///
/// Returns TUILE_OK, also if there was nothing to do, or if `http_status` is 500 or more
/// and nothing was saved; TUILE_DELETED if the session was deleted meanwhile, by a logout
/// say: nothing is saved; TUILE_E_LIMIT if its JSON is larger than `max_data`;
/// TUILE_E_RANGE if a counter, with what another request added, no longer fits into 64
/// bits; TUILE_E_BUSY if others kept changing the session for ten seconds, waiting for a
/// turn not counted; TUILE_E_CALLBACK if `add_header` refused; TUILE_E_RANDOM;
/// TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. TUILE_E_UNKNOWN:
/// the store gave no answer to a write, and could not be asked whether it was made. Call
/// commit again: it finds out where that is possible, and the changes are saved once, never
/// twice. After any other error nothing was saved, with two exceptions: TUILE_E_CALLBACK,
/// and where only the owner's list could not be written. After an error no header deletes
/// the cookie. Since 0.1.
@_cdecl("tuile_session_commit")
public func tuile_session_commit(
  _ session: UnsafeMutablePointer<tuile_session>?, _ http_status: Int32, _ add_header: tuile_add_header?,
  _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    let committed = try session.commit(httpStatus: http_status) { (name, value) throws(Failure) in
      guard let add_header else { return }
      guard add_header(context, Bytes(name).c, value.c) == TUILE_OK else {
        throw Failure(status: TUILE_E_CALLBACK, message: "add_header refused a header")
      }
    }
    return committed == .done ? TUILE_OK : TUILE_DELETED
  }
}

/// Whether the request had several cookies of the session's name, with different values:
/// whoever can set a cookie for the whole domain may have added one, and another program
/// may use a different one of them.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL. Since 0.1.1.
@_cdecl("tuile_session_has_several_cookies")
public func tuile_session_has_several_cookies(
  _ session: UnsafePointer<tuile_session>?, _ several: UnsafeMutablePointer<Bool>?
) -> tuile_status {
  guard let session, let several else { return TUILE_E_ARGUMENT }
  let object: Session = Handle.borrow(session)
  several.pointee = object.cookieIsOneOfSeveral
  return TUILE_OK
}

/// Whether copies of this session's cookie can be ended: the session is in its cookie, and
/// was written by a manager with `revocations`. A manager without them can't tell whether
/// this cookie was revoked.
///
/// Returns TUILE_OK, and `*revocable` is set; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE,
/// TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
/// after too many changes. Since 0.1.1.
@_cdecl("tuile_session_is_revocable")
public func tuile_session_is_revocable(
  _ session: UnsafeMutablePointer<tuile_session>?, _ revocable: UnsafeMutablePointer<Bool>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let revocable else { throw .argument("revocable is NULL") }
    try session.access()
    revocable.pointee = session.data.reserved(Session.idName) != nil
    return TUILE_OK
  }
}

/// Makes the commit extend the session as a change would: its expiry moves, and its cookie
/// is sent again. The data stays as it is, and nothing is read before the commit. For hosts
/// with their own rule for this.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL. Since 0.1.1.
@_cdecl("tuile_session_touch")
public func tuile_session_touch(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    session.touch()
    return TUILE_OK
  }
}

/// Ends a session and frees all views that it lent. NULL is fine. What was not
/// committed is gone. Since 0.1.
@_cdecl("tuile_session_end")
public func tuile_session_end(_ session: UnsafeMutablePointer<tuile_session>?) {
  guard let session else { return }
  let object: Session = Handle.take(session)
  // Whatever of it waits in a queue is not done.
  object.isEnded.store(true, ordering: .releasing)
}

/// The session ID, if it has one. With a "cookie:" store this is the value of the cookie.
///
/// Before the session was read this is the ID that the client sent. `*id` is valid until
/// tuile_session_end. The ID is a password: do not log it.
///
/// Returns TUILE_OK; TUILE_ABSENT while there is none: before a new session's first commit,
/// unless tuile_session_cycle_id or tuile_session_make_id gave it one, after
/// tuile_session_flush, and once the ID that came was not found; TUILE_E_BUSY while a queue
/// has the session; TUILE_E_ARGUMENT for NULL. Since 0.1.
@_cdecl("tuile_session_id")
public func tuile_session_id(
  _ session: UnsafePointer<tuile_session>?, _ id: UnsafeMutablePointer<tuile_bytes>?
) -> tuile_status {
  guard let session, let id else { return TUILE_E_ARGUMENT }
  guard let object = try? own(session) else { return TUILE_E_BUSY }
  guard let present = object.key else { return TUILE_ABSENT }
  id.pointee = present.c
  return TUILE_OK
}

/// Gives a new session its ID at once, for a first page that has to carry it: in its links
/// (tuile_url_write), or bound to a hidden field. The commit then saves the session, even
/// if nothing is in it. One that has an ID keeps it.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, or where the session is kept in its cookie;
/// TUILE_E_RANDOM; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no
/// answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.1.
@_cdecl("tuile_session_make_id")
public func tuile_session_make_id(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    try session.makeKey()
    return TUILE_OK
  }
}

/// Whether this request read or changed the session, so that the response
/// depends on the cookie. false for NULL. Since 0.1.
@_cdecl("tuile_session_accessed")
public func tuile_session_accessed(_ session: UnsafePointer<tuile_session>?) -> Bool {
  guard let session else { return false }
  return (try? own(session))?.accessed ?? false
}

/// Whether this request changed the session since it began, or since its last commit. false
/// for NULL. Since 0.1.
@_cdecl("tuile_session_modified")
public func tuile_session_modified(_ session: UnsafePointer<tuile_session>?) -> Bool {
  guard let session else { return false }
  return (try? own(session))?.modified ?? false
}

/// Whether the session has neither an ID nor data.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1.
@_cdecl("tuile_session_is_empty")
public func tuile_session_is_empty(
  _ session: UnsafeMutablePointer<tuile_session>?, _ empty: UnsafeMutablePointer<Bool>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let empty else { throw .argument("empty is NULL") }
    try session.access()
    empty.pointee = session.isEmpty
    return TUILE_OK
  }
}

/// Drops all values of the session, and its owner, but keeps its ID and its longest life.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1.
@_cdecl("tuile_session_clear")
public func tuile_session_clear(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    session.clear()
    return TUILE_OK
  }
}

/// Logs out: the data is dropped, the session is deleted from the store at once, even if
/// the response is never sent, and the commit deletes the cookie. What is set afterwards
/// starts a new session.
///
/// No request that began earlier can bring the session back.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes: then the session is still in the store, and the call can be made again.
/// Since 0.1.
@_cdecl("tuile_session_flush")
public func tuile_session_flush(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    try session.flush()
    return TUILE_OK
  }
}

/// Gives the session a new ID and keeps its data, as every login should, so that an ID
/// known from before is worth nothing: Django's cycle_key.
///
/// tuile_session_id has the new ID at once, and the commit stores the session under it. For
/// `cycle_grace` seconds the old ID still shows the session as it was; then it is gone.
///
/// Returns TUILE_OK; TUILE_E_RANDOM; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE,
/// TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
/// after too many changes. Since 0.1.
@_cdecl("tuile_session_cycle_id")
public func tuile_session_cycle_id(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    try session.cycleKey()
    return TUILE_OK
  }
}

/// The session of a handle, unless a queue has it.
func own(_ session: UnsafePointer<tuile_session>) throws(Failure) -> Session {
  let object: Session = Handle.borrow(session)
  guard !object.isQueued.load(ordering: .acquiring) else { throw .queued }
  return object
}

/// Runs what an export does with a session.
func using(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?,
  _ body: (Session) throws(Failure) -> tuile_status
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let session else { throw .argument("the session is NULL") }
    Handle.enter(session)
    defer { Handle.leave(session) }
    return try body(try own(session))
  }
}
