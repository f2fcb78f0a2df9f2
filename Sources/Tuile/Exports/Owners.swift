// Section 7: Whose sessions
// A session can have an owner: a user, by whatever name the application gives its
// users. An owner's sessions can be listed, with when and where they were last
// seen, and ended one by one or all at once. The lists are kept beside Django's
// table or keys, which stay as they are; stores that keep none answer
// TUILE_E_ARGUMENT, sessions in cookies among them. An owner has 1 to 255 bytes of
// UTF-8 without NUL. Every function here may also return what section 16 says.

import CTuile

/// Says whose session it is, as a login does. An `owner` without data, as tuile_text(NULL)
/// gives it: nobody's; the commit then takes the session off the list.
///
/// Kept in the session under `_session_owner`. The commit writes the owner's list and fails
/// if it can't; requests then refresh the entry once a minute. With `track_owners` in the
/// configuration Django's own logins (`_auth_user_id`) count without this. With `max_owned`
/// those sessions of the owner that were unseen longest are ended when there are more.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if
/// the store failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1; no
/// owner since 0.2.
@_cdecl("tuile_session_set_owner")
public func tuile_session_set_owner(
  _ session: UnsafeMutablePointer<tuile_session>?, _ owner: tuile_bytes, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    if owner.data == nil, owner.size == 0 {
      _ = try session.removeOwner()
    } else {
      try session.set(owner: try Owner.check(owner))
    }
    return TUILE_OK
  }
}

/// Whose session it is, by tuile_session_set_owner or, with `track_owners`, by Django's
/// login.
///
/// `*owner` is valid until the session ends.
///
/// Returns TUILE_OK; TUILE_ABSENT if it has none; TUILE_E_STORE, TUILE_E_BUSY or
/// TUILE_E_CORRUPT if the store failed, was held by others or is damaged; TUILE_E_MEMORY.
/// Since 0.1.
@_cdecl("tuile_session_get_owner")
public func tuile_session_get_owner(
  _ session: UnsafeMutablePointer<tuile_session>?, _ owner: UnsafeMutablePointer<tuile_bytes>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let owner else { throw .argument("owner is NULL") }
    try session.access()
    guard let present = try session.owner() else { return TUILE_ABSENT }
    owner.pointee = present.c
    return TUILE_OK
  }
}

/// Says where a request comes from, for the owner's list.
///
/// Of the user agent 256 bytes are kept, of the address 64; what is no printable ASCII
/// shows as '?'. Either may be empty: the list keeps what it has.
///
/// Returns TUILE_OK; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed,
/// was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_session_set_client")
public func tuile_session_set_client(
  _ session: UnsafeMutablePointer<tuile_session>?, _ user_agent: tuile_bytes, _ address: tuile_bytes,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let agent = Bytes(user_agent), let address = Bytes(address) else { throw .argument("a text is NULL") }
    try session.setClient(userAgent: agent, address: address)
    return TUILE_OK
  }
}

/// Gives `receive` each session of an owner, the one seen last first.
///
/// `current`, which may be NULL, is the session of this request: its entry is marked.
/// `context` is handed to `receive`.
///
/// Returns TUILE_OK, also if there is none; TUILE_E_LIMIT if there are more than 10,000;
/// TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed,
/// was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_manager_sessions")
public func tuile_manager_sessions(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ owner: tuile_bytes, _ current: UnsafePointer<tuile_session>?,
  _ receive: tuile_receive_owned_session?, _ context: UnsafeMutableRawPointer?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  owning(manager, owner, error) { (manager, owner) throws(Failure) in
    guard let receive else { throw .argument("receive is NULL") }
    var asking: Session?
    if let current { asking = try own(current) }
    manager.show(try manager.sessions(of: owner), current: asking, receive, context)
    return TUILE_OK
  }
}

/// Ends the session of an owner that has an id, as tuile_manager_sessions gave it: it is
/// deleted at once and for good.
///
/// Returns TUILE_OK; TUILE_ABSENT if the owner has no such session any more;
/// TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed,
/// was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_manager_revoke")
public func tuile_manager_revoke(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ owner: tuile_bytes, _ id: tuile_bytes,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  owning(manager, owner, error) { (manager, owner) throws(Failure) in
    guard let id = Bytes(id) else { throw .argument("the id is NULL") }
    return try manager.revoke(id, of: owner) ? TUILE_OK : TUILE_ABSENT
  }
}

/// Ends all sessions of an owner, but that of this request if `keep` is one, as after a
/// change of the password.
///
/// `*revoked`, which may be NULL, gets how many there were. With sessions in cookies and
/// `revocations` in the configuration nobody knows, and it is 0; `keep` must then be
/// committed, since it gets a new cookie.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if
/// the store failed, was held by others or is damaged; TUILE_E_MEMORY: then some may be
/// left. Since 0.1.
@_cdecl("tuile_manager_revoke_all")
public func tuile_manager_revoke_all(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ owner: tuile_bytes, _ keep: UnsafeMutablePointer<tuile_session>?,
  _ revoked: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  owning(manager, owner, error) { (manager, owner) throws(Failure) in
    var kept: Session?
    if let keep { kept = try own(keep) }
    let count = try manager.revokeAll(of: owner, but: kept)
    revoked?.pointee = count
    return TUILE_OK
  }
}

private func owning(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ owner: tuile_bytes, _ error: UnsafeMutablePointer<tuile_error>?,
  _ body: (Manager, Bytes) throws(Failure) -> tuile_status
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let manager else { throw .argument("the manager is NULL") }
    let object: Manager = Handle.borrow(manager)
    return try body(object, try Owner.check(owner))
  }
}
