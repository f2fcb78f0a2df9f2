/// What a response's Set-Cookie does to a jar: RFC 6265bis draft 22, section 5.7.
extension Jar {
  /// Each reason for which a browser would ignore the cookie is a failure with
  /// its own message.
  func receive(_ header: Bytes, _ request: Request) throws(Failure) {
    let cookie = try SetCookie(parsing: header)
    let url = request.url
    var domain = cookie.domain
    if !domain.isEmpty { domain = try checkedDomain(domain, url) }
    let path = cookie.path.isEmpty ? url.defaultPath : cookie.path
    guard path.count <= JarURL.largestPath else { throw .limit("the cookie's path has more than 1024 octets") }
    try checkRules(cookie, request, hostOnly: domain.isEmpty)
    let present = now
    if !cookie.secure, !url.isSecure { try checkOverlay(cookie.name, path, url, domain, present) }
    let fields = JarCookie.Fields(
      name: cookie.name, value: cookie.value, path: path,
      partition: cookie.partitioned ? partition(request) : Bytes(), expires: Jar.expiry(cookie, now: present),
      sameSite: cookie.sameSite, priority: cookie.priority, hostOnly: domain.isEmpty, secure: cookie.secure,
      httpOnly: cookie.httpOnly)
    if domain.isEmpty { domain = url.host }
    if request.script, let known = table.find(domain) {
      var next = known.pointee.cookies
      while let old = next {
        next = old.pointee.next
        if old.pointee.httpOnly, old.pointee.expires > present, Jar.sameCookie(old, fields) {
          throw .rule("a script can't replace an HttpOnly cookie")
        }
      }
    }
    try store(fields, domain: domain, isAddress: url.isAddress, now: present)
  }

  /// The domain that the cookie is for; empty if it is for the host alone.
  private func checkedDomain(_ domain: Bytes, _ url: JarURL) throws(Failure) -> Bytes {
    guard HostName.check(domain) == nil else { throw .rule("the Domain is no host name in ASCII, and no address") }
    if HostName.isAddress(domain) {
      guard url.isAddress, HostName.isSameAddress(domain, url.host) else {
        throw .rule("the Domain is not the host's own or above it")
      }
      return Bytes()
    }
    let own = url.host.equals(ignoringCase: domain)
    if suffixes.contains(domain) {
      guard own else { throw .rule("the Domain is a public suffix") }
      return Bytes()
    }
    guard own || !url.isAddress && url.host.isSubdomain(of: domain) else {
      throw .rule("the Domain is not the host's own or above it")
    }
    return domain
  }

  private func checkRules(_ cookie: SetCookie, _ request: Request, hostOnly: Bool) throws(Failure) {
    guard !cookie.secure || request.url.isSecure else {
      throw .rule("a Secure cookie came over an insecure connection")
    }
    guard !cookie.httpOnly || !request.script else { throw .rule("a script can't set an HttpOnly cookie") }
    if cookie.sameSite == .none, !cookie.secure { throw .rule("SameSite=None needs Secure") }
    guard cookie.sameSite == .none || request.context != .cross else {
      throw .rule("another site's request sets a cookie only with SameSite=None")
    }
    guard !cookie.partitioned || cookie.secure else { throw .rule("Partitioned needs Secure") }
    if cookie.name.isEmpty {
      guard !SetCookie.needsSecure(cookie.value) else { throw .rule("a value with a prefix of names needs a name") }
      return
    }
    guard SetCookie.needsSecure(cookie.name) else { return }
    guard cookie.secure else { throw .rule("the name's prefix needs Secure") }
    if SetCookie.needsHost(cookie.name) {
      guard hostOnly, cookie.domain.isEmpty, cookie.path == Bytes("/") else {
        throw .rule("a name with the prefix __Host- needs Path=/ and no Domain")
      }
    }
    if SetCookie.needsHTTPOnly(cookie.name) {
      guard cookie.httpOnly else { throw .rule("a name with the prefix __Http- or __Host-Http- needs HttpOnly") }
    }
  }

  /// An insecure response may not lay a cookie over a Secure one.
  private func checkOverlay(
    _ name: Bytes, _ path: Bytes, _ url: JarURL, _ domain: Bytes, _ now: Int64
  ) throws(Failure) {
    let own = domain.isEmpty ? url.host : domain
    let site = table.find(suffixes.site(of: own, isAddress: url.isAddress))
    var nextDomain = site?.pointee.site
    while let other = nextDomain {
      nextDomain = other.pointee.nextOfSite
      let theirs = other.name
      guard theirs.equals(ignoringCase: own) || theirs.isSubdomain(of: own) || own.isSubdomain(of: theirs) else {
        continue
      }
      var next = other.pointee.cookies
      while let cookie = next {
        next = cookie.pointee.next
        if cookie.pointee.secure, cookie.pointee.expires > now, cookie.name == name,
          JarURL.matches(path: path, cookiePath: cookie.path)
        {
          throw .rule("an insecure connection can't replace a Secure cookie")
        }
      }
    }
  }

  /// Unix seconds, at most 400 days from now; Max-Age counts before Expires.
  static func expiry(_ cookie: SetCookie, now: Int64) -> Int64 {
    if let age = cookie.maxAge { return age <= 0 ? Int64.min : now &+ min(age, SetCookie.longestLife) }
    if let expires = cookie.expires { return min(expires, now &+ SetCookie.longestLife) }
    return Int64.max
  }
}
