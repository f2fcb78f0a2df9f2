/// The Cookie header of a request: RFC 6265bis draft 22, section 5.8.
extension Jar {
  /// The most labels that a host of 255 octets has.
  private static let mostLabels = 128

  /// Writes the header's value and returns how many cookies it has.
  func write(_ request: Request, to writer: inout ByteWriter) -> Int {
    let now = now
    return withUnsafeTemporaryAllocation(of: JarCookie.Pointer?.self, capacity: Jar.mostLabels) { heads in
      guard let heads = heads.baseAddress else { return 0 }
      let lists = findLists(request, now, heads)
      var count = 0
      // Each list is in order: the next cookie is the first of one of them.
      while let i = Jar.first(heads, lists.count), let cookie = heads[i] {
        if count > 0 { writer.append("; ") }
        if !cookie.name.isEmpty {
          writer.append(cookie.name)
          writer.append(UInt8(ascii: "="))
        }
        writer.append(cookie.value)
        cookie.pointee.lastUse = nextUse()
        count &+= 1
        heads[i] = nextMatch(cookie.pointee.next, own: lists.ownIsFirst && i == 0, request, now)
      }
      return count
    }
  }

  /// The first matching cookie of the host's domain, and of each above it.
  private func findLists(
    _ request: Request, _ now: Int64, _ heads: UnsafeMutablePointer<JarCookie.Pointer?>
  ) -> (count: Int, ownIsFirst: Bool) {
    var count = 0
    var ownIsFirst = false
    var domain = request.url.host
    repeat {
      if let found = table.find(domain) {
        let own = domain.count == request.url.host.count
        heads[count] = nextMatch(found.pointee.cookies, own: own, request, now)
        count &+= 1
        if own { ownIsFirst = true }
      }
      domain = domain.dropFirst(domain.find(UInt8(ascii: ".")) &+ 1)
    } while !request.url.isAddress && !domain.isEmpty && count < Jar.mostLabels
    return (count, ownIsFirst)
  }

  private static func first(_ heads: UnsafeMutablePointer<JarCookie.Pointer?>, _ count: Int) -> Int? {
    var best: Int?
    for i in Indices(count) {
      if let cookie = heads[i] {
        if let known = best, let other = heads[known] {
          if cookie.precedes(other) { best = i }
        } else {
          best = i
        }
      }
    }
    return best
  }

  /// `own`: the list is that of the host itself, not of a domain above it.
  private func nextMatch(
    _ from: JarCookie.Pointer?, own: Bool, _ request: Request, _ now: Int64
  ) -> JarCookie.Pointer? {
    var next = from
    while let cookie = next {
      if own || !cookie.pointee.hostOnly, matches(cookie, request, now) { return cookie }
      next = cookie.pointee.next
    }
    return nil
  }

  private func matches(_ cookie: JarCookie.Pointer, _ request: Request, _ now: Int64) -> Bool {
    let node = cookie.pointee
    guard node.expires > now, !node.secure || request.url.isSecure, !node.httpOnly || !request.script else {
      return false
    }
    guard JarURL.matches(path: request.url.path, cookiePath: cookie.path) else { return false }
    switch (request.context, node.sameSite) {
    case (.same, _), (.cross, .none), (.navigation, .none), (.navigation, .lax), (.navigation, .unset): break
    case (.cross, _), (.navigation, .strict): return false
    }
    return node.partitionSize == 0 || cookie.partition.equals(ignoringCase: partition(request))
  }
}
