// Section 2: Cookies
// Read a request's Cookie header without copying it, and write a response's
// Set-Cookie headers. The rules are those of RFC 6265bis, draft 22: nothing is
// written that a browser would drop, and no data can become an attribute or a
// header. All functions are safe from all threads; none allocates memory.

import CTuile

/// Takes the next pair of a Cookie header.
///
/// Start with `*position` 0 and call until TUILE_ABSENT. Pairs end at `;`, name
/// and value are split at the first `=`, spaces and tabs around both are left
/// out. A piece without `=` is a cookie with an empty name, as browsers mean it.
/// Names are not decoded, quotes stay part of the value, empty pieces are passed
/// over. The views of `*cookie` point into `header`.
///
/// Returns TUILE_OK; TUILE_ABSENT at the end; TUILE_E_ARGUMENT if a pointer is
/// NULL or the header's size has no data.
/// Time is linear in the header's size over a whole walk. Since 0.1; RFC 6265bis,
/// section 4.2.
@_cdecl("tuile_cookie_next")
public func tuile_cookie_next(
  _ header: tuile_bytes, _ position: UnsafeMutablePointer<size_t>?, _ cookie: UnsafeMutablePointer<tuile_cookie>?
) -> tuile_status {
  guard let text = Bytes(header), let position, let cookie else { return TUILE_E_ARGUMENT }
  var next = position.pointee
  guard next >= 0, let pair = CookieHeader(text: text).next(&next) else { return TUILE_ABSENT }
  position.pointee = next
  cookie.pointee = tuile_cookie(name: pair.name.c, value: pair.value.c)
  return TUILE_OK
}

/// Finds a cookie by its name, which compares to the byte.
///
/// A browser may send several cookies of one name, those of longer paths first:
/// `match` says which one to take. `*value` points into `header`.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is none; TUILE_E_ARGUMENT for NULL or
/// an unknown `match`. Since 0.1.
@_cdecl("tuile_cookie_get")
public func tuile_cookie_get(
  _ header: tuile_bytes, _ name: tuile_bytes, _ match: tuile_match, _ value: UnsafeMutablePointer<tuile_bytes>?
) -> tuile_status {
  guard let text = Bytes(header), let name = Bytes(name), let value,
    match == TUILE_MATCH_FIRST || match == TUILE_MATCH_LAST
  else { return TUILE_E_ARGUMENT }
  guard let found = CookieHeader(text: text).value(of: name, last: match == TUILE_MATCH_LAST) else {
    return TUILE_ABSENT
  }
  value.pointee = found.c
  return TUILE_OK
}

/// Sets all fields to what TUILE_SET_COOKIE_INIT sets: no name, Path=/, no other
/// attribute.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL. Since 0.1.
@_cdecl("tuile_set_cookie_init")
public func tuile_set_cookie_init(_ cookie: UnsafeMutablePointer<tuile_set_cookie>?) -> tuile_status {
  guard let cookie else { return TUILE_E_ARGUMENT }
  cookie.pointee = tuile_set_cookie()
  cookie.pointee.size = MemoryLayout<tuile_set_cookie>.size
  cookie.pointee.path = Bytes("/").c
  cookie.pointee.max_age = unset
  cookie.pointee.expires = unset
  return TUILE_OK
}

/// Writes the value of a Set-Cookie header, without the header's name, line end
/// or NUL; attributes stand in the order in which Django writes them.
///
/// `buffer` takes `capacity` bytes; `*size`, which may be NULL, gets the size
/// that is needed, also for TUILE_E_SPACE. The buffer is written only on success.
/// Max-Age and Expires are written as they are given, either, both or none.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for an octet that the name,
/// value, domain or path may not have (`offset` says where); TUILE_E_LIMIT for
/// more than 4096 octets of name and value, or 1024 of an attribute;
/// TUILE_E_RULE for what browsers refuse: SameSite=None or Partitioned without
/// Secure, and the conditions of the prefixes `__Secure-`, `__Host-`, `__Http-`
/// and `__Host-Http-`; TUILE_E_ARGUMENT for NULL or a struct of another size.
/// Since 0.1; RFC 6265bis, sections 4.1 and 5.6.
@_cdecl("tuile_set_cookie_write")
public func tuile_set_cookie_write(
  _ cookie: UnsafePointer<tuile_set_cookie>?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let fields = try SetCookie(cookie)
    try fields.check()
    return writing(buffer, capacity, size, most: fields.largestSize) { fields.write(to: &$0) }
  }
}

/// Writes the value of a Set-Cookie header that makes browsers delete a cookie.
///
/// `cookie` has the name, domain and path that the cookie was set with; its
/// value and ages are not looked at. Secure is added where browsers would ignore
/// the header without it. Otherwise as tuile_set_cookie_write, with the same
/// answers. Since 0.1.
@_cdecl("tuile_set_cookie_delete")
public func tuile_set_cookie_delete(
  _ cookie: UnsafePointer<tuile_set_cookie>?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let deletion = try SetCookie(cookie).deletion
    try deletion.check()
    return writing(buffer, capacity, size, most: deletion.largestSize) { deletion.write(to: &$0) }
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

extension SetCookie {
  /// What a caller of the C interface gave.
  fileprivate init(_ cookie: UnsafePointer<tuile_set_cookie>?) throws(Failure) {
    guard let cookie else { throw .argument("the cookie is NULL") }
    let fields = cookie.pointee
    guard fields.size == MemoryLayout<tuile_set_cookie>.size else { throw .argument("the cookie's size is wrong") }
    guard let name = Bytes(fields.name), let value = Bytes(fields.value), let domain = Bytes(fields.domain),
      let path = Bytes(fields.path)
    else { throw .argument("a view of the cookie is NULL and has a size") }
    guard let sameSite = SameSite(fields.same_site) else { throw .argument("same_site is no tuile_same_site") }
    self.init(
      name: name, value: value, domain: domain, path: path,
      maxAge: fields.max_age == unset ? nil : fields.max_age,
      expires: fields.expires == unset ? nil : fields.expires,
      sameSite: sameSite, secure: fields.secure, httpOnly: fields.http_only, partitioned: fields.partitioned)
  }
}
