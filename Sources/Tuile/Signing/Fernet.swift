import CSystem

/// Fernet (its specification of 2013; cryptography's class, and aiohttp-session's
/// EncryptedCookieStorage): `base64url(80 ‖ time 8 ‖ IV 16 ‖ text ‖ MAC 32)` with
/// padding, where the text is AES-128-CBC and the MAC HMAC-SHA-256 over all before
/// it. A secret is 32 bytes, the first half for the MAC.
///
/// With an age asked for, a token from more than 60 seconds in the future is refused.
final class Fernet: Dialect {
  private static let version: UInt8 = 0x80
  private static let headSize = 25
  private static let macSize = 32
  private static let keySize = 16
  private static let futureSkew: Int64 = 60

  private let macs: HMACKeys
  private let ciphers: CipherKeys

  static func make(_ settings: SignerSettings) throws(Failure) -> Fernet {
    let count = settings.secrets.count
    guard let macs = HMACKeys(count: count, .sha256), let ciphers = CipherKeys(count: count) else {
      throw .memory
    }
    var key = ByteBuffer()
    defer { key.wipe() }
    for i in Indices(count) {
      key.removeAll()
      try read(settings.secrets[i], to: &key)
      macs.set(i, key: key.bytes.slice(0, keySize))
      ciphers.set(i, SYS_AES_128_CBC, key: key.bytes.dropFirst(keySize))
    }
    let made = Fernet(macs, ciphers)
    let claims = KeyClaims(.fernet)
    // The version is the last octet of the scalar in UTF-8.
    try claims.add(made.macs, .signs(prefix: Bytes("\u{80}e").slice(1, 2)))
    made.claims = claims
    return made
  }

  private init(_ macs: consuming HMACKeys, _ ciphers: consuming CipherKeys) {
    self.macs = macs
    self.ciphers = ciphers
  }

  /// As Fernet.generate_key writes it, or the 32 bytes that aiohttp-session takes as well.
  private static func read(_ secret: Bytes, to key: inout ByteBuffer) throws(Failure) {
    guard key.reserve(64) else { throw .memory }
    if secret.count == 2 &* keySize {
      key.append(secret)
    } else {
      guard try Base64.urlPadded.decode(secret, to: &key), key.count == 2 &* keySize else {
        throw .argument("the secret is no key of Fernet: 32 bytes, or these in URL-safe base64, 44 characters")
      }
    }
  }

  override var isTimed: Bool { true }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    guard now >= 0 else { throw .range("the format holds no time before 1970") }
    var token = ByteBuffer()
    token.append(Fernet.version)
    var shift: Int64 = 64
    while shift > 0 {
      shift &-= 8
      token.append(UInt8(truncatingIfNeeded: now &>> shift))
    }
    try withScratch(16 &+ Fernet.macSize) { (iv) throws(Failure) in
      guard sys_random(iv, 16) else { throw .random }
      token.append(Bytes(iv, 16))
      guard try ciphers.key(0, iv: iv).run(encrypt: true, text, to: &token), !token.failed else {
        throw .memory
      }
      macs.digest(0, of: token.bytes, to: iv + 16)
      token.append(Bytes(iv + 16, Fernet.macSize))
    }
    guard !token.failed else { throw .memory }
    Base64.urlPadded.encode(token.bytes, to: &out)
    guard !out.failed else { throw .memory }
  }

  /// As json.dumps writes it, which is what aiohttp-session encrypts.
  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .pythonSpaced, to: &text)
    try sign(text.bytes, now: now, to: &out)
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    var raw = ByteBuffer()
    guard token.count <= Dialect.largest, try Base64.urlPadded.decode(token, to: &raw) else { return .badSignature }
    let signed = raw.bytes.slice(0, raw.count &- Fernet.macSize)
    let sealed = signed.dropFirst(Fernet.headSize)
    guard raw.bytes[0] == Fernet.version, !sealed.isEmpty, sealed.count % 16 == 0,
      let key = macs.matching(signed, raw.bytes.dropFirst(signed.count))
    else { return .badSignature }
    let time = Int64(bitPattern: signed.bigEndian(1, 8))
    // Of the second half of what 8 bytes can say no clock is.
    guard time >= 0 else { return .badSignature }
    if let maxAge {
      if Dialect.isOlder(time, than: maxAge, now: now) { return .expired }
      guard !Dialect.isOlder(now, than: Fernet.futureSkew, now: time) else { return .badSignature }
    }
    guard sealed.count &- 1 <= limit else { throw .limit("the payload is over the limit") }
    guard try ciphers.key(key, iv: signed.start + 9).run(encrypt: false, sealed, to: &out) else {
      return .badSignature
    }
    guard !out.failed else { throw .memory }
    return .valid(timestamp: time, key: key)
  }
}
