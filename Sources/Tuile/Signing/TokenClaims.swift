/// The claims of a token that say when it is good and for whom (RFC 7519, section 4.1).
/// What is there in a form that can't be checked, or twice, is no claim that holds.
struct TokenClaims {
  enum Answer {
    case valid(issued: Int64?)
    case bad
    case expired
  }

  private struct Time {
    var isThere = false
    var seconds: Int64 = 0

    /// A whole number of seconds, or one with a fraction, which is cut off; not in powers of ten.
    mutating func read(_ member: JSONMembers.Member) -> Bool {
      guard !isThere, member.kind == .integer || member.kind == .double else { return false }
      let dot = member.raw.find(UInt8(ascii: "."))
      guard !member.raw.contains(UInt8(ascii: "e")), !member.raw.contains(UInt8(ascii: "E")),
        let number = Numbers.read(member.raw.slice(0, dot), base: 10)
      else { return false }
      (isThere, seconds) = (true, number)
      return true
    }
  }

  /// How many seconds clocks may differ.
  var leeway: Int64 = 0
  /// Whom a token has to be for. Empty: for nobody in particular; nil: it is not looked at.
  var audience: Bytes?

  /// What an object says. A token from the future is bad; with `maxAge` it has to say when it was made.
  func check(_ json: Bytes, maxAge: Int64?, now: Int64) throws(Failure) -> Answer {
    var (end, start, issued) = (Time(), Time(), Time())
    var isForUs: Bool?
    var members = JSONMembers(json)
    while let member = members.next() {
      var fine = true
      if try member.isNamed("exp") {
        fine = end.read(member)
      } else if try member.isNamed("nbf") {
        fine = start.read(member)
      } else if try member.isNamed("iat") {
        fine = issued.read(member)
      } else if let audience, try member.isNamed("aud") {
        fine = isForUs == nil
        isForUs = try TokenClaims.names(member, audience)
      }
      guard fine else { return .bad }
    }
    guard members.isComplete, isForUs ?? (audience?.isEmpty ?? true) else { return .bad }
    let (low, underflow) = now.subtractingReportingOverflow(leeway)
    let (high, overflow) = now.addingReportingOverflow(leeway)
    let earliest = underflow ? Int64.min : low
    let latest = overflow ? Int64.max : high
    guard !start.isThere || start.seconds <= latest, !issued.isThere || issued.seconds <= latest else { return .bad }
    if end.isThere, end.seconds <= earliest { return .expired }
    if let maxAge {
      guard issued.isThere else { return .bad }
      if Dialect.isOlder(issued.seconds, than: maxAge, now: earliest) { return .expired }
    }
    return .valid(issued: issued.isThere ? issued.seconds : nil)
  }

  /// Whether a member is the audience, or a list of texts with it.
  private static func names(_ member: JSONMembers.Member, _ audience: Bytes) throws(Failure) -> Bool {
    guard !audience.isEmpty else { return false }
    if member.kind == .string { return try JSONMembers.isString(member.raw, audience) }
    var scanner = JSONScanner(member.raw)
    guard scanner.take(UInt8(ascii: "[")) else { return false }
    repeat {
      scanner.skipSpace()
      guard let text = scanner.string() else { return false }
      if try JSONMembers.isString(text, audience) { return true }
    } while scanner.take(UInt8(ascii: ","))
    return false
  }

  /// What the signer says itself, in place of what the object says of that.
  struct Own {
    var issued: Int64?
    var end: Int64?
    var audience = Bytes()
    var id = Bytes()

    fileprivate func has(_ member: JSONMembers.Member) throws(Failure) -> Bool {
      if issued != nil, try member.isNamed("iat") { return true }
      if end != nil, try member.isNamed("exp") { return true }
      if !audience.isEmpty, try member.isNamed("aud") { return true }
      if !id.isEmpty, try member.isNamed("jti") { return true }
      return false
    }
  }

  /// Seconds from now on, as a time.
  static func end(_ lifetime: Int64?, _ now: Int64) throws(Failure) -> Int64? {
    guard let lifetime else { return nil }
    let (end, overflow) = now.addingReportingOverflow(lifetime)
    guard !overflow else { throw .range("the lifetime is too long") }
    return end
  }

  /// Appends an object in a style without spaces, with the signer's own claims at its end.
  static func write(_ json: Bytes, _ style: JSONStyle, _ own: Own, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, style, to: &text)
    guard text.bytes[0] == UInt8(ascii: "{") else { throw .type("the claims are no JSON object") }
    let from = out.count
    var members = JSONMembers(text.bytes)
    out.append(UInt8(ascii: "{"))
    func comma(_ out: inout ByteBuffer) { if out.count &- from > 1 { out.append(UInt8(ascii: ",")) } }
    while let member = members.next() {
      guard try !own.has(member) else { continue }
      comma(&out)
      out.append(member.name)
      out.append(UInt8(ascii: ":"))
      out.append(member.raw)
    }
    func number(_ name: StaticString, _ value: Int64?, _ out: inout ByteBuffer) {
      guard let value else { return }
      comma(&out)
      out.append(name)
      Numbers.writeDecimal(value, to: &out)
    }
    number("\"iat\":", own.issued, &out)
    number("\"exp\":", own.end, &out)
    if !own.audience.isEmpty {
      comma(&out)
      out.append("\"aud\":")
      try JSONText.writeString(own.audience, style, to: &out)
    }
    if !own.id.isEmpty {
      comma(&out)
      out.append("\"jti\":")
      try JSONText.writeString(own.id, style, to: &out)
    }
    out.append(UInt8(ascii: "}"))
    guard !out.failed else { throw .memory }
  }
}
