import CSystem

/// rack-session 2's encryptor. Version 2, which is written unless `legacy` asks
/// for 1: base64(02 ‖ salt32 ‖ IV12 ‖ tag16 ‖ text), AES-256-GCM under
/// HMAC-SHA-256(secret[0..<32], salt), associated data 02 ‖ salt ‖ purpose.
/// Version 1: URL-safe base64(01 ‖ salt32 ‖ IV16 ‖ text ‖ MAC), AES-256-CTR under
/// the same key, HMAC-SHA-256 under secret[32...] over all before it ‖ purpose.
/// The text is a padding's length in two bytes, least first, the padding, JSON.
final class RackSession: Dialect {
  private static let saltSize = 32
  private static let blockSize = 32

  private let writesFirst: Bool
  private let purpose: ByteBuffer
  /// HMAC keys of secret[0..<32], from which each message's key comes.
  private let masters: HMACKeys
  /// Those of secret[32...]; a secret of less than 64 bytes has none.
  private let signers: HMACKeys
  private let signs: SecretBytes

  static func make(_ settings: SignerSettings) throws(Failure) -> RackSession {
    let count = settings.secrets.count
    guard let masters = HMACKeys(count: count, .sha256), let signers = HMACKeys(count: count, .sha256),
      let signs = SecretBytes(count: count)
    else { throw .memory }
    var i = 0
    while i < count {
      let secret = settings.secrets[i]
      guard secret.count >= (settings.legacy ? 64 : 32) else {
        throw .argument("the secret has less than 32 bytes, or 64 for version 1")
      }
      masters.set(i, key: secret.slice(0, 32))
      signers.set(i, key: secret.dropFirst(32))
      signs.start[i] = secret.count >= 64 ? 1 : 0
      i &+= 1
    }
    var purpose = ByteBuffer()
    purpose.append(settings.name)
    guard !purpose.failed else { throw .memory }
    let claims = KeyClaims(.rack)
    // The salt that keys come from is in the token.
    try claims.add(masters, .derivesFromAny)
    i = 0
    while i < count {
      if signs.start[i] == 1 { try claims.add(signers, i, .signs(prefix: Bytes("\u{1}"))) }
      i &+= 1
    }
    let made = RackSession(settings.legacy, purpose, masters, signers, signs)
    made.claims = claims
    return made
  }

  private init(
    _ writesFirst: Bool, _ purpose: consuming ByteBuffer, _ masters: consuming HMACKeys,
    _ signers: consuming HMACKeys, _ signs: consuming SecretBytes
  ) {
    self.writesFirst = writesFirst
    self.purpose = purpose
    self.masters = masters
    self.signers = signers
    self.signs = signs
  }

  /// Rack reads '+' in a cookie as a space.
  override var isPercentInCookies: Bool { true }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var json = ByteBuffer()
    try JSONText.writeString(text, .javaScript, to: &json)
    try write(json.bytes, &out)
  }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .javaScript, to: &text)
    try write(text.bytes, &out)
  }

  private func write(_ json: Bytes, _ out: inout ByteBuffer) throws(Failure) {
    let padding = RackSession.blockSize &- (2 &+ json.count) % RackSession.blockSize
    var text = ByteBuffer()
    defer { text.wipe() }
    text.append(UInt8(truncatingIfNeeded: padding))
    text.append(0)
    var random = true
    _ = text.fill(padding) { start in
      random = sys_random(start, padding)
      return padding
    }
    guard random else { throw .random }
    text.append(json)
    guard !text.failed else { throw .memory }
    var data = ByteBuffer()
    data.append(writesFirst ? 1 : 2)
    // Salt, IV of 16 bytes at most, the message's key, a tag or MAC.
    try withScratch(RackSession.saltSize &+ 16 &+ 32 &+ 32) { (salt) throws(Failure) in
      let iv = salt + RackSession.saltSize
      let key = iv + 16
      let tag = key + 32
      guard sys_random(salt, RackSession.saltSize &+ 16) else { throw .random }
      masters.digest(0, of: Bytes(salt, RackSession.saltSize), to: key)
      data.append(Bytes(salt, RackSession.saltSize))
      if writesFirst {
        data.append(Bytes(iv, 16))
        guard try SYS_AES_256_CTR.run(encrypt: true, text.bytes, key: key, iv: iv, to: &data) else { throw .memory }
        let size = data.count
        data.append(purpose.bytes)
        guard !data.failed else { throw .memory }
        signers.digest(0, of: data.bytes, to: tag)
        var token = ByteBuffer()
        token.append(data.bytes.slice(0, size))
        token.append(Bytes(tag, 32))
        guard !token.failed else { throw .memory }
        Base64.urlPadded.encode(token.bytes, to: &out)
      } else {
        data.append(purpose.bytes)
        guard !data.failed else { throw .memory }
        var sealed = ByteBuffer()
        try AEAD(key: key, nonce: iv).seal(text.bytes, known: data.bytes, to: &sealed, tag: tag)
        var token = ByteBuffer()
        token.append(data.bytes.slice(0, 1 &+ RackSession.saltSize))
        token.append(Bytes(iv, 12))
        token.append(Bytes(tag, 16))
        token.append(sealed.bytes)
        guard !token.failed else { throw .memory }
        Base64.standard.encode(token.bytes, to: &out)
      }
    }
    guard !out.failed else { throw .memory }
  }

  // MARK: reading

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard token.count <= Dialect.largest else { return .badSignature }
    // Later releases write version 2 URL-safe too.
    var data = ByteBuffer()
    let url = token.contains(UInt8(ascii: "-")) || token.contains(UInt8(ascii: "_"))
    guard try (url ? Base64.urlPadded : Base64.standard).decode(token, to: &data) else { return .badSignature }
    let first = data.bytes[0] == 1
    guard first || data.bytes[0] == 2 else { return .badSignature }
    var text = ByteBuffer()
    defer { text.wipe() }
    guard let key = first ? try openFirst(data.bytes, &text) : try openSecond(data.bytes, &text) else {
      return .badSignature
    }
    let padding = Int(text.bytes[0]) | Int(text.bytes[1]) &<< 8
    let payload = text.bytes.dropFirst(2 &+ padding)
    guard payload.count <= limit else { throw .limit("the payload is over the limit") }
    try Dialect.give(payload, json: json, to: &out)
    return .valid(timestamp: nil, key: key)
  }

  private func openSecond(_ data: Bytes, _ text: inout ByteBuffer) throws(Failure) -> Int? {
    guard data.count > 61 else { return nil }
    var known = ByteBuffer()
    known.append(data.slice(0, 33))
    known.append(purpose.bytes)
    guard !known.failed else { throw .memory }
    let sealed = data.dropFirst(61)
    return try withScratch(32) { (key) throws(Failure) in
      for i in Indices(masters.count) {
        masters.digest(i, of: data.slice(1, 33), to: key)
        if try AEAD(key: key, nonce: data.start + 33).open(sealed, known: known.bytes, tag: data.start + 45, to: &text)
        {
          return i
        }
      }
      return nil
    }
  }

  private func openFirst(_ data: Bytes, _ text: inout ByteBuffer) throws(Failure) -> Int? {
    guard data.count > 1 &+ 32 &+ 16 &+ 32 else { return nil }
    let body = data.slice(0, data.count &- 32)
    var known = ByteBuffer()
    known.append(body)
    known.append(purpose.bytes)
    guard !known.failed else { throw .memory }
    guard let i = signers.matching(known.bytes, data.dropFirst(data.count &- 32)), signs.start[i] == 1 else {
      return nil
    }
    try withScratch(32) { (key) throws(Failure) in
      masters.digest(i, of: data.slice(1, 33), to: key)
      guard try SYS_AES_256_CTR.run(encrypt: false, body.dropFirst(49), key: key, iv: data.start + 33, to: &text) else {
        throw .memory
      }
    }
    return i
  }
}
