// Section 22: Flat calls of a session
// A whole request in three calls: tuile_flat_begin, tuile_flat_commit, tuile_session_end. They answer as all flat
// calls do. The other functions of a session may be called between them. A session belongs to one thread at a time.

import CTuile

/// Starts a request's session from its Cookie header, and reads it: tuile_session_start and
/// tuile_session_load, then what they found.
///
/// The text has four parts, with a NUL behind each: the session ID, empty if there is no
/// session; its owner, or empty; how many seconds of its longest life are left, or empty; all
/// values as one JSON object. `*session` is the caller's, to be ended with tuile_session_end,
/// also if the buffer was too small: tuile_flat_again gives the text then. After an error
/// there is none.
///
/// Answers with the size, or the errors of tuile_session_start and tuile_session_load, or
/// TUILE_FLAT_ANSWER minus TUILE_UNBOUND. Since 0.2.
@_cdecl("tuile_flat_begin")
public func tuile_flat_begin(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ cookie_header: UnsafePointer<CChar>?, _ size: size_t,
  _ session: UnsafeMutablePointer<UnsafeMutablePointer<tuile_session>?>?, _ buffer: UnsafeMutablePointer<CChar>?,
  _ capacity: size_t
) -> Int64 {
  flat(buffer, capacity) { (needed) throws(Failure) in
    guard let manager, let session else { throw .argument("manager or session is NULL") }
    let begun = try Session(manager: Handle.borrow(manager), cookieHeader: try given(cookie_header, size))
    try begun.access()
    try begun.answerWithValues()
    session.pointee = Handle.give(begun)
    return deliver(begun.answer.bytes, buffer, capacity, needed)
  }
}

/// Changes a session, and commits it: what the calls for each change and
/// tuile_session_commit do.
///
/// `changes` are pairs of parts, with a NUL behind each, which are done in their order; none
/// at all is fine. `set` and a JSON object: tuile_session_update. `remove` and a name:
/// tuile_session_remove, where a missing one is fine. `owner` and a text, empty for none:
/// tuile_session_set_owner. `user_agent` and `address`, both or none: tuile_session_set_client. `expires`
/// and Unix microseconds in digits: tuile_session_set_stored_time. `touch` and an empty part:
/// tuile_session_touch.
///
/// The text is the session ID, or an empty part, and then the name and the value of each header
/// that the response needs. After an error of a change nothing was committed, and those
/// before it are made: the same call again is fine.
///
/// Answers with the size, where a buffer that was too small changes nothing: it is committed,
/// and tuile_flat_again gives the text. TUILE_FLAT_ANSWER minus TUILE_DELETED; the errors of those functions;
/// TUILE_E_ARGUMENT for a change of another name. Since 0.2.
@_cdecl("tuile_flat_commit")
public func tuile_flat_commit(
  _ session: UnsafeMutablePointer<tuile_session>?, _ changes: UnsafePointer<CChar>?, _ size: size_t,
  _ http_status: Int32, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t
) -> Int64 {
  flat(buffer, capacity) { (needed) throws(Failure) in
    let changes = try given(changes, size)
    return try flatUsing(session) { (session) throws(Failure) in
      try session.make(changes)
      var headers = ByteBuffer()
      let committed = try session.commit(httpStatus: http_status) { (name, value) throws(Failure) in
        headers.append(name)
        headers.append(0)
        headers.append(value)
        headers.append(0)
      }
      guard committed == .done else { return TUILE_DELETED }
      session.answer.removeAll()
      session.answer.append(session.key ?? Bytes())
      session.answer.append(0)
      session.answer.append(headers.bytes)
      guard !headers.failed, !session.answer.failed else { throw .memory }
      return deliver(session.answer.bytes, buffer, capacity, needed)
    }
  }
}

/// Gives the text of the session's last flat call again, for a buffer that was too small.
///
/// Answers with the size; TUILE_E_ARGUMENT for NULL. Since 0.2.
@_cdecl("tuile_flat_again")
public func tuile_flat_again(
  _ session: UnsafeMutablePointer<tuile_session>?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t
) -> Int64 {
  flat(buffer, capacity) { (needed) throws(Failure) in
    try flatUsing(session) { (session) throws(Failure) in deliver(session.answer.bytes, buffer, capacity, needed) }
  }
}

private func flatUsing(
  _ session: UnsafeMutablePointer<tuile_session>?, _ body: (Session) throws(Failure) -> tuile_status
) throws(Failure) -> tuile_status {
  guard let session else { throw .argument("the session is NULL") }
  Handle.enter(session)
  defer { Handle.leave(session) }
  return try body(try own(session))
}

extension Session {
  fileprivate func answerWithValues() throws(Failure) {
    let owner = try owner() ?? Bytes()
    guard !owner.contains(0) else { throw .syntax("the owner has a NUL in it, which a flat text can't hold") }
    try data.write(to: &json, shown: true)
    answer.removeAll()
    answer.append(key ?? Bytes())
    answer.append(0)
    answer.append(owner)
    answer.append(0)
    if let ends {
      Numbers.writeDecimal(Expiry.date(microseconds: ends).age(standard: 0, now: manager.now), to: &answer)
    }
    answer.append(0)
    answer.append(json.bytes)
    answer.append(0)
    guard !answer.failed else { throw .memory }
  }

  /// Makes the changes of tuile_flat_commit.
  fileprivate func make(_ changes: Bytes) throws(Failure) {
    var at = 0
    var client: (agent: Bytes?, address: Bytes?)
    while at < changes.count {
      let name = changes.slice(at, changes.find(0, from: at))
      let from = at &+ name.count &+ 1
      let value = changes.slice(from, changes.find(0, from: from))
      at = from &+ value.count &+ 1
      guard at <= changes.count else { throw .argument("changes are not pairs with a NUL behind each part") }
      if name == Bytes("set") {
        try access()
        try data.update(value)
        try change()
      } else if name == Bytes("remove") {
        try access()
        if data.shown(value) != nil, data.remove(value) { try change() }
      } else if name == Bytes("owner") {
        if value.isEmpty { _ = try removeOwner() } else { try set(owner: try Owner.check(value.c)) }
      } else if name == Bytes("user_agent") {
        client.agent = value
      } else if name == Bytes("address") {
        client.address = value
      } else if name == Bytes("expires") {
        guard let microseconds = Numbers.read(value, base: 10) else { throw .argument("expires is no number") }
        _ = try wholeSeconds(microseconds)
        try expires(at: microseconds)
      } else if name == Bytes("touch"), value.isEmpty {
        touch()
      } else {
        throw .argument("a change has a name that is none")
      }
    }
    switch client {
    case (let agent?, let address?): try setClient(userAgent: agent, address: address)
    case (nil, nil): break
    default: throw .argument("user_agent and address go together")
    }
  }
}
