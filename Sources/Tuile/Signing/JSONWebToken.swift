/// JSON Web Tokens that are signed (RFC 7519, in the compact form of RFC 7515):
/// `base64url(header).base64url(claims).base64url(signature)`.
///
/// The algorithm is the key's: HS256, HS384 and HS512 by the digest that is set, RS256,
/// ES256 and EdDSA by what the PEM holds. A token whose header says another one, `none`
/// among them, is no token of that key. HMAC and ES256 are written.
///
/// The salt is the audience, `aud`: without one a token for an audience is refused.
final class JSONWebToken: Dialect {
  private static let longestHeader = 4096
  private static let longestSignature = 4096

  private let keys: JSONWebKeys
  private let audience: ByteBuffer
  private let leeway: Int64
  private let lifetime: Int64?
  private let timed: Bool

  static func make(_ settings: SignerSettings) throws(Failure) -> JSONWebToken {
    var audience = ByteBuffer()
    audience.append(settings.salt)
    guard !audience.failed else { throw .memory }
    let made = JSONWebToken(try JSONWebKeys.make(settings), audience, settings)
    let claims = KeyClaims(.jwt)
    for i in Indices(made.keys.count) {
      // What base64url makes of '{' begins with an e.
      if made.keys.isHMAC(i) { try claims.add(made.keys.macs, i, .signs(prefix: Bytes("ey").slice(0, 1))) }
    }
    made.claims = claims
    return made
  }

  private init(_ keys: JSONWebKeys, _ audience: consuming ByteBuffer, _ settings: SignerSettings) {
    self.keys = keys
    self.audience = audience
    leeway = settings.leeway
    lifetime = settings.lifetime
    timed = settings.timed
  }

  override var isTimed: Bool { true }
  override var skew: Int64 { leeway }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    try write(json, now, lifetime, &out)
  }

  override func dumps(
    _ json: Bytes, compress: Bool, now: Int64, lifetime: Int64, to out: inout ByteBuffer
  ) throws(Failure) {
    try write(json, now, lifetime, &out)
  }

  private func write(_ json: Bytes, _ now: Int64, _ lifetime: Int64?, _ out: inout ByteBuffer) throws(Failure) {
    var own = TokenClaims.Own(end: try TokenClaims.end(lifetime, now), audience: audience.bytes)
    if timed { own.issued = now }
    var payload = ByteBuffer()
    // As Python's json writes it, which is what PyJWT signs.
    try TokenClaims.write(json, .python, own, to: &payload)
    var header = ByteBuffer()
    header.append("{\"alg\":\"")
    header.append(keys.algorithm(0))
    header.append("\",\"typ\":\"JWT\"}")
    let from = out.count
    Base64.url.encode(header.bytes, to: &out)
    out.append(UInt8(ascii: "."))
    Base64.url.encode(payload.bytes, to: &out)
    guard !payload.failed, !header.failed, !out.failed else { throw .memory }
    var signature = ByteBuffer()
    try keys.sign(out.bytes.dropFirst(from), to: &signature)
    out.append(UInt8(ascii: "."))
    Base64.url.encode(signature.bytes, to: &out)
    guard !signature.failed, !out.failed else { throw .memory }
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    let first = token.find(UInt8(ascii: "."))
    let second = token.find(UInt8(ascii: "."), from: first &+ 1)
    let signed = token.slice(0, second)
    let last = token.dropFirst(second &+ 1)
    guard token.count <= Dialect.largest, second < token.count, !last.contains(UInt8(ascii: ".")),
      first <= JSONWebToken.longestHeader, last.count <= JSONWebToken.longestSignature
    else { return .badSignature }
    var header = ByteBuffer()
    var signature = ByteBuffer()
    guard try Base64.url.decode(token.slice(0, first), to: &header), try Base64.url.decode(last, to: &signature),
      let algorithm = try JSONWebToken.algorithm(header.bytes),
      let key = try keys.matching(signed, signature.bytes, algorithm: algorithm)
    else { return .badSignature }
    var payload = ByteBuffer()
    guard try Base64.url.decode(signed.dropFirst(first &+ 1), to: &payload) else {
      throw .syntax("the payload is not base64")
    }
    guard payload.count <= limit else { throw .limit("the payload is over the limit") }
    var issued: Int64?
    if JSONText.isObject(payload.bytes) {
      let claims = TokenClaims(leeway: leeway, audience: audience.bytes)
      switch try claims.check(payload.bytes, maxAge: maxAge, now: now) {
      case .bad: return .badSignature
      case .expired: return .expired
      case .valid(let time): issued = time
      }
    } else {
      // A signed text that is no JWT makes no claim that could be asked for.
      guard !json, maxAge == nil, audience.count == 0 else { return .badSignature }
    }
    out.append(payload.bytes)
    guard !out.failed else { throw .memory }
    return .valid(timestamp: issued, key: key)
  }

  /// What the header says; nil if it says what is not understood here. It is an object that
  /// begins at once, as each token of a key has to for KeyClaims.
  private static func algorithm(_ header: Bytes) throws(Failure) -> Bytes? {
    guard header[0] == UInt8(ascii: "{") else { return nil }
    var found: Bytes?
    var members = JSONMembers(header)
    while let member = members.next() {
      // An extension has to be understood (RFC 7515, section 4.1.11); "b64" is one.
      if try member.isNamed("crit") { return nil }
      if try member.isNamed("b64") { return nil }
      if try member.isNamed("alg") {
        guard found == nil, member.kind == .string else { return nil }
        found = member.raw.slice(1, member.raw.count &- 1)
      }
    }
    return members.isComplete ? found : nil
  }
}
