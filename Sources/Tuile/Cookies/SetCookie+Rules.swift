import CSystem

/// What must hold before a Set-Cookie is written: the grammar of RFC 6265bis
/// draft 22, section 4.1.1, then the rules by which browsers drop or change a
/// cookie (sections 5.6 and 5.7). Each but the first can be skipped.
extension SetCookie {
  /// Octets of name plus value that browsers take.
  static let largestPair = 4096
  /// Octets of an attribute's value that browsers take.
  static let largestAttribute = 1024
  /// 400 days in seconds: browsers let no cookie live longer.
  static let longestLife: Int64 = 34_560_000

  /// The bits are those of tuile_rule.
  struct Rules: OptionSet {
    let rawValue: UInt32
    static let name = Rules(rawValue: 1 &<< 0)
    static let value = Rules(rawValue: 1 &<< 1)
    static let domain = Rules(rawValue: 1 &<< 2)
    static let path = Rules(rawValue: 1 &<< 3)
    static let size = Rules(rawValue: 1 &<< 4)
    static let attributeSize = Rules(rawValue: 1 &<< 5)
    static let lifetime = Rules(rawValue: 1 &<< 6)
    static let sameSite = Rules(rawValue: 1 &<< 7)
    static let partitioned = Rules(rawValue: 1 &<< 8)
    static let prefix = Rules(rawValue: 1 &<< 9)
    static let all = Rules(rawValue: 1 &<< 10 &- 1)
  }

  /// `now`, in Unix seconds, is asked for only if Expires has to be checked.
  func check(skipping skipped: Rules = [], now: () -> Int64 = { sys_now_seconds() }) throws(Failure) {
    guard !name.isEmpty || !value.isEmpty else { throw .syntax("the cookie has neither name nor value") }
    // What is skipped still has to be safe: no data becomes an attribute, another
    // cookie or a header.
    if skipped.contains(.name) { try SetCookie.checkSafeName(name) } else { try SetCookie.checkName(name) }
    if skipped.contains(.value) {
      if let at = SetCookie.firstOutside(value, SYS_OCTET_SAFE) {
        throw .syntax("the cookie's value has a control character or ';'; encode it", at: at)
      }
    } else {
      try SetCookie.checkValue(value)
    }
    if let at = SetCookie.firstOutside(path, skipped.contains(.path) ? SYS_OCTET_SAFE : SYS_OCTET_ATTRIBUTE) {
      throw .syntax("the path has a control character, ';' or an octet over 7E", at: at)
    }
    guard path.isEmpty || path[0] == UInt8(ascii: "/") || skipped.contains(.path) else {
      throw .syntax("the path does not start with '/'")
    }
    if skipped.contains(.domain) {
      if let at = SetCookie.firstOutside(domain, SYS_OCTET_SAFE) {
        throw .syntax("the domain has a control character or ';'", at: at)
      }
    } else if !domain.isEmpty {
      try checkDomain()
    }
    guard skipped.contains(.size) || name.count &+ value.count <= SetCookie.largestPair else {
      throw .limit("name and value have more than 4096 octets: browsers drop such a cookie")
    }
    if !skipped.contains(.attributeSize) {
      guard path.count <= SetCookie.largestAttribute else {
        throw .limit("the path has more than 1024 octets: browsers ignore it")
      }
      guard domain.count <= SetCookie.largestAttribute else {
        throw .limit("the domain has more than 1024 octets: browsers ignore it")
      }
    }
    if !skipped.contains(.lifetime) { try checkLifetime(now) }
    if sameSite == .none, !secure, !skipped.contains(.sameSite) { throw .rule("SameSite=None needs Secure") }
    if partitioned, !secure, !skipped.contains(.partitioned) { throw .rule("Partitioned needs Secure") }
    if !skipped.contains(.prefix) { try checkPrefix() }
  }

  private static func checkSafeName(_ name: Bytes) throws(Failure) {
    let equals = name.find(UInt8(ascii: "="))
    let at = min(equals, firstOutside(name, SYS_OCTET_SAFE) ?? name.count)
    guard at == name.count else { throw .syntax("the cookie's name has a control character, ';' or '='", at: at) }
  }

  static func checkName(_ name: Bytes) throws(Failure) {
    guard !name.isEmpty else { throw .syntax("the cookie has no name") }
    if let at = firstOutside(name, SYS_OCTET_TOKEN) {
      throw .syntax("the cookie's name has an octet that is no token character", at: at)
    }
  }

  /// Quotes are part of the value and must come as a pair around it.
  static func checkValue(_ value: Bytes) throws(Failure) {
    let quoted = value.count >= 2 && value[0] == UInt8(ascii: "\"") && value[value.count &- 1] == UInt8(ascii: "\"")
    let end = quoted ? value.count &- 1 : value.count
    let at = sys_skip_cookie_octets(value.start, quoted ? 1 : 0, end)
    guard at == end else { throw .syntax("the cookie's value has an octet that is not allowed; encode it", at: at) }
  }

  /// A dot in front is allowed and ignored by browsers.
  private func checkDomain() throws(Failure) {
    let dot = domain[0] == UInt8(ascii: ".") ? 1 : 0
    guard dot < domain.count else { throw .syntax("the domain is only a dot") }
    if let wrong = HostName.check(domain.dropFirst(dot)) {
      switch wrong.why {
      case .octet:
        throw .syntax("the domain has an octet that no host name has; a port is no part of it", at: wrong.at &+ dot)
      case .label: throw .syntax("the domain has an empty label", at: wrong.at &+ dot)
      case .dot: throw .syntax("the domain ends with a dot", at: wrong.at &+ dot)
      case .size: throw .limit("the domain has more than 255 octets: no host has")
      case .address: throw .syntax("the domain is a number, but no address", at: dot)
      }
    }
  }

  private func checkLifetime(_ now: () -> Int64) throws(Failure) {
    if let maxAge, maxAge > SetCookie.longestLife {
      throw .rule("Max-Age is more than 400 days: browsers shorten it")
    }
    if let expires, expires > SetCookie.longestLife {
      let (left, overflow) = expires.subtractingReportingOverflow(now())
      guard !overflow, left <= SetCookie.longestLife else {
        throw .rule("Expires is more than 400 days ahead: browsers shorten it")
      }
    }
  }

  private func checkPrefix() throws(Failure) {
    // A server would read a nameless cookie "__Host-a=b" as one of that name.
    if name.isEmpty {
      guard !SetCookie.needsSecure(value) else { throw .rule("a value with a prefix of names needs a name") }
      return
    }
    if !secure {
      if name.hasPrefix(ignoringCase: "__secure-") { throw .rule("a name with the prefix __Secure- needs Secure") }
      if SetCookie.needsHost(name) { throw .rule("a name with the prefix __Host- needs Secure") }
      if SetCookie.needsHTTPOnly(name) { throw .rule("a name with the prefix __Http- needs Secure") }
    }
    if SetCookie.needsHost(name) {
      guard domain.isEmpty else { throw .rule("a name with the prefix __Host- allows no Domain") }
      guard path == Bytes("/") else { throw .rule("a name with the prefix __Host- needs Path=/") }
    }
    guard httpOnly || !SetCookie.needsHTTPOnly(name) else {
      throw .rule("a name with the prefix __Http- or __Host-Http- needs HttpOnly")
    }
  }

  /// Prefixes compare without case, as browsers do (the last two from the
  /// layered-cookies draft 02).
  static func needsSecure(_ name: Bytes) -> Bool {
    guard name[0] == UInt8(ascii: "_"), name[1] == UInt8(ascii: "_") else { return false }
    return name.hasPrefix(ignoringCase: "__secure-") || needsHost(name) || needsHTTPOnly(name)
  }

  static func needsHost(_ name: Bytes) -> Bool {
    name.hasPrefix(ignoringCase: "__host-")
  }

  static func needsHTTPOnly(_ name: Bytes) -> Bool {
    name.hasPrefix(ignoringCase: "__http-") || name.hasPrefix(ignoringCase: "__host-http-")
  }

  private static func firstOutside(_ text: Bytes, _ octets: some BinaryInteger) -> Int? {
    let at = sys_skip_class(text.start, 0, text.count, UInt8(truncatingIfNeeded: octets))
    return at < text.count ? at : nil
  }

  /// token = 1*( ! # $ % & ' * + - . ^ _ ` | ~ / DIGIT / ALPHA ) (RFC 9110, 5.6.2)
  static func isTokenOctet(_ c: UInt8) -> Bool { sys_octet_class(c) & 2 != 0 }

  /// cookie-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E
  static func isCookieOctet(_ c: UInt8) -> Bool { sys_octet_class(c) & 4 != 0 }

  /// av-octet = %x20-3A / %x3C-7E
  static func isAttributeOctet(_ c: UInt8) -> Bool { sys_octet_class(c) & 8 != 0 }
}
