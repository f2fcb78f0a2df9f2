import CSystem

/// Laravel's encrypted cookies (EncryptCookies, since the end of 2020): what its Encrypter makes
/// of `hex(HMAC-SHA-1(key, name ‖ "v2"))|text`, percent-encoded, so that no cookie is taken for
/// another.
final class LaravelCookie: Dialect {
  private static let prefixSize = 41

  private let encrypter: LaravelEncrypter
  /// Of each key, one after the other.
  private let prefixes: ByteBuffer

  static func make(_ settings: SignerSettings, gcm: Bool) throws(Failure) -> LaravelCookie {
    try settings.needName()
    var named = ByteBuffer()
    named.append(settings.name)
    named.append("v2")
    var prefixes = ByteBuffer()
    let encrypter = try LaravelEncrypter.make(settings.secrets, gcm: gcm) { (key) throws(Failure) in
      guard let names = HMACKeys(count: 1, .sha1) else { throw .memory }
      names.set(0, key: key)
      try withScratch(Digest.largest) { (mac) throws(Failure) in
        names.digest(0, of: named.bytes, to: mac)
        Hex.encode(Bytes(mac, names.digest.size), to: &prefixes)
      }
      prefixes.append(UInt8(ascii: "|"))
    }
    guard !named.failed, !prefixes.failed else { throw .memory }
    let made = LaravelCookie(encrypter, prefixes)
    let claims = KeyClaims(.laravel)
    if !gcm { try claims.add(encrypter.macs, .signs(prefix: Bytes())) }
    made.claims = claims
    return made
  }

  private init(_ encrypter: LaravelEncrypter, _ prefixes: consuming ByteBuffer) {
    self.encrypter = encrypter
    self.prefixes = prefixes
  }

  private func prefix(_ index: Int) -> Bytes {
    prefixes.bytes.slice(index &* LaravelCookie.prefixSize, (index &+ 1) &* LaravelCookie.prefixSize)
  }

  override func roomFor(_ token: Bytes) -> Int {
    var plain = ByteBuffer()
    return Percent.decode(token, to: &plain) ? plain.count &* 3 : token.count &* 3
  }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var plain = ByteBuffer()
    defer { plain.wipe() }
    guard plain.reserve(LaravelCookie.prefixSize &+ text.count) else { throw .memory }
    plain.append(prefix(0))
    plain.append(text)
    var token = ByteBuffer()
    try encrypter.seal(plain.bytes, to: &token)
    Percent.encode(token.bytes, to: &out)
    guard !out.failed else { throw .memory }
  }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .python, to: &text)
    try sign(text.bytes, now: now, to: &out)
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard token.count <= Dialect.largest else { return .badSignature }
    var text = ByteBuffer()
    guard Percent.decode(token, to: &text) else { throw .memory }
    var plain = ByteBuffer()
    defer { plain.wipe() }
    guard let key = try encrypter.open(text.bytes, limit: limit, to: &plain),
      ConstantTime.equal(plain.bytes.slice(0, LaravelCookie.prefixSize), prefix(key))
    else { return .badSignature }
    out.append(plain.bytes.dropFirst(LaravelCookie.prefixSize))
    guard !out.failed else { throw .memory }
    return .valid(timestamp: nil, key: key)
  }
}
