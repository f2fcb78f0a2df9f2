/// What must hold before a Set-Cookie is written: the grammar of RFC 6265bis
/// draft 22, section 4.1.1, so that no data can add an attribute or a header,
/// then the rules by which browsers drop a cookie (sections 5.6 and 5.7).
extension SetCookie {
  /// Octets of name plus value that browsers take.
  static let largestPair = 4096
  /// Octets of an attribute's value that browsers take.
  static let largestAttribute = 1024

  func check() throws(Failure) {
    try checkSyntax()
    try checkRules()
  }

  private func checkSyntax() throws(Failure) {
    guard !name.isEmpty else { throw .syntax("the cookie has no name") }
    if let at = SetCookie.firstOutside(name, SetCookie.isTokenOctet) {
      throw .syntax("the cookie's name has an octet that is no token character", at: at)
    }
    // Quotes are part of the value and must come as a pair around it.
    let quoted = value.count >= 2 && value[0] == 0x22 && value[value.count &- 1] == 0x22
    let inner = quoted ? value.slice(1, value.count &- 1) : value
    if let at = SetCookie.firstOutside(inner, SetCookie.isCookieOctet) {
      throw .syntax("the cookie's value has an octet that is not allowed; encode it", at: at &+ (quoted ? 1 : 0))
    }
    if let at = SetCookie.firstOutside(path, SetCookie.isAttributeOctet) {
      throw .syntax("the path has a control character, ';' or an octet over 7E", at: at)
    }
    guard path.isEmpty || path[0] == 0x2F else { throw .syntax("the path does not start with '/'") }
    try checkDomain()
  }

  /// A host name of letters, digits, hyphens and dots (RFC 1123), or an IP
  /// address; a dot in front is allowed and ignored by browsers.
  private func checkDomain() throws(Failure) {
    var label = 0
    var i = domain[0] == 0x2E ? 1 : 0
    guard domain.isEmpty || i < domain.count else { throw .syntax("the domain is only a dot") }
    while i < domain.count {
      let c = domain[i]
      if c == 0x2E {
        guard label > 0 else { throw .syntax("the domain has an empty label", at: i) }
        label = 0
      } else {
        guard c | 0x20 &- 0x61 < 26 || c &- 0x30 < 10 || c == 0x2D || c == 0x5F || c == 0x3A || c == 0x5B || c == 0x5D
        else { throw .syntax("the domain has an octet that no host name has", at: i) }
        label &+= 1
      }
      i &+= 1
    }
    guard domain.isEmpty || label > 0 else { throw .syntax("the domain ends with a dot", at: domain.count) }
  }

  private func checkRules() throws(Failure) {
    guard name.count &+ value.count <= SetCookie.largestPair else {
      throw .limit("name and value have more than 4096 octets: browsers drop such a cookie")
    }
    guard path.count <= SetCookie.largestAttribute, domain.count <= SetCookie.largestAttribute else {
      throw .limit("path or domain has more than 1024 octets: browsers ignore such an attribute")
    }
    if sameSite == .none, !secure { throw .rule("SameSite=None needs Secure") }
    if partitioned, !secure { throw .rule("Partitioned needs Secure") }
    if SetCookie.needsSecure(name), !secure { throw .rule("a name with this prefix needs Secure") }
    if SetCookie.needsHost(name) {
      guard domain.isEmpty else { throw .rule("a name with the prefix __Host- allows no Domain") }
      guard path == Bytes("/") else { throw .rule("a name with the prefix __Host- needs Path=/") }
    }
    if SetCookie.needsHTTPOnly(name), !httpOnly { throw .rule("a name with the prefix __Http- needs HttpOnly") }
  }

  /// Prefixes compare without case, as browsers do (the last two from the
  /// layered-cookies draft 02).
  static func needsSecure(_ name: Bytes) -> Bool {
    name.hasPrefix(ignoringCase: "__secure-") || needsHost(name) || needsHTTPOnly(name)
  }

  private static func needsHost(_ name: Bytes) -> Bool {
    name.hasPrefix(ignoringCase: "__host-")
  }

  private static func needsHTTPOnly(_ name: Bytes) -> Bool {
    name.hasPrefix(ignoringCase: "__http-") || name.hasPrefix(ignoringCase: "__host-http-")
  }

  private static func firstOutside(_ text: Bytes, _ allowed: (UInt8) -> Bool) -> Int? {
    var i = 0
    while i < text.count {
      if !allowed(text[i]) { return i }
      i &+= 1
    }
    return nil
  }

  /// token = 1*( ! # $ % & ' * + - . ^ _ ` | ~ / DIGIT / ALPHA ) (RFC 9110, 5.6.2)
  static func isTokenOctet(_ c: UInt8) -> Bool {
    switch c {
    case 0x30...0x39, 0x41...0x5A, 0x5E...0x7A: return true
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x7C, 0x7E: return true
    default: return false
    }
  }

  /// cookie-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E
  static func isCookieOctet(_ c: UInt8) -> Bool {
    switch c {
    case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: return true
    default: return false
    }
  }

  /// av-octet = %x20-3A / %x3C-7E
  static func isAttributeOctet(_ c: UInt8) -> Bool { c >= 0x20 && c <= 0x7E && c != 0x3B }
}
