/// The fields of a Set-Cookie header (RFC 6265bis, section 4.1), written in the
/// order that Django's SimpleCookie writes them.
struct SetCookie {
  enum SameSite { case unset, lax, strict, none }
  enum Priority { case unset, low, medium, high }

  var name = Bytes()
  var value = Bytes()
  var domain = Bytes()
  var path = Bytes()
  var maxAge: Int64?
  /// Unix seconds.
  var expires: Int64?
  var sameSite = SameSite.unset
  var secure = false
  var httpOnly = false
  var partitioned = false
  var priority = Priority.unset

  /// The most that `write` writes: the texts, and all attributes at their longest.
  var largestSize: Int { name.count &+ value.count &+ domain.count &+ path.count &+ 192 }

  /// Check with `check()` first: nothing is escaped here.
  func write(to writer: inout ByteWriter) {
    writer.append(name)
    writer.append(UInt8(ascii: "="))
    writer.append(value)
    if !domain.isEmpty {
      writer.append("; Domain=")
      writer.append(domain)
    }
    if let expires {
      writer.append("; expires=")
      Date(seconds: expires).writeIMF(to: &writer)
    }
    if httpOnly { writer.append("; HttpOnly") }
    if let maxAge {
      writer.append("; Max-Age=")
      Numbers.write(maxAge, base: 10, to: &writer)
    }
    if partitioned { writer.append("; Partitioned") }
    if !path.isEmpty {
      writer.append("; Path=")
      writer.append(path)
    }
    switch priority {
    case .unset: break
    case .low: writer.append("; Priority=Low")
    case .medium: writer.append("; Priority=Medium")
    case .high: writer.append("; Priority=High")
    }
    switch sameSite {
    case .unset: break
    case .lax: writer.append("; SameSite=Lax")
    case .strict: writer.append("; SameSite=Strict")
    case .none: writer.append("; SameSite=None")
    }
    if secure { writer.append("; Secure") }
  }

  /// The cookie that makes a browser forget this one: same name, domain and
  /// path, no value, long expired. Browsers ignore it without Secure where the
  /// name or SameSite=None asks for it, and where Partitioned does.
  var deletion: SetCookie {
    var deletion = self
    deletion.value = Bytes("\"\"")
    deletion.maxAge = 0
    deletion.expires = 0
    deletion.secure = secure || sameSite == .none || SetCookie.needsSecure(name) || partitioned
    return deletion
  }
}
