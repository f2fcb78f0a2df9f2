// Section 15: State without cookies
// A parameter in URLs, a signed value in a form, and Django's protection against
// forged requests. All functions are safe from all threads.

import CSystem
import CTuile

/// Writes a URL with a parameter set, and the rest of it to the byte: `;name=value`
/// at the end of the path, or `name=value` in the query. A parameter that is there
/// gets the value; an empty value takes it out.
///
/// Name and value are letters, digits and - . _ ~ : %, which have no meaning of
/// their own there. `buffer` takes `capacity` bytes; `*size`, which may be NULL,
/// gets the size that is needed, also for TUILE_E_SPACE.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for another octet in name or
/// value, or an empty name; TUILE_E_ARGUMENT for NULL, an unknown place or a struct of
/// a size that no version has. Since 0.1, with a struct since 0.2; RFC 3986, sections
/// 3.3 and 3.4.
@_cdecl("tuile_url_write")
public func tuile_url_write(
  _ url: tuile_bytes, _ parameter: UnsafePointer<tuile_url_parameter>?, _ buffer: UnsafeMutablePointer<CChar>?,
  _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let parameter else { throw .argument("the parameter is NULL") }
    let given = try tuile_url_parameter(given: parameter)
    guard let value = Bytes(given.value) else { throw .argument("the value is NULL and has a size") }
    let (place, name) = try checked(url, given.place, given.name)
    try URLParameter.check(value)
    return writing(buffer, capacity, size, most: Int.max) {
      place.write(name, value.isEmpty ? nil : value, to: &$0)
    }
  }
}

/// Finds a parameter of a URL. `*value` points into `url` and is not decoded.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_E_SYNTAX for an octet that a name can't have,
/// or an empty name; TUILE_E_ARGUMENT for NULL or an unknown place. Since 0.1.
@_cdecl("tuile_url_read")
public func tuile_url_read(
  _ url: tuile_bytes, _ place: tuile_url_place, _ name: tuile_bytes, _ value: UnsafeMutablePointer<tuile_bytes>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let value else { throw .argument("value is NULL") }
    let (parameter, name) = try checked(url, place, name)
    guard let found = parameter.value(of: name) else { return TUILE_ABSENT }
    value.pointee = found.c
    return TUILE_OK
  }
}

private func checked(
  _ url: tuile_bytes, _ place: tuile_url_place, _ name: tuile_bytes
) throws(Failure) -> (URLParameter, Bytes) {
  guard let url = Bytes(url), let name = Bytes(name) else { throw .argument("url or name is NULL and has a size") }
  guard !name.isEmpty else { throw .syntax("the name is empty") }
  try URLParameter.check(name)
  switch place {
  case TUILE_URL_PATH: return (URLParameter(url: url, place: .path), name)
  case TUILE_URL_QUERY: return (URLParameter(url: url, place: .query), name)
  default: throw .argument("place is no tuile_url_place")
  }
}

/// Writes `<input type="hidden" name="…" value="…">`, escaped, with a token that
/// holds the field's `value` (UTF-8) and is bound to the form and the session.
///
/// The signer's dialect must have a form for JSON; use a salt of its own for
/// forms. `buffer` takes `capacity` bytes; `*size`, which may be NULL, gets the size that
/// is needed, also for TUILE_E_SPACE.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if value or form is not UTF-8;
/// TUILE_E_ARGUMENT for NULL, a field without a name, a struct of a size that no version
/// has, or a dialect without a form for JSON; TUILE_E_MEMORY; TUILE_E_RANDOM. Since 0.1;
/// the value and the time are in the struct since 0.2.
@_cdecl("tuile_hidden_field_write")
public func tuile_hidden_field_write(
  _ signer: UnsafePointer<tuile_signer>?, _ field: UnsafePointer<tuile_hidden_field>?,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let call = try FieldCall(signer, field)
    guard let value = Bytes(call.given.value) else { throw .argument("the value is NULL and has a size") }
    var html = ByteBuffer()
    try call.field.write(value, call.dialect, now: seconds(call.given.now), to: &html)
    return deliver(html.bytes, buffer, capacity, size)
  }
}

/// Finds the field in its urlencoded `body`, checks it and writes its value.
///
/// Of several fields of the name the first counts. `buffer` takes `capacity` bytes;
/// `*size`, which may be NULL, gets the size that is needed, also for TUILE_E_SPACE.
///
/// Returns TUILE_OK; TUILE_ABSENT if the body has no such field;
/// TUILE_BAD_SIGNATURE, also for the field of another form or session;
/// TUILE_EXPIRED; TUILE_E_SPACE; TUILE_E_SYNTAX or TUILE_E_TYPE if what was signed
/// is no hidden field; TUILE_E_LIMIT for more than 64 MiB; TUILE_E_ARGUMENT for NULL, a
/// field without a name or a struct of a size that no version has; TUILE_E_MEMORY. Since
/// 0.1; the body, the greatest age and the time are in the struct since 0.2.
@_cdecl("tuile_hidden_field_read")
public func tuile_hidden_field_read(
  _ signer: UnsafePointer<tuile_signer>?, _ field: UnsafePointer<tuile_hidden_field>?,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let call = try FieldCall(signer, field)
    guard let body = Bytes(call.given.body) else { throw .argument("the body is NULL and has a size") }
    var value = ByteBuffer()
    let maxAge = call.given.max_age == unset ? nil : call.given.max_age
    switch try call.field.read(body, call.dialect, maxAge: maxAge, now: seconds(call.given.now), to: &value) {
    case nil: return TUILE_ABSENT
    case .badSignature: return TUILE_BAD_SIGNATURE
    case .expired: return TUILE_EXPIRED
    case .valid: return deliver(value.bytes, buffer, capacity, size)
    }
  }
}

/// What a caller gave.
private struct FieldCall {
  let dialect: Dialect
  let given: tuile_hidden_field
  let field: HiddenField

  init(_ signer: UnsafePointer<tuile_signer>?, _ field: UnsafePointer<tuile_hidden_field>?) throws(Failure) {
    guard let signer, let field else { throw .argument("signer or field is NULL") }
    given = try tuile_hidden_field(given: field)
    guard let name = Bytes(given.name), let form = Bytes(given.form), let id = Bytes(given.session_id), !name.isEmpty
    else { throw .argument("the field has no name, or a view of it is NULL and has a size") }
    dialect = Handle.borrow(signer)
    self.field = HiddenField(name: name, form: form, sessionID: id)
  }
}

/// Writes a new secret for the cookie csrftoken: 32 letters and digits, no NUL.
///
/// Returns TUILE_OK; TUILE_E_SPACE, with the size in `*size`, which may be NULL;
/// TUILE_E_RANDOM; TUILE_E_ARGUMENT. Since 0.1, with an
/// error since 0.2.
@_cdecl("tuile_csrf_secret")
public func tuile_csrf_secret(
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    try withScratch(CSRF.secretSize) { (secret) throws(Failure) in
      try CSRF.random(to: secret)
      return deliver(Bytes(secret, CSRF.secretSize), buffer, capacity, size)
    }
  }
}

/// Writes a token for a form, as Django's csrf_token: 64 letters and digits, other
/// ones each time, from the secret in the cookie.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if the secret is not 32 letters
/// and digits; TUILE_E_RANDOM; TUILE_E_ARGUMENT. Since 0.1.
@_cdecl("tuile_csrf_token")
public func tuile_csrf_token(
  _ secret: tuile_bytes, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let secret = Bytes(secret) else { throw .argument("the secret is NULL and has a size") }
    guard secret.count == CSRF.secretSize, CSRF.isWellFormed(secret) else {
      throw .syntax("the secret is not 32 letters and digits")
    }
    return try withScratch(CSRF.tokenSize) { (token) throws(Failure) in
      try CSRF.mask(secret, to: token)
      return deliver(Bytes(token, CSRF.tokenSize), buffer, capacity, size)
    }
  }
}

/// Asks what Django's CsrfViewMiddleware asks: is the Origin this site or a
/// trusted one, or over https the Referer, and does the token fit the cookie?
///
/// `*reason`, which may be NULL, says why a request is refused. Tokens compare in
/// constant time.
///
/// Returns TUILE_OK; TUILE_REFUSED; TUILE_E_ARGUMENT for NULL or a struct of
/// another size. Since 0.1.
@_cdecl("tuile_csrf_verify")
public func tuile_csrf_verify(
  _ request: UnsafePointer<tuile_csrf_request>?, _ reason: UnsafeMutablePointer<tuile_csrf_reason>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let found = try CSRFRequest(request).check()
    reason?.pointee = csrfReason(found)
    return found == nil ? TUILE_OK : TUILE_REFUSED
  }
}

/// An English sentence on a reason. It ends with a NUL and lives as long as the
/// library. Since 0.1.
@_cdecl("tuile_csrf_reason_message")
public func tuile_csrf_reason_message(_ reason: tuile_csrf_reason) -> UnsafePointer<CChar> {
  let text: StaticString
  switch reason {
  case TUILE_CSRF_NONE: text = "nothing is wrong"
  case TUILE_CSRF_BAD_ORIGIN: text = "the Origin is neither this site nor a trusted one"
  case TUILE_CSRF_NO_REFERER: text = "there is no Referer"
  case TUILE_CSRF_MALFORMED_REFERER: text = "the Referer is malformed"
  case TUILE_CSRF_INSECURE_REFERER: text = "the Referer is insecure while the host is secure"
  case TUILE_CSRF_BAD_REFERER: text = "the Referer is neither this site nor a trusted one"
  case TUILE_CSRF_NO_COOKIE: text = "the CSRF cookie is not set"
  case TUILE_CSRF_BAD_COOKIE: text = "the CSRF cookie has the wrong length or other characters"
  case TUILE_CSRF_NO_TOKEN: text = "the CSRF token is missing"
  case TUILE_CSRF_BAD_TOKEN: text = "the CSRF token has the wrong length or other characters"
  case TUILE_CSRF_WRONG_TOKEN: text = "the CSRF token is not the cookie's"
  default: text = "no reason of this library"
  }
  return text.cString
}

private func csrfReason(_ reason: CSRFRequest.Reason?) -> tuile_csrf_reason {
  switch reason {
  case nil: return TUILE_CSRF_NONE
  case .badOrigin: return TUILE_CSRF_BAD_ORIGIN
  case .noReferer: return TUILE_CSRF_NO_REFERER
  case .malformedReferer: return TUILE_CSRF_MALFORMED_REFERER
  case .insecureReferer: return TUILE_CSRF_INSECURE_REFERER
  case .badReferer: return TUILE_CSRF_BAD_REFERER
  case .noCookie: return TUILE_CSRF_NO_COOKIE
  case .badCookie: return TUILE_CSRF_BAD_COOKIE
  case .noToken: return TUILE_CSRF_NO_TOKEN
  case .badToken: return TUILE_CSRF_BAD_TOKEN
  case .wrongToken: return TUILE_CSRF_WRONG_TOKEN
  }
}

extension CSRFRequest {
  /// What a caller of the C interface gave.
  fileprivate init(_ request: UnsafePointer<tuile_csrf_request>?) throws(Failure) {
    guard let request else { throw .argument("the request is NULL") }
    let fields = try tuile_csrf_request(given: request)
    func view(_ bytes: tuile_bytes) throws(Failure) -> Bytes? {
      guard let view = Bytes(bytes) else { throw .argument("a view of the request is NULL and has a size") }
      return bytes.data == nil ? nil : view
    }
    guard fields.trusted_count >= 0, fields.trusted_origins != nil || fields.trusted_count == 0 else {
      throw .argument("trusted_origins is NULL, or trusted_count is too large")
    }
    self.init(
      method: try view(fields.method) ?? Bytes(), secure: fields.secure, host: try view(fields.host) ?? Bytes(),
      origin: try view(fields.origin), referer: try view(fields.referer), cookie: try view(fields.cookie),
      token: try view(fields.token),
      trusted: (fields.trusted_count, { index in fields.trusted_origins.flatMap { Bytes($0[index]) } ?? Bytes() }),
      cookieDomain: try view(fields.cookie_domain) ?? Bytes())
  }
}
