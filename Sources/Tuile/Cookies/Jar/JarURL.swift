/// What a jar needs of a URL (RFC 3986): whether its connection is safe, the
/// host and the path. The views point into the URL, and the host keeps its case; an
/// address stands in the room that was lent for it.
struct JarURL {
  /// Octets of a path that a jar keeps; an attribute may have 1024.
  static let largestPath = 1024

  let host: Bytes
  let path: Bytes
  /// https, wss, or this machine itself, which browsers trust as much.
  let isSecure: Bool
  /// An IP address: it has no parent domain.
  let isAddress: Bool

  /// `room` has 41 octets, for an address in the form that is kept, and outlives this.
  init(_ url: Bytes, _ room: UnsafeMutablePointer<UInt8>) throws(Failure) {
    let colon = url.find(UInt8(ascii: ":"))
    guard url[colon &+ 1] == UInt8(ascii: "/"), url[colon &+ 2] == UInt8(ascii: "/") else {
      throw .syntax("the URL has no \"://\"", at: colon)
    }
    let scheme = url.slice(0, colon)
    let isTLS = scheme.equals(ignoringCase: "https") || scheme.equals(ignoringCase: "wss")
    guard isTLS || scheme.equals(ignoringCase: "http") || scheme.equals(ignoringCase: "ws") else {
      throw .syntax("the URL is none of http, https, ws and wss")
    }
    let start = colon &+ 3
    var end = start
    while end < url.count, url[end] != UInt8(ascii: "/"), url[end] != UInt8(ascii: "?"), url[end] != UInt8(ascii: "#") {
      end &+= 1
    }
    let authority = url.slice(start, end)
    // A browser would end the host at a backslash, another client would not.
    guard !authority.contains(UInt8(ascii: "\\")) else {
      throw .syntax("the URL has a backslash before its path", at: start)
    }
    let user = authority.findLast(UInt8(ascii: "@")).map { $0 &+ 1 } ?? 0
    let name = try JarURL.host(authority.dropFirst(user), at: start &+ user)
    isAddress = HostName.isAddress(name)
    if isAddress {
      let size = HostName.writeAddress(name, to: room)
      guard size > 0 else { throw .syntax("the URL's host is a number, but no address", at: start &+ user) }
      host = Bytes(room, size)
    } else {
      host = name
    }
    var last = end
    while last < url.count, url[last] != UInt8(ascii: "?"), url[last] != UInt8(ascii: "#") {
      let c = url[last]
      guard c > 0x20, c != 0x7F else { throw .syntax("the URL's path has a space or control character", at: last) }
      last &+= 1
    }
    path = end == last ? Bytes("/") : url.slice(end, last)
    isSecure = isTLS || JarURL.isLoopback(host, isAddress)
  }

  private static func host(_ text: Bytes, at offset: Int) throws(Failure) -> Bytes {
    var end = 0
    if text[0] == UInt8(ascii: "[") {
      end = text.find(UInt8(ascii: "]")) &+ 1
      guard end <= text.count else { throw .syntax("the URL's address has no ']'", at: offset) }
    } else {
      while end < text.count, text[end] != UInt8(ascii: ":") { end &+= 1 }
    }
    var i = end
    if text[i] == UInt8(ascii: ":") { i &+= 1 }
    while text[i] &- UInt8(ascii: "0") < 10 { i &+= 1 }
    guard i == text.count else { throw .syntax("the URL's port is no number", at: i &+ offset) }
    let host = text.slice(0, end)
    guard !host.isEmpty, host[0] != UInt8(ascii: ".") else { throw .syntax("the URL has no host", at: offset) }
    guard host.count <= HostName.largest else { throw .limit("the URL's host has more than 255 octets") }
    if let at = HostName.firstOutside(host) {
      throw .syntax("the URL's host has an octet that no host has in ASCII", at: at &+ offset)
    }
    return host
  }

  private static func isLoopback(_ host: Bytes, _ isAddress: Bool) -> Bool {
    if isAddress { return host == Bytes("[::1]") || host.hasPrefix(Bytes("127.")) }
    let dot = host.count &- 10
    return host.equals(ignoringCase: "localhost")
      || dot > 0 && host.dropFirst(dot).equals(ignoringCase: ".localhost")
  }

  /// Where a cookie without a Path is sent back to (RFC 6265bis, section 5.1.4).
  var defaultPath: Bytes {
    guard let slash = path.findLast(UInt8(ascii: "/")), slash > 0, path[0] == UInt8(ascii: "/") else {
      return Bytes("/")
    }
    return path.slice(0, slash)
  }

  /// RFC 6265bis, section 5.1.4.
  static func matches(path: Bytes, cookiePath: Bytes) -> Bool {
    guard path.hasPrefix(cookiePath) else { return false }
    return path.count == cookiePath.count || cookiePath[cookiePath.count &- 1] == UInt8(ascii: "/")
      || path[cookiePath.count] == UInt8(ascii: "/")
  }
}

extension Bytes {
  /// ASCII letters compare without case.
  func equals(ignoringCase other: Bytes) -> Bool {
    guard count == other.count else { return false }
    for i in Indices(count) {
      let (a, b) = (start[i], other.start[i])
      if a != b, (a &- UInt8(ascii: "A") < 26 ? a | 0x20 : a) != (b &- UInt8(ascii: "A") < 26 ? b | 0x20 : b) {
        return false
      }
    }
    return true
  }

  /// Whether a host lies in a domain that is not its own: it ends in "." and the
  /// domain (RFC 6265bis, section 5.1.3; addresses are the caller's to tell).
  func isSubdomain(of domain: Bytes) -> Bool {
    let dot = count &- domain.count &- 1
    return dot > 0 && self[dot] == UInt8(ascii: ".") && dropFirst(dot &+ 1).equals(ignoringCase: domain)
  }
}
