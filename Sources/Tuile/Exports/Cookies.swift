// Section 9: Cookies
// Read a request's Cookie headers without copying them (RFC 6265bis, draft 22).
// tuile_cookie_next and tuile_cookie_get read one header as browsers mean it,
// with no limit; the functions of tuile_cookies read all headers of a request as
// one, in a mode and within limits. Time is linear in the size of the headers.
// All functions are safe from all threads; none allocates memory.

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

/// Finds a cookie as a framework does that shares it, and writes its value: of several
/// of one name the one that counts there, and what quotes around it mean there.
///
/// `rule` TUILE_COOKIE_RULE_DEFAULT is Django's. Rack and Express also decode
/// `%XX`: TUILE_ENCODING_PERCENT does. `*size`, which may be NULL, gets the size that
/// is needed, also for TUILE_E_SPACE.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is none that the rule takes;
/// TUILE_E_SPACE; TUILE_E_ARGUMENT for NULL or an unknown rule. Since 0.1.1; whether
/// there are several is tuile_cookie_differs since 0.2.
@_cdecl("tuile_cookie_read")
public func tuile_cookie_read(
  _ header: tuile_bytes, _ name: tuile_bytes, _ rule: tuile_cookie_rule, _ buffer: UnsafeMutablePointer<CChar>?,
  _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  guard let text = Bytes(header), let name = Bytes(name), let rule = CookieRule(rule, standard: .django) else {
    return TUILE_E_ARGUMENT
  }
  guard let found = rule.find(name, in: CookieHeader(text: text)) else { return TUILE_ABSENT }
  return writing(buffer, capacity, size, most: Int.max) { rule.write(found.value, to: &$0) }
}

/// Whether a header has several cookies of a name with different values, as a rule reads
/// them: worth a refusal where another program may take another of them.
///
/// Returns TUILE_OK, and `*differs` is set; TUILE_ABSENT if there is none that the rule
/// takes; TUILE_E_ARGUMENT for NULL or an unknown rule. Since 0.2.
@_cdecl("tuile_cookie_differs")
public func tuile_cookie_differs(
  _ header: tuile_bytes, _ name: tuile_bytes, _ rule: tuile_cookie_rule, _ differs: UnsafeMutablePointer<Bool>?
) -> tuile_status {
  guard let text = Bytes(header), let name = Bytes(name), let rule = CookieRule(rule, standard: .django), let differs
  else { return TUILE_E_ARGUMENT }
  guard let found = rule.find(name, in: CookieHeader(text: text)) else { return TUILE_ABSENT }
  differs.pointee = found.isOneOfSeveral
  return TUILE_OK
}

/// Sets all fields to what TUILE_COOKIES_INIT sets: no header, mode browser, and
/// the limits that its fields name.
///
/// `size` is sizeof(tuile_cookies), as the caller was compiled: an older program has a
/// shorter struct, and no byte behind it is written. Before 0.2 it was not asked for.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
/// Since 0.1.
@_cdecl("tuile_cookies_init")
public func tuile_cookies_init(_ cookies: UnsafeMutablePointer<tuile_cookies>?, _ size: size_t) -> tuile_status {
  initialize(cookies, size)
}

/// Counts the cookies of a request, and so checks its headers.
///
/// Returns TUILE_OK; TUILE_E_LIMIT for more bytes or cookies, or a longer name or
/// value, than `cookies` allows; TUILE_E_SYNTAX in mode strict, with `offset`
/// counted through the headers as they follow each other; TUILE_E_ARGUMENT for
/// NULL, an unknown mode or a struct of a size that no version has. Since 0.1.
@_cdecl("tuile_cookies_count")
public func tuile_cookies_count(
  _ cookies: UnsafePointer<tuile_cookies>?, _ count: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let count else { throw .argument("count is NULL") }
    count.pointee = try RequestCookies(cookies).read { _ in }
    return TUILE_OK
  }
}

/// Takes all cookies of a request, in order, into the caller's array.
///
/// `array` has room for `capacity` cookies, whose views point into the headers;
/// values are as they were sent, quotes included. `*count` gets how many there
/// are, also for TUILE_E_SPACE. After any answer but TUILE_OK the array's
/// contents are undefined.
///
/// Returns TUILE_OK; TUILE_E_SPACE if there are more than `capacity`; TUILE_E_LIMIT for more bytes or cookies, or a longer name or
/// value, than `cookies` allows; TUILE_E_SYNTAX in mode strict, with `offset`
/// counted through the headers as they follow each other; TUILE_E_ARGUMENT for
/// NULL, an unknown mode or a struct of a size that no version has. Since 0.1.
@_cdecl("tuile_cookies_all")
public func tuile_cookies_all(
  _ cookies: UnsafePointer<tuile_cookies>?, _ array: UnsafeMutablePointer<tuile_cookie>?, _ capacity: size_t,
  _ count: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let count, capacity >= 0, array != nil || capacity == 0 else { throw .argument("array or count is NULL") }
    var next = 0
    let found = try RequestCookies(cookies).read { pair in
      if next < capacity { array.unsafelyUnwrapped[next] = tuile_cookie(name: pair.name.c, value: pair.value.c) }
      next &+= 1
    }
    count.pointee = found
    return found <= capacity ? TUILE_OK : TUILE_E_SPACE
  }
}

/// Finds a cookie of a request by its name, which compares to the byte.
///
/// All headers are read and checked, so that the answer does not depend on where
/// the cookie stands. `*value` points into a header.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is none; TUILE_E_LIMIT for more bytes or cookies, or a longer name or
/// value, than `cookies` allows; TUILE_E_SYNTAX in mode strict, with `offset`
/// counted through the headers as they follow each other; TUILE_E_ARGUMENT for
/// NULL, an unknown mode or a struct of a size that no version has.
/// Since 0.1.
@_cdecl("tuile_cookies_get")
public func tuile_cookies_get(
  _ cookies: UnsafePointer<tuile_cookies>?, _ name: tuile_bytes, _ match: tuile_match,
  _ value: UnsafeMutablePointer<tuile_bytes>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let name = Bytes(name), let value, match == TUILE_MATCH_FIRST || match == TUILE_MATCH_LAST else {
      throw .argument("name or value is NULL, or match is no tuile_match")
    }
    guard let found = try RequestCookies(cookies).value(of: name, last: match == TUILE_MATCH_LAST) else {
      return TUILE_ABSENT
    }
    value.pointee = found.c
    return TUILE_OK
  }
}

/// Writes the value that the application is meant to see.
///
/// In mode django this is what request.COOKIES holds: the last cookie of the
/// name, its quotes and escapes undone, as UTF-8. In the other modes it is the
/// first one, as it was sent. `*size`, which may be NULL, gets the size that is
/// needed, also for TUILE_E_SPACE.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is no such cookie; TUILE_E_SPACE; TUILE_E_LIMIT for more bytes or cookies, or a longer name or
/// value, than `cookies` allows; TUILE_E_SYNTAX in mode strict, with `offset`
/// counted through the headers as they follow each other; TUILE_E_ARGUMENT for
/// NULL, an unknown mode or a struct of a size that no version has. Since 0.1.
@_cdecl("tuile_cookies_read")
public func tuile_cookies_read(
  _ cookies: UnsafePointer<tuile_cookies>?, _ name: tuile_bytes, _ buffer: UnsafeMutablePointer<CChar>?,
  _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let name = Bytes(name) else { throw .argument("the name is NULL and has a size") }
    let request = try RequestCookies(cookies)
    let django = request.mode == .django
    guard let found = try request.value(of: name, last: django) else { return TUILE_ABSENT }
    return writing(buffer, capacity, size, most: Int.max) {
      CookieText.decode(found, django ? .quoted : .raw, to: &$0)
    }
  }
}

/// Writes text in a way that a cookie's value can hold.
///
/// What the quoted encodings write has octets that browsers take but the grammar
/// does not: tuile_set_cookie_write wants TUILE_RULE_VALUE skipped for it, which
/// stays safe. tuile_django_cookie_write quotes by itself.
/// `*size`, which may be NULL, gets the size that is needed, also for
/// TUILE_E_SPACE. The buffer is written only on success.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if the encoding can't hold the
/// text: an octet that no cookie has (raw), a character over U+00FF or text that
/// is not UTF-8 (quoted); `offset` says where; TUILE_E_ARGUMENT. Since 0.1.
@_cdecl("tuile_cookie_encode")
public func tuile_cookie_encode(
  _ text: tuile_bytes, _ encoding: tuile_encoding, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let (text, encoding) = try checked(text, encoding)
    try CookieText.checkEncodable(text, encoding)
    return writing(buffer, capacity, size, most: Int.max) { CookieText.encode(text, encoding, to: &$0) }
  }
}

/// Writes the text that a cookie's value holds: the opposite of
/// tuile_cookie_encode.
///
/// Python's and Werkzeug's quotes are undone where both stand around the value;
/// any other value is copied. Escapes of the quoted encoding become UTF-8, those
/// of the others bytes that need not be UTF-8. `*size`, which may be NULL, gets
/// the size that is needed, also for TUILE_E_SPACE.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for a '%' without two hex
/// digits, and for what is no base64url in its one canonical form;
/// TUILE_E_ARGUMENT. Since 0.1.
@_cdecl("tuile_cookie_decode")
public func tuile_cookie_decode(
  _ value: tuile_bytes, _ encoding: tuile_encoding, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let (value, encoding) = try checked(value, encoding)
    try CookieText.checkDecodable(value, encoding)
    return writing(buffer, capacity, size, most: Int.max) { CookieText.decode(value, encoding, to: &$0) }
  }
}

private func checked(
  _ bytes: tuile_bytes, _ encoding: tuile_encoding
) throws(Failure) -> (Bytes, CookieText.Encoding) {
  guard let bytes = Bytes(bytes) else { throw .argument("the text is NULL and has a size") }
  switch encoding {
  case TUILE_ENCODING_RAW: return (bytes, .raw)
  case TUILE_ENCODING_PERCENT: return (bytes, .percent)
  case TUILE_ENCODING_QUOTED: return (bytes, .quoted)
  case TUILE_ENCODING_QUOTED_UTF8: return (bytes, .quotedUTF8)
  case TUILE_ENCODING_BASE64URL: return (bytes, .base64URL)
  default: throw .argument("encoding is no tuile_encoding")
  }
}

extension RequestCookies {
  /// What a caller of the C interface gave.
  fileprivate init(_ cookies: UnsafePointer<tuile_cookies>?) throws(Failure) {
    guard let cookies else { throw .argument("cookies is NULL") }
    let fields = try tuile_cookies(given: cookies)
    guard fields.header_count >= 0, fields.headers != nil || fields.header_count == 0 else {
      throw .argument("headers is NULL, or header_count is too large")
    }
    self.init(headers: UnsafeBufferPointer(start: fields.headers, count: fields.header_count))
    mode = try Mode(given: fields.mode)
    (maxHeader, maxCookies) = (fields.max_header, fields.max_cookies)
    (maxName, maxValue) = (fields.max_name, fields.max_value)
  }
}

extension RequestCookies.Mode {
  init(given mode: tuile_cookie_mode) throws(Failure) {
    switch mode {
    case TUILE_COOKIE_MODE_BROWSER: self = .browser
    case TUILE_COOKIE_MODE_DJANGO: self = .django
    case TUILE_COOKIE_MODE_STRICT: self = .strict
    default: throw .argument("mode is no tuile_cookie_mode")
    }
  }
}
