// Section 11: Django's Set-Cookie
// What Django writes, to the byte, for a server that stands beside it. All
// functions are safe from all threads; none allocates memory.

import CSystem
import CTuile

/// Sets all fields to what TUILE_DJANGO_COOKIE_INIT sets: Path=/, nothing else.
///
/// `size` is sizeof(tuile_django_cookie), as the caller was compiled: an older program has a
/// shorter struct, and no byte behind it is written. Before 0.2 it was not asked for.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
/// Since 0.1.
@_cdecl("tuile_django_cookie_init")
public func tuile_django_cookie_init(
  _ cookie: UnsafeMutablePointer<tuile_django_cookie>?, _ size: size_t
) -> tuile_status {
  initialize(cookie, size)
}

/// Writes what Django's HttpResponse.set_cookie writes from the same arguments,
/// to the byte: the value quoted as Python's SimpleCookie does, Max-Age and
/// Expires from either of them. Only what Django checks is checked, and what
/// could become another attribute or header.
///
/// `buffer`, `capacity` and `size` are as in tuile_set_cookie_write.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for a key that http.cookies
/// refuses, a value that is not UTF-8 or has a character over U+00FF, and a
/// control character, ';' or an octet over 7E in an attribute; TUILE_E_RULE for a
/// key that is an attribute's name; TUILE_E_ARGUMENT for expires and max_age at
/// once, a samesite that is none, NULL, or a struct of a size that no version has;
/// TUILE_E_RANGE for an `expires` or `now` that is no date. Since 0.1.
@_cdecl("tuile_django_cookie_write")
public func tuile_django_cookie_write(
  _ cookie: UnsafePointer<tuile_django_cookie>?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let fields = try DjangoCookie.given(cookie)
    return try DjangoCookie(fields).write(now: present(fields), buffer, capacity, size)
  }
}

/// Writes what Django's HttpResponse.delete_cookie writes: `key`, `path`, `domain`
/// and `samesite` are its arguments, the other fields are not looked at. Secure
/// comes with the prefixes `__Secure-` and `__Host-` and with SameSite=None only,
/// as in Django; tuile_set_cookie_delete also knows the other cases.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for a key that http.cookies refuses, and
/// a control character, ';' or an octet over 7E in an attribute; TUILE_E_RULE for a key
/// that is an attribute's name; TUILE_E_ARGUMENT for a samesite that is none, NULL, or a
/// struct of a size that no version has. Since 0.1.
@_cdecl("tuile_django_cookie_delete")
public func tuile_django_cookie_delete(
  _ cookie: UnsafePointer<tuile_django_cookie>?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let fields = try DjangoCookie.given(cookie)
    return try DjangoCookie(fields).deletion.write(now: present(fields), buffer, capacity, size)
  }
}

/// The time that a struct was given, in Unix microseconds.
private func present(_ fields: tuile_django_cookie) throws(Failure) -> Int64 {
  guard fields.now != unset else { return sys_now_microseconds() }
  let (microseconds, overflow) = fields.now.multipliedReportingOverflow(by: 1_000_000)
  guard !overflow else { throw .range("now is no date") }
  return microseconds
}

extension DjangoCookie {
  /// What a caller of the C interface gave.
  fileprivate static func given(_ cookie: UnsafePointer<tuile_django_cookie>?) throws(Failure) -> tuile_django_cookie {
    guard let cookie else { throw .argument("the cookie is NULL") }
    return try tuile_django_cookie(given: cookie)
  }

  fileprivate init(_ fields: tuile_django_cookie) throws(Failure) {
    guard let key = Bytes(fields.key), let value = Bytes(fields.value), let expiresText = Bytes(fields.expires_text),
      let path = Bytes(fields.path), let domain = Bytes(fields.domain), let sameSite = Bytes(fields.samesite)
    else { throw .argument("a view of the cookie is NULL and has a size") }
    self.init(
      key: key, value: value, maxAge: fields.max_age == unset ? nil : fields.max_age,
      expires: fields.expires == unset ? nil : fields.expires, expiresText: expiresText, path: path, domain: domain,
      sameSite: sameSite, secure: fields.secure, httpOnly: fields.httponly)
  }

  fileprivate func write(
    now: Int64, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?
  ) throws(Failure) -> tuile_status {
    var ready = self
    try ready.prepare(now: now)
    return writing(buffer, capacity, size, most: ready.largestSize) { ready.write(now: now, to: &$0) }
  }
}
