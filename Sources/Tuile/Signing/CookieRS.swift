import CSystem

/// Rust's cookie crate (0.16 to 0.18): the signed jar, base64(HMAC-SHA-256(value))
/// ‖ value, which does not bind the name, and the private jar, base64(nonce12 ‖
/// text ‖ tag16) by AES-256-GCM with the name as associated data.
///
/// In a cookie the crate's users (axum, Rocket, actix-web) have it percent-encoded.
///
/// The keys come from the secret by `Key::derive_from` (HKDF-Expand); with the
/// derivation "none" the secret is the 64 bytes of `Key::from` themselves.
final class CookieRS: Dialect {
  private static let nonceSize = 12
  private static let tagSize = 16
  private static let macSize = 44

  private let isPrivate: Bool
  private let name: ByteBuffer
  private let macs: HMACKeys
  private let ciphers: CipherKeys

  static func make(_ settings: SignerSettings, isPrivate: Bool) throws(Failure) -> CookieRS {
    if isPrivate { try settings.needName() }
    let count = settings.secrets.count
    var name = ByteBuffer()
    name.append(settings.name)
    guard let macs = HMACKeys(count: count, .sha256), let ciphers = CipherKeys(count: count), !name.failed else {
      throw .memory
    }
    let info = Bytes("COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM")
    for i in Indices(count) {
      let secret = settings.secrets[i]
      if settings.derivation == KeyDerivation.none {
        guard secret.count == 64 else { throw .argument("the secret has not 64 bytes") }
        macs.set(i, key: secret.slice(0, 32))
        ciphers.set(i, SYS_AES_256_GCM, key: secret.dropFirst(32))
      } else {
        guard secret.count >= 32 else { throw .argument("the secret has less than 32 bytes") }
        try withScratch(64) { (both) throws(Failure) in
          guard sys_hkdf_sha256(true, secret.lent, info.lent, both, 64) else {
            throw .memory
          }
          macs.set(i, key: Bytes(both, 32))
          ciphers.set(i, SYS_AES_256_GCM, key: Bytes(both + 32, 32))
        }
      }
    }
    let claims = KeyClaims(.cookieRS)
    if !isPrivate { try claims.add(macs, .signs(prefix: Bytes())) }
    if settings.derivation != KeyDerivation.none {
      // The first block of HKDF-Expand.
      var message = ByteBuffer()
      message.append(info)
      message.append(1)
      guard !message.failed else { throw .memory }
      try claims.add(try settings.plainKeys(.sha256), .derives(message.bytes))
    }
    let made = CookieRS(isPrivate, name, macs, ciphers)
    made.claims = claims
    return made
  }

  private init(
    _ isPrivate: Bool, _ name: consuming ByteBuffer, _ macs: consuming HMACKeys, _ ciphers: consuming CipherKeys
  ) {
    self.isPrivate = isPrivate
    self.name = name
    self.macs = macs
    self.ciphers = ciphers
  }

  override var isPercentInCookies: Bool { true }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    if isPrivate {
      var data = ByteBuffer()
      try withScratch(CookieRS.nonceSize &+ CookieRS.tagSize) { (nonce) throws(Failure) in
        guard sys_random(nonce, CookieRS.nonceSize) else { throw .random }
        let tag = nonce + CookieRS.nonceSize
        data.append(Bytes(nonce, CookieRS.nonceSize))
        try AEAD(ciphers.key(0, iv: nonce)).seal(text, known: name.bytes, to: &data, tag: tag)
        data.append(Bytes(tag, CookieRS.tagSize))
        guard !data.failed else { throw .memory }
      }
      Base64.standard.encode(data.bytes, to: &out)
    } else {
      try withScratch(32) { (mac) throws(Failure) in
        macs.digest(0, of: text, to: mac)
        Base64.standard.encode(Bytes(mac, 32), to: &out)
      }
      out.append(text)
    }
    guard !out.failed else { throw .memory }
  }

  /// A value is text to the crate: JSON is what serde_json writes.
  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .javaScript, to: &text)
    try sign(text.bytes, now: now, to: &out)
  }

  override func verify(_ token: Bytes, maxAge: Int64?, now: Int64) throws(Failure) -> Answer {
    guard !isPrivate else { throw .argument("this dialect's tokens hold more than text; use tuile_token_unsign") }
    let text = token.dropFirst(CookieRS.macSize)
    var mac = ByteBuffer()
    guard token.count <= Dialect.largest, try Base64.standard.decode(token.slice(0, CookieRS.macSize), to: &mac),
      let key = macs.matching(text, mac.bytes)
    else { return .badSignature }
    return .valid(Verified(value: text, timestamp: nil, key: key))
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard isPrivate else { return try openPlain(token, maxAge: maxAge, now: now, limit: limit, to: &out) }
    var data = ByteBuffer()
    guard token.count <= Dialect.largest, try Base64.standard.decode(token, to: &data),
      data.count >= CookieRS.nonceSize &+ CookieRS.tagSize
    else { return .badSignature }
    let whole = data.bytes
    let sealed = whole.slice(CookieRS.nonceSize, whole.count &- CookieRS.tagSize)
    guard sealed.count <= limit else { throw .limit("the payload is over the limit") }
    for key in Indices(macs.count) {
      if try AEAD(ciphers.key(key, iv: whole.start)).open(
        sealed, known: name.bytes, tag: sealed.end, to: &out)
      {
        return .valid(timestamp: nil, key: key)
      }
    }
    return .badSignature
  }
}
