import CSystem

/// Rails 5.2 to 8: encrypted and signed cookies. Keys come from secret_key_base by
/// PBKDF2; what is kept is an envelope that says the purpose, `cookie.NAME`, and
/// an end: `{"_rails":{"message":base64(JSON),"exp":null,"pur":"cookie.NAME"}}`.
///
/// What an application sets (cookies.rb of Action Dispatch): the key generator's
/// digest, the cipher, the digest of signed cookies, the salts. Rails 7 derives keys
/// with SHA-256, older ones with SHA-1; unless one is set, the first is written and
/// both are read. With `legacy` all that Rails' own defaults have been is read
/// besides, so that servers of two releases, or of two settings, take each other's.
final class RailsCookies: Dialect {
  private let encrypted: Bool
  private let lifetime: Int64?
  /// The envelope's `pur`, as JSON, and the text that it is.
  private let purpose: ByteBuffer
  private let purposeText: ByteBuffer
  /// The first writes, all read.
  private let forms: RailsForm

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
    guard !purposeText.failed else { throw .memory }
    let claims = KeyClaims(.rails)
    let made = RailsCookies(encrypted, settings.lifetime, purpose, purposeText, try forms(settings, encrypted, claims))
    made.claims = claims
    return made
  }

  /// A chain of what is written and then, of all that it may have to read, what is not in it yet.
  private static func forms(
    _ settings: SignerSettings, _ encrypted: Bool, _ claims: KeyClaims
  ) throws(Failure) -> RailsForm {
    let cipher = encrypted ? settings.cipher ?? .gcm256 : .none
    guard encrypted || settings.cipher == nil else { throw .argument("signed cookies have no cipher") }
    guard cipher == .cbc256 || settings.macSalt.isEmpty else { throw .argument("mac_salt is for AES-256-CBC alone") }
    guard !cipher.isGCM || settings.macDigest == nil else {
      throw .argument("mac_digest is for signed cookies, and for AES-256-CBC")
    }
    func kind(_ cipher: RailsForm.Cipher, _ digest: Digest, _ macDigest: Digest?, own: Bool) -> RailsForm.Kind {
      RailsForm.Kind(
        cipher: cipher, digest: digest, macDigest: macDigest ?? .sha1,
        salt: own && !settings.salt.isEmpty ? settings.salt : Bytes(cipher.salt),
        macSalt: own && !settings.macSalt.isEmpty ? settings.macSalt : Bytes("signed encrypted cookie"))
    }
    let written = try RailsForm.make(
      kind(cipher, settings.digest ?? .sha256, settings.macDigest, own: true), settings, claims)
    var last = written
    func read(_ other: RailsForm.Kind) throws(Failure) {
      let form = try RailsForm.make(other, settings, claims)
      last.next = form
      last = form
    }
    let otherDigest: Digest = settings.digest == .sha1 ? .sha256 : .sha1
    if settings.digest == nil || settings.legacy {
      try read(kind(cipher, otherDigest, settings.macDigest, own: true))
    }
    guard settings.legacy else { return written }
    let salted = !settings.salt.isEmpty || !settings.macSalt.isEmpty
    let otherMAC: Digest = (settings.macDigest ?? .sha1) == .sha1 ? .sha256 : .sha1
    var digest = settings.digest ?? .sha256
    var times = 2
    while times > 0 {
      if encrypted {
        if cipher != .gcm256 || salted { try read(kind(.gcm256, digest, nil, own: false)) }
        if cipher != .cbc256 || salted { try read(kind(.cbc256, digest, nil, own: false)) }
      } else {
        try read(kind(.none, digest, otherMAC, own: true))
        if salted { try read(kind(.none, digest, settings.macDigest, own: false)) }
        if salted { try read(kind(.none, digest, otherMAC, own: false)) }
      }
      digest = otherDigest
      times &-= 1
    }
    return written
  }

  private init(
    _ encrypted: Bool, _ lifetime: Int64?, _ purpose: consuming ByteBuffer, _ purposeText: consuming ByteBuffer,
    _ forms: RailsForm
  ) {
    self.encrypted = encrypted
    self.lifetime = lifetime
    self.purpose = purpose
    self.purposeText = purposeText
    self.forms = forms
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
      envelope.append(UInt8(ascii: "\""))
      _ = envelope.fill(32) { start in
        var writer = ByteWriter(start, capacity: 32)
        Date(seconds: overflow ? Date.latest : min(end, Date.latest)).writeISOMilliseconds(to: &writer)
        return writer.count
      }
      envelope.append(UInt8(ascii: "\""))
    } else {
      envelope.append("null")
    }
    envelope.append(",\"pur\":")
    envelope.append(purpose.bytes)
    envelope.append("}}")
    guard !envelope.failed else { throw .memory }
    var token = ByteBuffer()
    try forms.write(envelope.bytes, to: &token)
    Percent.encode(token.bytes, to: &out)
    guard !token.failed, !out.failed else { throw .memory }
  }

  /// Percent-encoding makes as many characters of three as chance has it: nobody
  /// needs more than if all were.
  override func roomFor(_ token: Bytes) -> Int {
    guard encrypted else { return token.count }
    var plain = ByteBuffer()
    return Percent.decode(token, to: &plain) ? plain.count &* 3 : token.count
  }

  // MARK: reading

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard token.count <= Dialect.largest else { return .badSignature }
    var plain = ByteBuffer()
    guard Percent.decode(token, to: &plain) else { throw .memory }
    var envelope = ByteBuffer()
    guard let key = try unwrap(plain.bytes, &envelope) else { return .badSignature }
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
    return .valid(timestamp: nil, key: key)
  }

  private func unwrap(_ token: Bytes, _ envelope: inout ByteBuffer) throws(Failure) -> Int? {
    var next: RailsForm? = forms
    while let form = next {
      if let key = try form.read(token, to: &envelope) { return key }
      next = form.next
    }
    return nil
  }
}
