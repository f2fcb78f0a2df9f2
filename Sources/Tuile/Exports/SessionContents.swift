// Section 5: Sessions, more ways to their values
// The other functions of a dictionary, tuile_session_append for lists, and all values in
// one call. Each function reads the session if that was not done yet.

import CTuile

/// Reads the session from the store, if that was not done yet.
///
///
/// With TUILE_UNREADABLE every other function sees an empty session. What is stored is
/// never replaced or removed, the commit deletes no cookie, and what is set makes a new
/// session under a new ID.
///
/// Returns TUILE_OK if it was found; TUILE_ABSENT if the client sent no ID, or one that has
/// no session; TUILE_UNREADABLE if what is stored under that ID, or came in the cookie, is
/// signed by none of the secrets, or is not a session; TUILE_E_ARGUMENT for NULL;
/// TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
/// TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_load")
public func tuile_session_load(
  _ session: UnsafeMutablePointer<tuile_session>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    try session.found()
  }
}

/// Gives all values as the text of one JSON object, in the order in which they were added.
///
/// `*json` is valid until tuile_session_end. It is a copy: later changes do not show in it.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1.
@_cdecl("tuile_session_json")
public func tuile_session_json(
  _ session: UnsafeMutablePointer<tuile_session>?, _ json: UnsafeMutablePointer<tuile_bytes>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let json else { throw .argument("json is NULL") }
    try session.access()
    try session.data.write(to: &session.json, shown: true)
    // What is asked for again and again takes its room once.
    if !(session.shown == session.json.bytes) { session.shown = try session.data.keep(session.json.bytes) }
    json.pointee = session.shown.c
    return TUILE_OK
  }
}

/// Sets every value of a JSON object: Python's update.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX if it is not a JSON object (`offset` says where);
/// TUILE_E_ARGUMENT for NULL or a name of the library's own, and nothing is set then;
/// TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
/// TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_update")
public func tuile_session_update(
  _ session: UnsafeMutablePointer<tuile_session>?, _ json: tuile_bytes, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let json = Bytes(json) else { throw .argument("the JSON is NULL and has a size") }
    try session.access()
    try session.data.update(json)
    try session.change()
    return TUILE_OK
  }
}

/// Takes a value out: gives it as JSON text and removes it.
///
/// `*json` is valid until tuile_session_end. The session counts as changed only if the
/// value was there.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1.
@_cdecl("tuile_session_pop")
public func tuile_session_pop(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ json: UnsafeMutablePointer<tuile_bytes>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let name = Bytes(name), let json else { throw .argument("name or json is NULL") }
    try session.access()
    guard let value = session.data.shown(name) else { return TUILE_ABSENT }
    _ = session.data.remove(name)
    try session.change()
    json.pointee = value.c
    return TUILE_OK
  }
}

/// Gives a value as JSON text, and sets it to `initial` first if there is none: Python's
/// setdefault.
///
/// `*json`, which may be NULL, is valid until tuile_session_end.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX if `initial` is needed and not JSON, or the name is not
/// UTF-8; TUILE_E_ARGUMENT for NULL or a name of the library's own; TUILE_E_STORE,
/// TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
/// after too many changes. Since 0.1.
@_cdecl("tuile_session_set_default")
public func tuile_session_set_default(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ initial: tuile_bytes,
  _ json: UnsafeMutablePointer<tuile_bytes>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let name = Bytes(name), let initial = Bytes(initial) else { throw .argument("name or initial is NULL") }
    try session.data.refuse(name)
    try session.access()
    if session.data.value(of: name) == nil {
      try session.data.set(name, .json(initial))
      try session.change()
    }
    json?.pointee = (session.data.value(of: name) ?? Bytes()).c
    return TUILE_OK
  }
}

/// Puts a JSON value at the end of an array; a missing one counts as empty.
///
/// Of two requests that append at once, both values are there, in the order of their
/// commits; not with "cookie:", where the last response wins.
///
/// Returns TUILE_OK; TUILE_E_TYPE if what is there is not an array; TUILE_E_SYNTAX if
/// `json` is not JSON, or the name is not UTF-8; TUILE_E_ARGUMENT for NULL or a name of the
/// library's own; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
/// TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_append")
public func tuile_session_append(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ json: tuile_bytes,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let name = Bytes(name), let json = Bytes(json) else { throw .argument("name or json is NULL") }
    try session.data.refuse(name)
    try session.access()
    try session.data.append(name, json)
    try session.change()
    return TUILE_OK
  }
}

/// Takes the next name of the session, and its value as JSON text.
///
/// Start with `*position` 0 and call until TUILE_ABSENT. Names come in the order in which
/// they were added; one that was removed and set again comes last, as in Python. Removing
/// the entry that was just given is fine; one added meanwhile comes at the end. `*name` and
/// `*json`, each of which may be NULL, are valid until tuile_session_end.
///
/// Returns TUILE_OK; TUILE_ABSENT at the end; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE,
/// TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
/// after too many changes. Since 0.1.
@_cdecl("tuile_session_next_item")
public func tuile_session_next_item(
  _ session: UnsafeMutablePointer<tuile_session>?, _ position: UnsafeMutablePointer<size_t>?,
  _ name: UnsafeMutablePointer<tuile_bytes>?, _ json: UnsafeMutablePointer<tuile_bytes>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let position else { throw .argument("position is NULL") }
    try session.access()
    var i = position.pointee
    while i >= 0, i < session.data.entries.count {
      let entry = session.data.entries[i]
      i &+= 1
      if entry.live, session.data.hidesNothing || !session.data.hides(entry.name) {
        name?.pointee = entry.name.c
        json?.pointee = entry.value.c
        position.pointee = i
        return TUILE_OK
      }
    }
    return TUILE_ABSENT
  }
}

/// Sets a value to bytes, which are kept as a string in base64 (RFC 4648, section 4).
///
/// Returns TUILE_OK; TUILE_E_SYNTAX if the name is not UTF-8; TUILE_E_ARGUMENT for NULL or
/// a name of the library's own; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_set_bytes")
public func tuile_session_set_bytes(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: tuile_bytes,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let name = Bytes(name), let value = Bytes(value) else { throw .argument("name or value is NULL") }
    try session.data.refuse(name)
    guard value.count <= session.manager.settings.config.max_data else {
      throw .limit("the value is larger than max_data")
    }
    try session.access()
    session.json.removeAll()
    Base64.standard.encode(value, to: &session.json)
    guard !session.json.failed else { throw .memory }
    try session.data.set(name, .string(session.json.bytes))
    try session.change()
    return TUILE_OK
  }
}

/// Reads bytes that tuile_session_set_bytes set.
///
/// `*value` is valid until tuile_session_end.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not a string in base64;
/// TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_get_bytes")
public func tuile_session_get_bytes(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: UnsafeMutablePointer<tuile_bytes>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let name = Bytes(name), let value else { throw .argument("name or value is NULL") }
    try session.access()
    guard let raw = session.data.shown(name) else { return TUILE_ABSENT }
    guard JSONText.type(of: raw) == TUILE_TYPE_STRING else { throw .type("the value is no string") }
    let text = try session.data.string(raw)
    session.json.removeAll()
    guard try Base64.standard.decode(text, to: &session.json) else { throw .type("the value is no base64") }
    value.pointee = try session.data.keep(session.json.bytes).c
    return TUILE_OK
  }
}
