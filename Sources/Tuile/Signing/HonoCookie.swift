/// Hono's signed cookies, which better-auth has too: `value.base64(HMAC-SHA-256)` with
/// padding, all of it percent-encoded. The name is not bound, and there is no time.
final class HonoCookie: Dialect {
  private static let macSize = 44

  private let keys: HMACKeys

  static func make(_ settings: SignerSettings) throws(Failure) -> HonoCookie {
    let made = HonoCookie(try settings.plainKeys(.sha256))
    // The same MAC of the same text as Node's cookie-signature.
    let claims = KeyClaims(.node)
    try claims.add(made.keys, .signs(prefix: Bytes()))
    made.claims = claims
    return made
  }

  private init(_ keys: consuming HMACKeys) { self.keys = keys }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    guard !text.isEmpty else { throw .argument("this dialect has no empty value") }
    var token = ByteBuffer()
    token.append(text)
    token.append(UInt8(ascii: "."))
    try withScratch(Digest.largest) { (mac) throws(Failure) in
      keys.digest(0, of: text, to: mac)
      Base64.standard.encode(Bytes(mac, keys.digest.size), to: &token)
    }
    guard !token.failed else { throw .memory }
    Percent.encode(token.bytes, to: &out)
    guard !out.failed else { throw .memory }
  }

  /// As JSON.stringify writes it.
  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .javaScript, to: &text)
    try sign(text.bytes, now: now, to: &out)
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard token.count <= Dialect.largest else { return .badSignature }
    var plain = ByteBuffer()
    guard Percent.decode(token, to: &plain) else { throw .memory }
    let dot = plain.count &- HonoCookie.macSize &- 1
    let value = plain.bytes.slice(0, dot)
    var mac = ByteBuffer()
    guard !value.isEmpty, plain.bytes[dot] == UInt8(ascii: "."),
      try Base64.standard.decode(plain.bytes.dropFirst(dot &+ 1), to: &mac), let key = keys.matching(value, mac.bytes)
    else { return .badSignature }
    guard value.count <= limit else { throw .limit("the payload is over the limit") }
    out.append(value)
    guard !out.failed else { throw .memory }
    return .valid(timestamp: nil, key: key)
  }
}
