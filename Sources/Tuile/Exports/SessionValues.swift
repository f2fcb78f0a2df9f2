// Section 4: Sessions, their values
// A session is a dictionary from text to JSON values. Text is UTF-8; a name may be any
// text, the empty one too. Every function here reads the session from the store if that
// was not done yet, and marks it accessed. The library keeps values of its own under some
// names that begin with `_session_`; use none such. They are absent here, and to set them
// is TUILE_E_ARGUMENT, so that data which is carried to another session takes none of them
// along. `_session_expiry`, which is Django's, shows.

import CTuile

/// The JSON type of a value.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is no such name; TUILE_E_ARGUMENT for NULL;
/// TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
/// TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_type")
public func tuile_session_type(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ type: UnsafeMutablePointer<tuile_type>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  reading(session, name, type, error) { (_, raw) in JSONText.type(of: raw) }
}

/// Reads a bool.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not a bool;
/// TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_get_bool")
public func tuile_session_get_bool(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: UnsafeMutablePointer<Bool>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  reading(session, name, value, error) { (_, raw) throws(Failure) in
    guard JSONText.type(of: raw) == TUILE_TYPE_BOOL else { throw .type("the value is no bool") }
    return raw[0] == 0x74
  }
}

/// Reads an integer.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not an integer (one with a
/// fraction or an exponent is not); TUILE_E_RANGE if it does not fit; TUILE_E_ARGUMENT for
/// NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
/// TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_get_int")
public func tuile_session_get_int(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: UnsafeMutablePointer<Int64>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  reading(session, name, value, error) { (_, raw) throws(Failure) in try JSONText.integer(raw) }
}

/// Reads a number as a double; integers are rounded to the nearest.
///
/// Python's NaN and Infinity, which Django may have stored, are read as such.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not a number; TUILE_E_RANGE
/// if it has more than 399 characters; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE,
/// TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
/// after too many changes. Since 0.1.
@_cdecl("tuile_session_get_double")
public func tuile_session_get_double(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: UnsafeMutablePointer<Double>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  reading(session, name, value, error) { (_, raw) throws(Failure) in try JSONText.double(raw) }
}

/// Reads a string as UTF-8 text, its escapes resolved; it may hold NULs.
///
/// `*value` is valid until tuile_session_end.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not a string;
/// TUILE_E_SYNTAX if it has an unpaired surrogate, which UTF-8 can't hold; TUILE_E_ARGUMENT
/// for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
/// TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_get_string")
public func tuile_session_get_string(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: UnsafeMutablePointer<tuile_bytes>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  reading(session, name, value, error) { (session, raw) throws(Failure) in
    guard JSONText.type(of: raw) == TUILE_TYPE_STRING else { throw .type("the value is no string") }
    return try session.data.string(raw).c
  }
}

/// Reads a value of any type as JSON text, to the byte as it is stored.
///
/// `*value` is valid until tuile_session_end.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1.
@_cdecl("tuile_session_get_json")
public func tuile_session_get_json(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: UnsafeMutablePointer<tuile_bytes>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  reading(session, name, value, error) { (_, raw) in raw.c }
}

/// Sets a value to true or false.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX if the name is not UTF-8; TUILE_E_ARGUMENT for NULL or
/// a name of the library's own; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_set_bool")
public func tuile_session_set_bool(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: Bool,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  setting(session, name, .text(value ? "true" : "false"), error)
}

/// Sets a value to an integer. To count, use tuile_session_add_int.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX if the name is not UTF-8; TUILE_E_ARGUMENT for NULL or
/// a name of the library's own; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_set_int")
public func tuile_session_set_int(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: Int64,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  setting(session, name, .integer(value), error)
}

/// Sets a value to a double, written with the fewest digits that read back the same, as
/// Python does.
///
/// Returns TUILE_OK; TUILE_E_RANGE for NaN and infinities, which JSON (RFC 8259) does not
/// allow; TUILE_E_SYNTAX if the name is not UTF-8; TUILE_E_ARGUMENT for NULL or a name of
/// the library's own; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no
/// answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_set_double")
public func tuile_session_set_double(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: Double,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  guard value.isFinite else { return report(.range("JSON has no NaN and no infinity"), error) }
  return setting(session, name, .double(value), error)
}

/// Sets a value to a string of UTF-8 text.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX if name or value are not UTF-8 (`offset` says where);
/// TUILE_E_ARGUMENT for NULL or a name of the library's own; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1.
@_cdecl("tuile_session_set_string")
public func tuile_session_set_string(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: tuile_bytes,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  guard let text = Bytes(value) else { return report(.argument("the value is NULL and has a size"), error) }
  return setting(session, name, .string(text), error)
}

/// Sets a value to what JSON text says: any one value, nested up to 128 deep.
///
/// NaN, Infinity and -Infinity are taken as well, since Python's json writes them and
/// Django's sessions may hold them.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX if it is not JSON or the name is not UTF-8 (`offset`
/// says where); TUILE_E_ARGUMENT for NULL or a name of the library's own; TUILE_E_STORE,
/// TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
/// after too many changes. Since 0.1; RFC 8259.
@_cdecl("tuile_session_set_json")
public func tuile_session_set_json(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ json: tuile_bytes,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  guard let text = Bytes(json) else { return report(.argument("the JSON is NULL and has a size"), error) }
  return setting(session, name, .json(text), error)
}

/// Who is logged in, by what the framework's usual login leaves in its session: Django's
/// `_auth_user_id`, or what the store's layout says, such as Passport's `passport.user`.
///
/// `*type`, which may be NULL, is the value's type, and `*value` its text if it is a
/// string, else its JSON. Unlike other views, it is valid only until the session is next
/// changed.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_SYNTAX for a string that is not UTF-8;
/// TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.2.
@_cdecl("tuile_session_get_login")
public func tuile_session_get_login(
  _ session: UnsafeMutablePointer<tuile_session>?, _ type: UnsafeMutablePointer<tuile_type>?,
  _ value: UnsafeMutablePointer<tuile_bytes>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let value else { throw .argument("value is NULL") }
    try session.access()
    guard let raw = session.login() else { return TUILE_ABSENT }
    let kind = JSONText.type(of: raw)
    type?.pointee = kind
    value.pointee = (kind == TUILE_TYPE_STRING ? try session.data.string(raw) : raw).c
    return TUILE_OK
  }
}

/// Adds to an integer; a missing one counts as 0.
///
/// Of two requests that add 1 at once, both count; not with "cookie:", where the last
/// response wins. `*value`, which may be NULL, gets the sum as this request sees it.
///
/// Returns TUILE_OK; TUILE_E_TYPE if the value is not an integer; TUILE_E_RANGE if the sum
/// does not fit; TUILE_E_SYNTAX if the name is not UTF-8; TUILE_E_ARGUMENT for NULL or a
/// name of the library's own; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store
/// gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
@_cdecl("tuile_session_add_int")
public func tuile_session_add_int(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ delta: Int64,
  _ value: UnsafeMutablePointer<Int64>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let name = Bytes(name) else { throw .argument("the name is NULL and has a size") }
    try session.data.refuse(name)
    try session.access()
    let sum = try session.data.add(name, delta)
    try session.change()
    value?.pointee = sum
    return TUILE_OK
  }
}

/// Removes a value. The session counts as changed only if it was there.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1.
@_cdecl("tuile_session_remove")
public func tuile_session_remove(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let name = Bytes(name) else { throw .argument("the name is NULL and has a size") }
    try session.access()
    guard session.data.shown(name) != nil, session.data.remove(name) else { return TUILE_ABSENT }
    try session.change()
    return TUILE_OK
  }
}

/// The number of values in the session, including those of frameworks, such as
/// `_auth_user_id`.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
/// TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too
/// many changes. Since 0.1.
@_cdecl("tuile_session_count")
public func tuile_session_count(
  _ session: UnsafeMutablePointer<tuile_session>?, _ count: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let count else { throw .argument("count is NULL") }
    try session.access()
    count.pointee = session.data.shownCount
    return TUILE_OK
  }
}

private func reading<Value>(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: UnsafeMutablePointer<Value>?,
  _ error: UnsafeMutablePointer<tuile_error>?, _ read: (Session, Bytes) throws(Failure) -> Value
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let name = Bytes(name), let value else { throw .argument("name or value is NULL") }
    try session.access()
    guard let raw = session.data.shown(name) else { return TUILE_ABSENT }
    value.pointee = try read(session, raw)
    return TUILE_OK
  }
}

private func setting(
  _ session: UnsafeMutablePointer<tuile_session>?, _ name: tuile_bytes, _ value: SessionData.Value,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(session, error) { (session) throws(Failure) in
    guard let name = Bytes(name) else { throw .argument("the name is NULL and has a size") }
    try session.data.refuse(name)
    try session.access()
    try session.data.set(name, value)
    try session.change()
    return TUILE_OK
  }
}
