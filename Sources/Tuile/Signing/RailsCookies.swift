import CSystem

/// Rails 5.2 to 8: encrypted and signed cookies. Keys come from secret_key_base by
/// PBKDF2; what is kept is an envelope that says the purpose, `cookie.NAME`, and
/// an end: `{"_rails":{"message":base64(JSON),"exp":null,"pur":"cookie.NAME"}}`.
///
/// Encrypted: AES-256-GCM, `base64(text)--base64(IV)--base64(tag)`; signed:
/// `base64(envelope)--hex(HMAC-SHA-1)`. Either is percent-encoded. A text is kept
/// as JSON too.
///
/// Rails 7 derives keys with SHA-256, older ones with SHA-1. Unless one is set,
/// the first is written and both are read.
final class RailsCookies: Dialect {
  private static let encryptedSalt: StaticString = "authenticated encrypted cookie"
  private static let signedSalt: StaticString = "signed cookie"
  private static let keySize = 64
  private static let ivSize = 12
  private static let tagSize = 16

  private let encrypted: Bool
  private let lifetime: Int64?
  /// The envelope's `pur`, as JSON, and the text that it is.
  private let purpose: ByteBuffer
  private let purposeText: ByteBuffer
  /// All secrets with the first digest, then all with the second.
  private let keys: SecretBytes
  /// The same for HMAC, of signed cookies.
  private let macs: HMACKeys
  private let secrets: Int

  static func make(_ settings: SignerSettings, encrypted: Bool) throws(Failure) -> RailsCookies {
    try settings.needName()
    var plain = ByteBuffer()
    plain.append("cookie.")
    plain.append(settings.name)
    var purpose = ByteBuffer()
    var purposeText = ByteBuffer()
    try JSONText.writeString(plain.bytes, .ruby, to: &purpose)
    guard !plain.failed, !purpose.failed else { throw .memory }
    try JSONText.readString(purpose.bytes, lenient: true, to: &purposeText)
    let count = settings.secrets.count
    guard !purposeText.failed,
      let keys = SecretBytes(count: keySize &* count &* (settings.digest == nil ? 2 : 1))
    else {
      throw .memory
    }
    var next = 0
    while next < keys.count / keySize {
      let digest = settings.digest ?? (next < count ? .sha256 : .sha1)
      let salt = Bytes(encrypted ? encryptedSalt : signedSalt)
      try digest.pbkdf2(
        settings.secrets[next < count ? next : next &- count], salt: salt, iterations: settings.iterations,
        to: keys.start + next &* keySize, size: encrypted ? 32 : keySize)
      next &+= 1
    }
    let claims = KeyClaims(.rails)
    // The first block of PBKDF2.
    var message = ByteBuffer()
    message.append(encrypted ? encryptedSalt : signedSalt)
    message.append("\0\0\0\u{1}")
    guard !message.failed else { throw .memory }
    if settings.digest != .sha1 {
      try claims.add(try settings.plainKeys(settings.digest ?? .sha256), .derives(message.bytes))
    }
    if settings.digest == nil || settings.digest == .sha1 {
      try claims.add(try settings.plainKeys(.sha1), .derives(message.bytes))
    }
    guard let macs = HMACKeys(count: encrypted ? 0 : next, .sha1) else { throw .memory }
    while next > 0, !encrypted {
      next &-= 1
      macs.set(next, key: Bytes(keys.start + next &* keySize, keySize))
    }
    try claims.add(macs, .signs(prefix: Bytes()))
    let made = RailsCookies(encrypted, settings.lifetime, purpose, purposeText, keys, macs, count)
    made.claims = claims
    return made
  }

  private init(
    _ encrypted: Bool, _ lifetime: Int64?, _ purpose: consuming ByteBuffer,
    _ purposeText: consuming ByteBuffer, _ keys: consuming SecretBytes, _ macs: consuming HMACKeys, _ secrets: Int
  ) {
    self.encrypted = encrypted
    self.lifetime = lifetime
    self.purpose = purpose
    self.purposeText = purposeText
    self.keys = keys
    self.macs = macs
    self.secrets = secrets
  }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var json = ByteBuffer()
    try JSONText.writeString(text, .ruby, to: &json)
    try write(json.bytes, now, lifetime, &out)
  }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    try dumps(json, now, lifetime, &out)
  }

  override func dumps(
    _ json: Bytes, compress: Bool, now: Int64, lifetime: Int64, to out: inout ByteBuffer
  ) throws(Failure) {
    try dumps(json, now, lifetime, &out)
  }

  private func dumps(_ json: Bytes, _ now: Int64, _ lifetime: Int64?, _ out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .ruby, to: &text)
    try write(text.bytes, now, lifetime, &out)
  }

  private func write(_ json: Bytes, _ now: Int64, _ lifetime: Int64?, _ out: inout ByteBuffer) throws(Failure) {
    var envelope = ByteBuffer()
    envelope.append("{\"_rails\":{\"message\":\"")
    Base64.standard.encode(json, to: &envelope)
    envelope.append("\",\"exp\":")
    if let lifetime {
      let (end, overflow) = now.addingReportingOverflow(lifetime)
      envelope.append(0x22)
      _ = envelope.fill(32) { start in
        var writer = ByteWriter(start, capacity: 32)
        Date(seconds: overflow ? Date.latest : min(end, Date.latest)).writeISOMilliseconds(to: &writer)
        return writer.count
      }
      envelope.append(0x22)
    } else {
      envelope.append("null")
    }
    envelope.append(",\"pur\":")
    envelope.append(purpose.bytes)
    envelope.append("}}")
    guard !envelope.failed else { throw .memory }
    var token = ByteBuffer()
    if encrypted { try seal(envelope.bytes, &token) } else { try mac(envelope.bytes, &token) }
    CookieText.percentEncode(token.bytes, to: &out)
    guard !token.failed, !out.failed else { throw .memory }
  }

  private func seal(_ envelope: Bytes, _ token: inout ByteBuffer) throws(Failure) {
    var sealed = ByteBuffer()
    try withScratch(RailsCookies.ivSize &+ RailsCookies.tagSize) { (iv) throws(Failure) in
      guard sys_random(iv, RailsCookies.ivSize) else { throw .random }
      let tag = iv + RailsCookies.ivSize
      try AEAD.seal(envelope, key: keys.start, nonce: iv, known: Bytes(), to: &sealed, tag: tag)
      Base64.standard.encode(sealed.bytes, to: &token)
      token.append("--")
      Base64.standard.encode(Bytes(iv, RailsCookies.ivSize), to: &token)
      token.append("--")
      Base64.standard.encode(Bytes(tag, RailsCookies.tagSize), to: &token)
    }
  }

  private func mac(_ envelope: Bytes, _ token: inout ByteBuffer) throws(Failure) {
    Base64.standard.encode(envelope, to: &token)
    try withScratch(20) { (digest) throws(Failure) in
      macs.digest(0, of: token.bytes, to: digest)
      token.append("--")
      Hex.encode(Bytes(digest, 20), to: &token)
    }
  }

  /// Percent-encoding makes as many characters of three as chance has it: nobody
  /// needs more than if all were.
  override func roomFor(_ token: Bytes) -> Int {
    guard encrypted else { return token.count }
    var plain = ByteBuffer()
    return CookieText.percentDecode(token, to: &plain) ? plain.count &* 3 : token.count
  }

  // MARK: reading

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard token.count <= Dialect.largest else { return .badSignature }
    var plain = ByteBuffer()
    guard CookieText.percentDecode(token, to: &plain) else { throw .memory }
    var envelope = ByteBuffer()
    guard let key = encrypted ? try unseal(plain.bytes, &envelope) : try checkMAC(plain.bytes, &envelope) else {
      return .badSignature
    }
    guard let rails = JSONText.member("_rails", of: envelope.bytes),
      let message = JSONText.member("message", of: rails.raw), message.kind == .string,
      let given = JSONText.member("pur", of: rails.raw), given.kind == .string
    else { return .badSignature }
    // Rails may be set to escape less: what the text says counts.
    var theirs = ByteBuffer()
    try JSONText.readString(given.raw, lenient: true, to: &theirs)
    guard !theirs.failed else { throw .memory }
    guard theirs.bytes == purposeText.bytes else { return .badSignature }
    if let end = JSONText.member("exp", of: rails.raw), end.kind != .null {
      guard let microseconds = Date.readISO(end.raw.slice(1, end.raw.count &- 1)) else { return .badSignature }
      let (present, overflow) = now.multipliedReportingOverflow(by: 1_000_000)
      guard overflow ? now < 0 : present < microseconds else { return .expired }
    }
    var payload = ByteBuffer()
    guard try Base64.standard.decode(message.raw.slice(1, message.raw.count &- 1), to: &payload) else {
      throw .syntax("the payload is not base64")
    }
    guard payload.count <= limit else { throw .limit("the payload is over the limit") }
    try Dialect.give(payload.bytes, json: json, to: &out)
    return .valid(timestamp: nil, key: key < secrets ? key : key &- secrets)
  }

  private func unseal(_ token: Bytes, _ envelope: inout ByteBuffer) throws(Failure) -> Int? {
    let first = token.findPair(0x2D)
    let rest = token.dropFirst(first &+ 2)
    let second = rest.findPair(0x2D)
    var sealed = ByteBuffer()
    var iv = ByteBuffer()
    var tag = ByteBuffer()
    guard try Base64.standard.decode(token.slice(0, first), to: &sealed),
      try Base64.standard.decode(rest.slice(0, second), to: &iv), iv.count == RailsCookies.ivSize,
      try Base64.standard.decode(rest.dropFirst(second &+ 2), to: &tag), tag.count == RailsCookies.tagSize
    else { return nil }
    var key = 0
    while key < keys.count / RailsCookies.keySize {
      if try AEAD.open(
        sealed.bytes, key: keys.start + key &* RailsCookies.keySize, nonce: iv.bytes.start, known: Bytes(),
        tag: tag.bytes.start, to: &envelope)
      {
        return key
      }
      key &+= 1
    }
    return nil
  }

  private func checkMAC(_ token: Bytes, _ envelope: inout ByteBuffer) throws(Failure) -> Int? {
    let split = token.findPair(0x2D)
    let text = token.slice(0, split)
    var given = ByteBuffer()
    guard try Hex.decode(token.dropFirst(split &+ 2), to: &given), given.count == 20 else { return nil }
    let found = macs.matching(text, given.bytes)
    guard let found, try Base64.standard.decode(text, to: &envelope) else { return nil }
    return found
  }
}
