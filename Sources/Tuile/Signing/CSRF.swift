import CSystem

/// Django's protection against forged requests: the secret in the cookie, the
/// masked token in forms, and what CsrfViewMiddleware asks of a request (5.2).
enum CSRF {
  static let secretSize = 32
  static let tokenSize = 64
  private static let alphabet: StaticString = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

  private static func index(_ c: UInt8) -> UInt8? {
    switch c {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): return c &- UInt8(ascii: "a")
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): return c &- UInt8(ascii: "A") &+ 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return c &- UInt8(ascii: "0") &+ 52
    default: return nil
    }
  }

  static func random(to out: UnsafeMutablePointer<UInt8>) throws(Failure) {
    try Random.characters(of: alphabet, out, count: secretSize)
  }

  /// A mask, and the secret with it added: other bytes each time, so that a
  /// compressed page tells nothing.
  static func mask(_ secret: Bytes, to token: UnsafeMutablePointer<UInt8>) throws(Failure) {
    try random(to: token)
    for i in Indices(secretSize) {
      let sum = (index(secret[i]) ?? 0) &+ (index(token[i]) ?? 0)
      token[secretSize &+ i] = alphabet.start[Int(sum % 62)]
    }
  }

  private static func unmask(_ token: Bytes, to secret: UnsafeMutablePointer<UInt8>) {
    for i in Indices(secretSize) {
      let difference = 62 &+ (index(token[secretSize &+ i]) ?? 0) &- (index(token[i]) ?? 0)
      secret[i] = alphabet.start[Int(difference % 62)]
    }
  }

  /// A secret, or a token with its mask.
  static func isWellFormed(_ text: Bytes) -> Bool {
    guard text.count == secretSize || text.count == tokenSize else { return false }
    for i in Indices(text.count) {
      if index(text[i]) == nil { return false }
    }
    return true
  }

  /// Both well-formed, each masked or not.
  static func matches(_ token: Bytes, cookie: Bytes) throws(Failure) -> Bool {
    try withScratch(2 &* secretSize) { (secrets) throws(Failure) in
      plain(token, to: secrets)
      plain(cookie, to: secrets + secretSize)
      return ConstantTime.equal(Bytes(secrets, secretSize), Bytes(secrets + secretSize, secretSize))
    }
  }

  private static func plain(_ text: Bytes, to secret: UnsafeMutablePointer<UInt8>) {
    if text.count == tokenSize { unmask(text, to: secret) } else { secret.copy(text) }
  }
}

/// What CsrfViewMiddleware looks at; a header that was not sent is nil.
struct CSRFRequest {
  enum Reason {
    case badOrigin, noReferer, malformedReferer, insecureReferer, badReferer
    case noCookie, badCookie, noToken, badToken, wrongToken
  }

  var method: Bytes
  var secure: Bool
  var host: Bytes
  var origin: Bytes?
  var referer: Bytes?
  var cookie: Bytes?
  var token: Bytes?
  /// The number of trusted origins, and each of them.
  var trusted: (count: Int, origin: (Int) -> Bytes)
  var cookieDomain: Bytes

  /// nil: the request is what its own pages could have sent.
  func check() throws(Failure) -> Reason? {
    for safe in 0..<4 where method == CSRFRequest.safeMethod(safe) { return nil }
    if let origin {
      guard isGood(origin: origin) else { return .badOrigin }
    } else if secure, let reason = checkReferer() {
      return reason
    }
    guard let cookie, !cookie.isEmpty else { return .noCookie }
    guard CSRF.isWellFormed(cookie) else { return .badCookie }
    guard let token, !token.isEmpty else { return .noToken }
    guard CSRF.isWellFormed(token) else { return .badToken }
    return try CSRF.matches(token, cookie: cookie) ? nil : .wrongToken
  }

  private static func safeMethod(_ index: Int) -> Bytes {
    index == 0 ? Bytes("GET") : index == 1 ? Bytes("HEAD") : index == 2 ? Bytes("OPTIONS") : Bytes("TRACE")
  }

  private func isGood(origin: Bytes) -> Bool {
    let scheme = secure ? Bytes("https://") : Bytes("http://")
    if origin.hasPrefix(scheme), origin.dropFirst(scheme.count) == host { return true }
    guard let given = Parts(origin) else { return false }
    for i in Indices(trusted.count) {
      let one = trusted.origin(i)
      if one == origin { return true }
      if let known = Parts(one), known.host[0] == UInt8(ascii: "*"), known.scheme.equals(ignoringCase: given.scheme),
        CSRFRequest.isSameDomain(given.host, known.host.dropFirst(1))
      {
        return true
      }
    }
    return false
  }

  private func checkReferer() -> Reason? {
    guard let referer else { return .noReferer }
    guard let given = Parts(referer), !given.host.isEmpty else { return .malformedReferer }
    guard given.scheme.equals(ignoringCase: "https") else { return .insecureReferer }
    for i in Indices(trusted.count) {
      if let known = Parts(trusted.origin(i)) {
        let domain = known.host[0] == UInt8(ascii: "*") ? known.host.dropFirst(1) : known.host
        if CSRFRequest.isSameDomain(given.host, domain) { return nil }
      }
    }
    guard cookieDomain.isEmpty else {
      // Django adds the server's port unless it is the usual one.
      let colon = host.find(UInt8(ascii: ":"))
      let port = host.dropFirst(colon)
      let usual = port.isEmpty || port == Bytes(":443") || port == Bytes(":80")
      let name = usual ? given.host : given.host.slice(0, given.host.count &- port.count)
      guard usual || given.host.count > port.count && given.host.dropFirst(given.host.count &- port.count) == port
      else {
        return .badReferer
      }
      return CSRFRequest.isSameDomain(name, cookieDomain) ? nil : .badReferer
    }
    return CSRFRequest.isSameDomain(given.host, host) ? nil : .badReferer
  }

  /// A pattern with a dot in front is that domain and all below it. As in Django, a
  /// host with capitals, which no browser sends, is no host.
  private static func isSameDomain(_ host: Bytes, _ pattern: Bytes) -> Bool {
    for i in Indices(host.count) {
      if host[i] &- UInt8(ascii: "A") < 26 { return false }
    }
    guard !pattern.isEmpty else { return false }
    if host.equals(ignoringCase: pattern) { return true }
    guard pattern[0] == UInt8(ascii: ".") else { return false }
    let domain = pattern.dropFirst(1)
    return host.equals(ignoringCase: domain) || host.isSubdomain(of: domain)
  }

  /// Scheme and host (with its port) of an absolute URL.
  private struct Parts {
    let scheme: Bytes
    let host: Bytes

    init?(_ url: Bytes) {
      let colon = url.find(UInt8(ascii: ":"))
      guard colon > 0, url[colon &+ 1] == UInt8(ascii: "/"), url[colon &+ 2] == UInt8(ascii: "/") else { return nil }
      scheme = url.slice(0, colon)
      var end = colon &+ 3
      while end < url.count, url[end] != UInt8(ascii: "/"), url[end] != UInt8(ascii: "?"), url[end] != UInt8(ascii: "#")
      { end &+= 1 }
      host = url.slice(colon &+ 3, end)
    }
  }
}
