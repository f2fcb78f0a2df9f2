/// What Django's HttpResponse.set_cookie and delete_cookie write through Python's
/// http.cookies, to the byte, from the same arguments (Django 5.2).
struct DjangoCookie {
  var key = Bytes()
  var value = Bytes()
  var maxAge: Int64?
  /// A datetime; Max-Age is made from it.
  var expires: Int64?
  var expiresText = Bytes()
  var path = Bytes("/")
  var domain = Bytes()
  var sameSite = Bytes()
  var secure = false
  var httpOnly = false

  /// What delete_cookie asks of set_cookie.
  var deletion: DjangoCookie {
    var deletion = self
    deletion.value = Bytes()
    deletion.maxAge = 0
    deletion.expires = nil
    deletion.expiresText = Bytes("Thu, 01 Jan 1970 00:00:00 GMT")
    deletion.secure =
      key.hasPrefix(Bytes("__Secure-")) || key.hasPrefix(Bytes("__Host-")) || sameSite.equals(ignoringCase: "none")
    deletion.httpOnly = false
    return deletion
  }

  /// Finds what set_cookie, SimpleCookie or the header would refuse, and makes
  /// Max-Age from `expires`. `microseconds` is the present time: Django adds a
  /// second to what is left, which rounds a fraction of one up.
  mutating func prepare(now microseconds: Int64) throws(Failure) {
    try checkTexts()
    guard let expires else { return }
    guard maxAge == nil, expiresText.isEmpty else { throw .argument("expires and max_age can't be used together") }
    let (second, part) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    let (left, overflow) = expires.subtractingReportingOverflow(second)
    guard !overflow, left < Int64.max else { throw .range("expires is no date") }
    maxAge = max(0, left &+ (part == 0 ? 1 : 0))
    self.expires = nil
  }

  private func checkTexts() throws(Failure) {
    guard !key.isEmpty else { throw .syntax("the cookie has no name") }
    for i in Indices(key.count) {
      // http.cookies also lets a colon be in a name.
      guard SetCookie.isTokenOctet(key[i]) || key[i] == UInt8(ascii: ":") else {
        throw .syntax("the cookie's name has an octet that http.cookies does not allow", at: i)
      }
    }
    guard !isReserved else { throw .rule("the cookie's name is that of an attribute") }
    try CookieText.checkEncodable(value, .quoted)
    try DjangoCookie.checkAttribute(path)
    try DjangoCookie.checkAttribute(domain)
    try DjangoCookie.checkAttribute(expiresText)
    guard sameSite.isEmpty || SetCookie.readSameSite(sameSite) != .unset else {
      throw .argument("samesite is not lax, strict or none")
    }
  }

  private var isReserved: Bool {
    switch key.count {
    case 4: return key.equals(ignoringCase: "path")
    case 6: return key.equals(ignoringCase: "domain") || key.equals(ignoringCase: "secure")
    case 7:
      return key.equals(ignoringCase: "expires") || key.equals(ignoringCase: "comment")
        || key.equals(ignoringCase: "max-age") || key.equals(ignoringCase: "version")
    case 8: return key.equals(ignoringCase: "httponly") || key.equals(ignoringCase: "samesite")
    case 11: return key.equals(ignoringCase: "partitioned")
    default: return false
    }
  }

  private static func checkAttribute(_ text: Bytes) throws(Failure) {
    for i in Indices(text.count) {
      guard SetCookie.isAttributeOctet(text[i]) else {
        throw .syntax("an attribute has a control character, ';' or an octet over 7E", at: i)
      }
    }
  }

  /// What `write` writes at most: each octet of the value escaped.
  var largestSize: Int {
    key.count &+ value.count &* 4 &+ expiresText.count &+ path.count &+ domain.count &+ sameSite.count &+ 192
  }

  /// After `prepare`.
  func write(now microseconds: Int64, to writer: inout ByteWriter) {
    writer.append(key)
    writer.append(UInt8(ascii: "="))
    CookieText.encode(value, .quoted, to: &writer)
    append("; Domain=", domain, to: &writer)
    if !expiresText.isEmpty {
      append("; expires=", expiresText, to: &writer)
    } else if let maxAge {
      writer.append("; expires=")
      let (second, part) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
      let sum = (part < 0 ? second &- 1 : second).addingReportingOverflow(maxAge)
      Date(seconds: sum.overflow ? (maxAge < 0 ? Int64.min : Int64.max) : sum.partialValue).writeIMF(to: &writer)
    }
    if httpOnly { writer.append("; HttpOnly") }
    if let maxAge {
      writer.append("; Max-Age=")
      Numbers.write(maxAge, base: 10, to: &writer)
    }
    append("; Path=", path, to: &writer)
    append("; SameSite=", sameSite, to: &writer)
    if secure { writer.append("; Secure") }
  }

  private func append(_ name: StaticString, _ text: Bytes, to writer: inout ByteWriter) {
    guard !text.isEmpty else { return }
    writer.append(name)
    writer.append(text)
  }
}
