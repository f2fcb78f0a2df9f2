// Section 20: Flat calls
// The same as functions of other sections, for bindings of any language, where each struct, each view and each
// output costs more than the work itself: a call takes numbers and addresses alone, six at most, and gives one text in
// the caller's buffer. Nothing is lent, so that a buffer can be used again as soon as it was read.
//
// All answer with one number. From 0 on it is the size of what the call gives; if that is greater than `capacity`, the
// buffer was too small, what is in it counts for nothing, and that much room is needed. A negative number is an error:
// the tuile_status. An ordinary answer such as TUILE_EXPIRED is TUILE_FLAT_ANSWER minus its status, so that every
// number below 0 gives nothing. After an error the buffer holds, as far as it has room: the error's offset in
// digits, a NUL, its message, a NUL. A buffer of 256 bytes has room for every message.
//
// A text of several parts has a NUL behind each; no part has one in it. Sizes are in bytes, text is UTF-8 and the inputs
// are borrowed for the call, as everywhere. All functions of this section are safe from all threads.

import CSystem
import CTuile

/// Gives all cookies of a Cookie header, in order: name, NUL, value, NUL, and so on. Of one
/// name a browser may send several.
///
/// `mode` and what it means are those of tuile_cookies, with its usual limits. In mode
/// django the values are what request.COOKIES holds: the quotes and escapes of Python are
/// undone. The text is at most twice as long as the header, and two bytes. No memory is
/// allocated.
///
/// Answers with the size; TUILE_E_SYNTAX if a name or value has a NUL in it, which this text
/// can't hold and tuile_cookies_all gives, and in mode strict for what its grammar has not;
/// TUILE_E_LIMIT for more than 64 KiB, 3000 cookies or 4096 bytes of a name or value;
/// TUILE_E_ARGUMENT for NULL with a size, or an unknown mode. Since 0.2.
@_cdecl("tuile_flat_cookies")
public func tuile_flat_cookies(
  _ header: UnsafePointer<CChar>?, _ size: size_t, _ mode: tuile_cookie_mode, _ buffer: UnsafeMutablePointer<CChar>?,
  _ capacity: size_t
) -> Int64 {
  flat(buffer, capacity) { (needed) throws(Failure) in
    let view = tuile_bytes(data: UnsafeRawPointer(header), size: size)
    guard let text = Bytes(view) else { throw .argument("the header is NULL and has a size") }
    let asMode = try RequestCookies.Mode(given: mode)
    if asMode == .browser, let start = bytes(buffer) {
      // As nearly all are: short, with room for whatever they can become. The rest, and what is wrong, takes its time.
      let size = sys_write_pairs(text.start, text.count, start, capacity)
      if size >= 0 {
        needed.pointee = size
        return TUILE_OK
      }
    }
    let nul = text.find(0)
    guard nul == text.count else { throw .syntax("a cookie has a NUL in it", at: nul) }
    var writer = ByteWriter(bytes(buffer), capacity: capacity)
    let found = try withUnsafePointer(to: view) { (one) throws(Failure) in
      var request = RequestCookies(headers: UnsafeBufferPointer(start: one, count: 1))
      request.mode = asMode
      return try request.read { pair in
        writer.append(pair.name)
        writer.append(0)
        if asMode == .django { CookieText.decode(pair.value, .quoted, to: &writer) } else { writer.append(pair.value) }
        writer.append(0)
      }
    }
    // Only an escape can have made one.
    if asMode == .django, text.contains(UInt8(ascii: "\\")) {
      let written = writer.written
      var (nuls, at) = (0, written.find(0))
      while at < written.count { (nuls, at) = (nuls &+ 1, written.find(0, from: at &+ 1)) }
      guard nuls <= 2 &* found else { throw .syntax("a cookie has a NUL in it") }
    }
    needed.pointee = writer.count
    return TUILE_OK
  }
}

/// Writes the value of a Set-Cookie header, as tuile_set_cookie_write does.
///
/// `fields` are four parts: name, value, domain, path, each with a NUL behind it; an empty
/// domain or path is none. `max_age` is in seconds, or TUILE_UNSET. `flags` are bits:
/// TUILE_FLAT_SECURE, TUILE_FLAT_HTTP_ONLY, TUILE_FLAT_PARTITIONED, a tuile_same_site times
/// TUILE_FLAT_SAME_SITE and a tuile_priority times TUILE_FLAT_PRIORITY. Every rule is
/// checked. No memory is allocated.
///
/// Answers with the size, or the errors of tuile_set_cookie_write; TUILE_E_ARGUMENT also for
/// other than four parts, and unknown bits. Since 0.2.
@_cdecl("tuile_flat_set_cookie")
public func tuile_flat_set_cookie(
  _ fields: UnsafePointer<CChar>?, _ size: size_t, _ max_age: Int64, _ flags: UInt32,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t
) -> Int64 {
  flat(buffer, capacity) { (needed) throws(Failure) in
    let text = try given(fields, size)
    let name = text.slice(0, text.find(0))
    let value = text.slice(name.count &+ 1, text.find(0, from: name.count &+ 1))
    let second = name.count &+ value.count &+ 2
    let domain = text.slice(second, text.find(0, from: second))
    let third = second &+ domain.count &+ 1
    let path = text.slice(third, text.find(0, from: third))
    // Where one is missing, this is further on.
    guard third &+ path.count &+ 1 == text.count else { throw .argument("fields are not four parts") }
    guard flags < 1 << 12, flags & 0x8 == 0,
      let sameSite = SetCookie.SameSite(tuile_same_site(flags >> 4 & 0xF)),
      let priority = SetCookie.Priority(given: flags >> 8)
    else { throw .argument("flags has unknown bits") }
    let cookie = SetCookie(
      name: name, value: value, domain: domain, path: path, maxAge: max_age == unset ? nil : max_age, expires: nil,
      sameSite: sameSite, secure: flags & 1 != 0, httpOnly: flags & 2 != 0, partitioned: flags & 4 != 0,
      priority: priority)
    try cookie.check()
    return writing(buffer, capacity, needed, most: cookie.largestSize) { cookie.write(to: &$0) }
  }
}

/// Makes the token of a text, at the present time: as tuile_token_sign does.
///
/// Answers with the token's size, or the errors of tuile_token_sign. Where the buffer is too
/// small the answer is enough for any token of the text. Since 0.2.
@_cdecl("tuile_flat_sign")
public func tuile_flat_sign(
  _ signer: UnsafePointer<tuile_signer>?, _ value: UnsafePointer<CChar>?, _ size: size_t,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t
) -> Int64 {
  flat(buffer, capacity) { (needed) throws(Failure) in
    let (dialect, value) = (try given(signer), try given(value, size))
    guard value.count <= Dialect.largest &- 64 else { throw .limit("the value has more than 64 MiB") }
    let now = seconds(unset)
    if let django = dialect.django {
      return writing(buffer, capacity, needed, most: DjangoSigner.roomFor(value.count)) {
        django.sign(value, now: now, to: &$0)
      }
    }
    var token = ByteBuffer()
    try dialect.sign(value, now: now, to: &token)
    return try deliverToken(token, of: dialect, buffer, capacity, needed)
  }
}

/// Checks a token and gives the text in it, in every dialect: as tuile_token_unsign does.
///
/// `max_age` is in seconds, or TUILE_UNSET. When the token was made and with which secret
/// tuile_token_unsign says.
///
/// Answers with the size of the text, TUILE_FLAT_ANSWER minus TUILE_BAD_SIGNATURE or
/// TUILE_EXPIRED, or the errors of tuile_token_unsign. Since 0.2.
@_cdecl("tuile_flat_unsign")
public func tuile_flat_unsign(
  _ signer: UnsafePointer<tuile_signer>?, _ token: UnsafePointer<CChar>?, _ size: size_t, _ max_age: Int64,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t
) -> Int64 {
  flat(buffer, capacity) { (needed) throws(Failure) in
    let (dialect, token, age) = (try given(signer), try given(token, size), max_age == unset ? nil : max_age)
    if let django = dialect.django {
      switch django.verify(token, maxAge: age, now: seconds(unset)) {
      case .badSignature: return TUILE_BAD_SIGNATURE
      case .expired: return TUILE_EXPIRED
      case .valid(let found): return deliver(found.value, buffer, capacity, needed)
      }
    }
    return try opened(token, of: dialect, json: false, age, buffer, capacity, needed)
  }
}

/// Makes the token of JSON, at the present time: as tuile_token_dumps does. `compress` is 0
/// or 1.
///
/// Answers with the token's size, or the errors of tuile_token_dumps. Where the buffer is too
/// small the answer is enough for any token of the JSON. Since 0.2.
@_cdecl("tuile_flat_dumps")
public func tuile_flat_dumps(
  _ signer: UnsafePointer<tuile_signer>?, _ json: UnsafePointer<CChar>?, _ size: size_t, _ compress: Int32,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t
) -> Int64 {
  flat(buffer, capacity) { (needed) throws(Failure) in
    let (dialect, json) = (try given(signer), try given(json, size))
    guard json.count <= Dialect.largest else { throw .limit("the payload has more than 64 MiB") }
    guard compress == 0 || compress == 1 else { throw .argument("compress is not 0 or 1") }
    var token = ByteBuffer()
    try dialect.dumps(json, compress: compress == 1, now: seconds(unset), to: &token)
    return try deliverToken(token, of: dialect, buffer, capacity, needed)
  }
}

/// Checks a token of tuile_flat_dumps or of the framework itself, and gives its JSON: as
/// tuile_token_loads does. `max_age` is in seconds, or TUILE_UNSET.
///
/// Answers with the size of the JSON, TUILE_FLAT_ANSWER minus TUILE_BAD_SIGNATURE or
/// TUILE_EXPIRED, or the errors of tuile_token_loads. Since 0.2.
@_cdecl("tuile_flat_loads")
public func tuile_flat_loads(
  _ signer: UnsafePointer<tuile_signer>?, _ token: UnsafePointer<CChar>?, _ size: size_t, _ max_age: Int64,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t
) -> Int64 {
  flat(buffer, capacity) { (needed) throws(Failure) in
    let (dialect, token, age) = (try given(signer), try given(token, size), max_age == unset ? nil : max_age)
    return try opened(token, of: dialect, json: true, age, buffer, capacity, needed)
  }
}

/// Runs what a flat call does, which says its size in `needed`, and makes one number of how it ends.
func flat(
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ body: (UnsafeMutablePointer<size_t>) throws(Failure) -> tuile_status
) -> Int64 {
  guard capacity >= 0, buffer != nil || capacity == 0 else { return Int64(TUILE_E_ARGUMENT.rawValue) }
  var needed = 0
  do {
    let status = try body(&needed)
    if status == TUILE_OK || status == TUILE_E_SPACE { return Int64(needed) }
    return status.rawValue < 0 ? Int64(status.rawValue) : Int64(TUILE_FLAT_ANSWER) &- Int64(status.rawValue)
  } catch {
    describe(error, buffer, capacity)
    let status = Int64(error.status.rawValue)
    return status < 0 ? status : Int64(TUILE_FLAT_ANSWER) &- status
  }
}

/// A failure as the two parts that a buffer has of it.
private func describe(_ failure: Failure, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int) {
  guard let start = bytes(buffer), capacity > 0 else { return }
  var details = tuile_error()
  if failure.status.rawValue < 0 {
    _ = report(failure, &details)
  } else {
    sys_error_set(&details, failure.status.rawValue, 0, Bytes(failure.message).lent, Bytes().lent)
  }
  var writer = ByteWriter()
  Numbers.write(Int64(details.offset), base: 10, to: &writer)
  let digits = writer.count
  guard digits &+ 1 < capacity else {
    start[0] = 0
    return
  }
  writer = ByteWriter(start, capacity: capacity)
  Numbers.write(Int64(details.offset), base: 10, to: &writer)
  writer.append(0)
  withUnsafePointer(to: &details.message) { text in
    let message = Bytes(cString: UnsafeRawPointer(text).assumingMemoryBound(to: CChar.self))
    writer.append(message.slice(0, capacity &- digits &- 2))
  }
  writer.append(0)
}

func bytes(_ buffer: UnsafeMutablePointer<CChar>?) -> UnsafeMutablePointer<UInt8>? {
  buffer.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt8.self) }
}

/// A text of the caller's.
func given(_ text: UnsafePointer<CChar>?, _ size: size_t) throws(Failure) -> Bytes {
  guard let view = Bytes(tuile_bytes(data: UnsafeRawPointer(text), size: size)) else {
    throw .argument("a text is NULL and has a size")
  }
  return view
}

private func given(_ signer: UnsafePointer<tuile_signer>?) throws(Failure) -> Dialect {
  guard let signer else { throw .argument("the signer is NULL") }
  return Handle.borrow(signer)
}

private func opened(
  _ token: Bytes, of dialect: Dialect, json: Bool, _ maxAge: Int64?, _ buffer: UnsafeMutablePointer<CChar>?,
  _ capacity: size_t, _ needed: UnsafeMutablePointer<size_t>
) throws(Failure) -> tuile_status {
  var out = ByteBuffer()
  defer { out.wipe() }
  switch try dialect.openAsSent(
    token, json: json, maxAge: maxAge, now: seconds(unset), limit: Dialect.largest, to: &out)
  {
  case .badSignature: return TUILE_BAD_SIGNATURE
  case .expired: return TUILE_EXPIRED
  case .valid:
    if json { try JSONText.check(out.bytes) }
    return deliver(out.bytes, buffer, capacity, needed)
  }
}
