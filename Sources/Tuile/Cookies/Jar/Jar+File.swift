import CSystem
import CTuile

/// The Netscape file format, which curl, wget and Python read and write: a line
/// for each cookie with seven fields and tabs between them. What the format has
/// no field for stands in a comment line before the cookie, `#Tuile` with
/// SameSite, Priority and the partition as fields; a Partitioned cookie's own line
/// is a comment too (`#Partitioned_`), since other readers would send it anywhere.
extension Jar {
  /// Cookies in the order of their creation. Those that the format can't hold,
  /// without a name or with a tab in them, are left out.
  func save(sessionCookies: Bool, to buffer: inout ByteBuffer) throws(Failure) {
    let now = now
    let most = table.count
    let size = MemoryLayout<sys_keyed>.stride
    guard let raw = malloc(max(1, most) &* size) else { throw .memory }
    defer { free(raw) }
    let all = raw.assumingMemoryBound(to: sys_keyed.self)
    var count = 0
    table.forEach { domain in
      var next = domain.pointee.cookies
      while let cookie = next, count < most {
        next = cookie.pointee.next
        cookie.pointee.domain = domain
        guard cookie.pointee.expires > now, sessionCookies || cookie.isPersistent else { continue }
        all[count] = sys_keyed(key: cookie.pointee.sequence, item: UnsafeMutableRawPointer(cookie))
        count &+= 1
      }
    }
    sys_sort(all, count)
    buffer.append("# Netscape HTTP Cookie File\n# Written by Tuile; curl reads it too.\n\n")
    for i in Indices(count) {
      Jar.writeLine(all[i].item.unsafelyUnwrapped.assumingMemoryBound(to: JarCookie.self), to: &buffer)
    }
    guard !buffer.failed else { throw .memory }
  }

  private static func writeLine(_ cookie: JarCookie.Pointer, to buffer: inout ByteBuffer) {
    let node = cookie.pointee
    guard !cookie.name.isEmpty, !cookie.name.contains(UInt8(ascii: "\t")), !cookie.value.contains(UInt8(ascii: "\t")),
      !cookie.path.contains(UInt8(ascii: "\t")),
      let domain = node.domain
    else { return }
    if node.sameSite != .unset || node.priority != .unset || node.partitionSize > 0 {
      buffer.append("#Tuile\t")
      switch node.sameSite {
      case .unset: break
      case .lax: buffer.append("Lax")
      case .strict: buffer.append("Strict")
      case .none: buffer.append("None")
      }
      buffer.append(UInt8(ascii: "\t"))
      switch node.priority {
      case .unset: break
      case .low: buffer.append("Low")
      case .medium: buffer.append("Medium")
      case .high: buffer.append("High")
      }
      buffer.append(UInt8(ascii: "\t"))
      buffer.append(cookie.partition)
      buffer.append(UInt8(ascii: "\n"))
    }
    if node.partitionSize > 0 { buffer.append("#Partitioned_") }
    if node.httpOnly { buffer.append("#HttpOnly_") }
    if !node.hostOnly { buffer.append(UInt8(ascii: ".")) }
    buffer.append(domain.name)
    buffer.append(node.hostOnly ? "\tFALSE\t" : "\tTRUE\t")
    buffer.append(cookie.path)
    buffer.append(node.secure ? "\tTRUE\t" : "\tFALSE\t")
    Numbers.writeDecimal(cookie.isPersistent ? node.expires : 0, to: &buffer)
    buffer.append(UInt8(ascii: "\t"))
    buffer.append(cookie.name)
    buffer.append(UInt8(ascii: "\t"))
    buffer.append(cookie.value)
    buffer.append(UInt8(ascii: "\n"))
  }

  /// Adds the cookies of a file to the jar, each as if it came now; lines that are
  /// no cookie, or one that no response could have set, are passed over. Returns how many were.
  func load(_ text: Bytes) throws(Failure) -> Int {
    let present = now
    var extra = Bytes()
    var position = 0
    var skipped = 0
    while position < text.count {
      let end = text.find(UInt8(ascii: "\n"), from: position)
      var line = text.slice(position, end)
      position = end &+ 1
      if line[line.count &- 1] == UInt8(ascii: "\r") { line = line.slice(0, line.count &- 1) }
      while line[0] == UInt8(ascii: " ") || line[0] == UInt8(ascii: "\t") { line = line.dropFirst(1) }
      if line.hasPrefix(Bytes("#Tuile\t")) {
        extra = line.dropFirst(7)
        continue
      }
      if line.hasPrefix(ignoringCase: "set-cookie:") {
        if try !loadHeader(line.dropFirst(11).trimmed, present) { skipped &+= 1 }
      } else if try !loadLine(line, extra, present) {
        skipped &+= 1
      }
      extra = Bytes()
    }
    return skipped
  }

  /// Whether the header could be taken. Without a Domain it is for no host.
  private func loadHeader(_ header: Bytes, _ now: Int64) throws(Failure) -> Bool {
    guard var cookie = try? SetCookie(parsing: header) else { return false }
    if cookie.path.isEmpty { cookie.path = Bytes("/") }
    let address = HostName.isAddress(cookie.domain)
    guard !cookie.partitioned, Jar.couldBeSet(cookie), checkedDomain(cookie.domain, shared: !address) != nil else {
      return false
    }
    let fields = JarCookie.Fields(
      name: cookie.name, value: cookie.value, path: cookie.path, partition: Bytes(),
      expires: Jar.expiry(cookie, now: now), sameSite: cookie.sameSite, priority: cookie.priority, hostOnly: address,
      secure: cookie.secure, httpOnly: cookie.httpOnly)
    try store(fields, of: cookie.domain, isAddress: address, now: now)
    return true
  }

  /// Whether the line is empty, a comment, or a cookie that could be taken.
  private func loadLine(_ text: Bytes, _ extra: Bytes, _ now: Int64) throws(Failure) -> Bool {
    var line = text
    let partitioned = line.hasPrefix(Bytes("#Partitioned_"))
    if partitioned { line = line.dropFirst(13) }
    let httpOnly = line.hasPrefix(Bytes("#HttpOnly_"))
    if httpOnly { line = line.dropFirst(10) }
    guard !line.isEmpty, line[0] != UInt8(ascii: "#") else { return true }
    var domain = Jar.field(&line)
    let shared = Jar.field(&line).equals(ignoringCase: "true")
    var path = Jar.field(&line)
    var secure = path
    // Some leave the path out, or empty.
    if path.equals(ignoringCase: "true") || path.equals(ignoringCase: "false") {
      path = Bytes("/")
    } else {
      secure = Jar.field(&line)
      if path.isEmpty { path = Bytes("/") }
    }
    guard let expires = Jar.readEnd(Jar.field(&line)) else { return false }
    let name = Jar.field(&line)
    let value = line
    if domain[0] == UInt8(ascii: ".") { domain = domain.dropFirst(1) }
    var rest = extra
    let sameSite = SetCookie.readSameSite(Jar.field(&rest))
    let priority = SetCookie.readPriority(Jar.field(&rest))
    var cookie = SetCookie()
    (cookie.name, cookie.value, cookie.path) = (name, value, path)
    (cookie.httpOnly, cookie.sameSite, cookie.partitioned) = (httpOnly, sameSite, partitioned)
    cookie.secure = secure.equals(ignoringCase: "true")
    if shared { cookie.domain = domain }
    guard Jar.couldBeSet(cookie), partitioned == !rest.isEmpty, let address = checkedDomain(domain, shared: shared)
    else {
      return false
    }
    guard expires == 0 || expires > now else { return true }
    let fields = JarCookie.Fields(
      name: name, value: value, path: path, partition: rest,
      expires: expires == 0 ? Int64.max : min(expires, now &+ SetCookie.longestLife), sameSite: sameSite,
      priority: priority, hostOnly: !shared, secure: cookie.secure, httpOnly: httpOnly)
    try store(fields, of: domain, isAddress: address, now: now)
    return true
  }

  /// Under the one form in which an address is kept.
  private func store(_ fields: JarCookie.Fields, of domain: Bytes, isAddress: Bool, now: Int64) throws(Failure) {
    guard isAddress else { return try store(fields, domain: domain, isAddress: false, now: now) }
    try withScratch(HostName.largestAddress) { (room) throws(Failure) in
      let size = HostName.writeAddress(domain, to: room)
      try store(fields, domain: Bytes(room, size), isAddress: true, now: now)
    }
  }

  /// Unix seconds, with a fraction that does not count; 0, and nothing as Python writes it, is a session's end.
  private static func readEnd(_ text: Bytes) -> Int64? {
    guard !text.isEmpty else { return 0 }
    let dot = text.find(UInt8(ascii: "."))
    var i = dot &+ 1
    while i < text.count {
      guard text[i] &- UInt8(ascii: "0") < 10 else { return nil }
      i &+= 1
    }
    return Numbers.read(text.slice(0, dot), base: 10)
  }

  /// Up to the next tab, which is passed over.
  private static func field(_ line: inout Bytes) -> Bytes {
    let tab = line.find(UInt8(ascii: "\t"))
    let field = line.slice(0, tab)
    line = line.dropFirst(tab &+ 1)
    return field
  }

  /// Whether a response could have set it: what browsers refuse stays out.
  private static func couldBeSet(_ cookie: SetCookie) -> Bool {
    guard !cookie.name.isEmpty, cookie.name.trimmed.count == cookie.name.count,
      cookie.value.trimmed.count == cookie.value.count, cookie.path[0] == UInt8(ascii: "/"),
      cookie.path.count <= JarURL.largestPath
    else { return false }
    do throws(Failure) {
      try cookie.check(skipping: [.name, .value, .domain, .path, .lifetime])
      return true
    } catch {
      return false
    }
  }

  /// Whether the domain is an address; nil if no cookie can be for it.
  private func checkedDomain(_ domain: Bytes, shared: Bool) -> Bool? {
    guard HostName.check(domain) == nil else { return nil }
    let address = HostName.isAddress(domain)
    return shared && (address || suffixes.contains(domain)) ? nil : address
  }
}
