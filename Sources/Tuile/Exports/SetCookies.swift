// Section 10: Set-Cookie
// Write a response's Set-Cookie headers, and read another server's. The rules
// are those of RFC 6265bis, draft 22: nothing is written that a browser would
// drop, and no data can become an attribute or a header. All functions are safe
// from all threads; none allocates memory.

import CSystem
import CTuile

/// Sets all fields to what TUILE_SET_COOKIE_INIT sets: no name, Path=/, no other
/// attribute, every rule checked.
///
/// `size` is sizeof(tuile_set_cookie), as the caller was compiled: an older program has a
/// shorter struct, and no byte behind it is written. Before 0.2 it was not asked for.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
/// Since 0.1.
@_cdecl("tuile_set_cookie_init")
public func tuile_set_cookie_init(_ cookie: UnsafeMutablePointer<tuile_set_cookie>?, _ size: size_t) -> tuile_status {
  initialize(cookie, size)
}

/// Writes the value of a Set-Cookie header, without the header's name, line end
/// or NUL; attributes stand in the order in which Django writes them.
///
/// `buffer` takes `capacity` bytes; `*size`, which may be NULL, gets the size
/// that is needed, also for TUILE_E_SPACE. The buffer is written only on success.
/// Max-Age and Expires are written as they are given, either, both or none.
/// Each tuile_rule is checked unless its bit is in skip_rules; control characters
/// and ';' are refused always.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for an octet that the name,
/// value, domain or path may not have (`offset` says where); TUILE_E_LIMIT for
/// more than 4096 octets of name and value, or 1024 of an attribute;
/// TUILE_E_RULE for what browsers refuse or change: a life of more than 400 days,
/// SameSite=None or Partitioned without Secure, and the conditions of the
/// prefixes `__Secure-`, `__Host-`, `__Http-` and `__Host-Http-`; TUILE_E_ARGUMENT
/// for NULL or a struct of a size that no version has. The message names the rule. Since 0.1;
/// RFC 6265bis, sections 4.1 and 5.6.
@_cdecl("tuile_set_cookie_write")
public func tuile_set_cookie_write(
  _ cookie: UnsafePointer<tuile_set_cookie>?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let fields = try SetCookie.given(cookie)
    let cookie = try SetCookie(fields)
    try cookie.check(fields)
    return writing(buffer, capacity, size, most: cookie.largestSize) { cookie.write(to: &$0) }
  }
}

/// Writes the value of a Set-Cookie header that makes browsers delete a cookie.
///
/// `cookie` has the name, domain and path that the cookie was set with; its
/// value and ages are not looked at. Secure is added where browsers would ignore
/// the header without it. `buffer` takes `capacity` bytes; `*size`, which may be NULL, gets
/// the size that is needed, also for TUILE_E_SPACE.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for an octet that the name, domain or
/// path may not have (`offset` says where); TUILE_E_LIMIT for more than 4096 octets of the
/// name, or 1024 of an attribute; TUILE_E_RULE for the conditions of the prefixes
/// __Secure-, __Host-, __Http- and __Host-Http-; TUILE_E_ARGUMENT for NULL or a struct of
/// a size that no version has. Since 0.1.
@_cdecl("tuile_set_cookie_delete")
public func tuile_set_cookie_delete(
  _ cookie: UnsafePointer<tuile_set_cookie>?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let fields = try SetCookie.given(cookie)
    let deletion = try SetCookie(fields).deletion
    try deletion.check(fields)
    return writing(buffer, capacity, size, most: deletion.largestSize) { deletion.write(to: &$0) }
  }
}

/// Reads a Set-Cookie header as browsers do, into `*cookie`, whose views point
/// into the header. The caller sets `cookie->size`, as TUILE_SET_COOKIE_INIT does.
///
/// All its fields are set: what the header does not say is empty, TUILE_UNSET or
/// false; so is a path that does not start with '/'. A dot in front of the domain
/// is left out; its letters stay as they are. Unknown attributes, dates that are
/// none and attributes over 1024 octets are passed over, as browsers do. Whether
/// a browser would then store the cookie depends on the URL: tuile_jar_receive
/// decides that.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX where browsers ignore the header: it has a
/// control character, or neither name nor value; TUILE_E_LIMIT for more than 4096
/// octets of name and value; TUILE_E_ARGUMENT for NULL or a struct of a size that no
/// version has. Since 0.2; RFC 6265bis, section 5.6.
@_cdecl("tuile_set_cookie_read")
public func tuile_set_cookie_read(
  _ header: tuile_bytes, _ cookie: UnsafeMutablePointer<tuile_set_cookie>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let header = Bytes(header), let cookie else { throw .argument("header or cookie is NULL") }
    try SetCookie(parsing: header).store(in: cookie)
    return TUILE_OK
  }
}

/// Writes a time as an HTTP date, such as "Sun, 06 Nov 1994 08:49:37 GMT": 29
/// bytes, no NUL.
///
/// `seconds` are Unix seconds; times outside the years 1 to 9999 become the
/// nearest of them. Neither locale nor time zone matters.
///
/// Returns TUILE_OK; TUILE_E_SPACE, with the size in `*size`, which may be NULL;
/// TUILE_E_ARGUMENT if `buffer` is NULL and has a capacity. Since 0.1; RFC 9110,
/// section 5.6.7.
@_cdecl("tuile_date_write")
public func tuile_date_write(
  _ seconds: Int64, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  writing(buffer, capacity, size, most: 29) { Date(seconds: seconds).writeIMF(to: &$0) }
}

/// Reads a date as the Expires attribute has it: every kind that servers write.
///
/// `*seconds` gets Unix seconds. Years of two digits are 1970 to 2069.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX if day, month, year or time is missing, the
/// year is before 1601, or there is no such date; TUILE_E_ARGUMENT for NULL.
/// Since 0.2; RFC 6265bis, section 5.1.1.
@_cdecl("tuile_date_read")
public func tuile_date_read(_ text: tuile_bytes, _ seconds: UnsafeMutablePointer<Int64>?) -> tuile_status {
  guard let text = Bytes(text), let seconds else { return TUILE_E_ARGUMENT }
  guard let read = Date.readCookieDate(text) else { return TUILE_E_SYNTAX }
  seconds.pointee = read
  return TUILE_OK
}

extension SetCookie {
  /// What a caller of the C interface gave.
  fileprivate static func given(_ cookie: UnsafePointer<tuile_set_cookie>?) throws(Failure) -> tuile_set_cookie {
    guard let cookie else { throw .argument("the cookie is NULL") }
    return try tuile_set_cookie(given: cookie)
  }

  fileprivate init(_ fields: tuile_set_cookie) throws(Failure) {
    guard let name = Bytes(fields.name), let value = Bytes(fields.value), let domain = Bytes(fields.domain),
      let path = Bytes(fields.path)
    else { throw .argument("a view of the cookie is NULL and has a size") }
    guard let sameSite = SameSite(fields.same_site) else { throw .argument("same_site is no tuile_same_site") }
    guard let priority = Priority(fields.priority) else { throw .argument("priority is no tuile_priority") }
    self.init(
      name: name, value: value, domain: domain, path: path,
      maxAge: fields.max_age == unset ? nil : fields.max_age,
      expires: fields.expires == unset ? nil : fields.expires,
      sameSite: sameSite, secure: fields.secure, httpOnly: fields.http_only, partitioned: fields.partitioned,
      priority: priority)
  }

  /// `check` as the caller's struct sets it.
  fileprivate func check(_ fields: tuile_set_cookie) throws(Failure) {
    try check(skipping: Rules(rawValue: fields.skip_rules)) {
      fields.now == unset ? sys_now_seconds() : fields.now
    }
  }

  fileprivate func store(in caller: UnsafeMutablePointer<tuile_set_cookie>) throws(Failure) {
    var fields = tuile_set_cookie.standard()
    (fields.name, fields.value, fields.domain, fields.path) = (name.c, value.c, domain.c, path.c)
    fields.max_age = maxAge ?? unset
    fields.expires = expires ?? unset
    (fields.secure, fields.http_only, fields.partitioned) = (secure, httpOnly, partitioned)
    switch sameSite {
    case .unset: fields.same_site = TUILE_SAME_SITE_UNSET
    case .lax: fields.same_site = TUILE_SAME_SITE_LAX
    case .strict: fields.same_site = TUILE_SAME_SITE_STRICT
    case .none: fields.same_site = TUILE_SAME_SITE_NONE
    }
    switch priority {
    case .unset: fields.priority = TUILE_PRIORITY_UNSET
    case .low: fields.priority = TUILE_PRIORITY_LOW
    case .medium: fields.priority = TUILE_PRIORITY_MEDIUM
    case .high: fields.priority = TUILE_PRIORITY_HIGH
    }
    try fields.store(in: caller)
  }
}

extension SetCookie.Priority {
  init?(given value: UInt32) { self.init(tuile_priority(value)) }

  fileprivate init?(_ value: tuile_priority) {
    switch value {
    case TUILE_PRIORITY_UNSET: self = .unset
    case TUILE_PRIORITY_LOW: self = .low
    case TUILE_PRIORITY_MEDIUM: self = .medium
    case TUILE_PRIORITY_HIGH: self = .high
    default: return nil
    }
  }
}
