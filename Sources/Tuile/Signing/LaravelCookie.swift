import CSystem

/// Laravel's encrypted cookies (EncryptCookies, since the end of 2020): the percent-encoded
/// base64 of `{"iv":…,"value":…,"mac":…,"tag":…}`, in which `value` is the ciphertext of
/// `hex(HMAC-SHA-1(key, name ‖ "v2"))|text`, so that no cookie is taken for another.
///
/// AES-CBC has a MAC, HMAC-SHA-256 in hex over the base64 of IV and ciphertext; AES-GCM
/// has a tag. Which it is is the dialect's, not the token's; 128 or 256 bits the key's.
final class LaravelCookie: Dialect {
  private static let prefixSize = 41
  private static let tagSize = 16

  private let isGCM: Bool
  private let keySize: Int
  private let keys: SecretBytes
  private let macs: HMACKeys
  /// Of each key, one after the other.
  private let prefixes: ByteBuffer

  static func make(_ settings: SignerSettings, gcm: Bool) throws(Failure) -> LaravelCookie {
    try settings.needName()
    let count = settings.secrets.count
    guard let keys = SecretBytes(count: 32 &* count), let macs = HMACKeys(count: count, .sha256) else { throw .memory }
    var named = ByteBuffer()
    named.append(settings.name)
    named.append("v2")
    var prefixes = ByteBuffer()
    var key = ByteBuffer()
    defer { key.wipe() }
    var size = 0
    for i in Indices(count) {
      key.removeAll()
      try read(settings.secrets[i], to: &key)
      if i == 0 { size = key.count }
      guard key.count == size else {
        throw .argument("the secrets are of different sizes: 16 or 32 bytes, as the cipher")
      }
      (keys.start + size &* i).copy(key.bytes)
      macs.set(i, key: key.bytes)
      guard let names = HMACKeys(count: 1, .sha1) else { throw .memory }
      names.set(0, key: key.bytes)
      try withScratch(Digest.largest) { (mac) throws(Failure) in
        names.digest(0, of: named.bytes, to: mac)
        Hex.encode(Bytes(mac, names.digest.size), to: &prefixes)
      }
      prefixes.append(UInt8(ascii: "|"))
    }
    guard !named.failed, !prefixes.failed else { throw .memory }
    let made = LaravelCookie(gcm, size, keys, macs, prefixes)
    let claims = KeyClaims(.laravel)
    if !gcm { try claims.add(made.macs, .signs(prefix: Bytes())) }
    made.claims = claims
    return made
  }

  private init(
    _ isGCM: Bool, _ keySize: Int, _ keys: consuming SecretBytes, _ macs: consuming HMACKeys,
    _ prefixes: consuming ByteBuffer
  ) {
    self.isGCM = isGCM
    self.keySize = keySize
    self.keys = keys
    self.macs = macs
    self.prefixes = prefixes
  }

  /// APP_KEY as `php artisan key:generate` writes it, or the bytes themselves.
  private static func read(_ secret: Bytes, to key: inout ByteBuffer) throws(Failure) {
    guard key.reserve(4096) else { throw .memory }
    let mark = Bytes("base64:")
    if secret.hasPrefix(mark) {
      guard try Base64.standard.decode(secret.dropFirst(mark.count), to: &key) else {
        throw .argument("the secret is no APP_KEY: base64: is followed by no base64")
      }
    } else {
      key.append(secret)
    }
    guard key.count == 16 || key.count == 32 else {
      throw .argument("the secret is no APP_KEY: base64: and 16 or 32 bytes in base64, or the bytes themselves")
    }
  }

  private var cipher: sys_cipher {
    if isGCM { return keySize == 16 ? SYS_AES_128_GCM : SYS_AES_256_GCM }
    return keySize == 16 ? SYS_AES_128_CBC : SYS_AES_256_CBC
  }

  private var ivSize: Int { isGCM ? 12 : 16 }

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
    var sealed = ByteBuffer()
    var iv = ByteBuffer()
    var value = ByteBuffer()
    var envelope = ByteBuffer()
    try withScratch(16 &+ Digest.largest) { (nonce) throws(Failure) in
      guard sys_random(nonce, ivSize) else { throw .random }
      let mac = nonce + 16
      if isGCM {
        try AEAD.seal(plain.bytes, cipher, key: keys.start, nonce: nonce, known: Bytes(), to: &sealed, tag: mac)
      } else {
        guard try cipher.run(encrypt: true, plain.bytes, key: keys.start, iv: nonce, to: &sealed) else { throw .memory }
      }
      Base64.standard.encode(Bytes(nonce, ivSize), to: &iv)
      Base64.standard.encode(sealed.bytes, to: &value)
      envelope.append("{\"iv\":\"")
      envelope.append(iv.bytes)
      envelope.append("\",\"value\":\"")
      envelope.append(value.bytes)
      envelope.append("\",\"mac\":\"")
      if !isGCM {
        iv.append(value.bytes)
        guard !iv.failed else { throw .memory }
        macs.digest(0, of: iv.bytes, to: mac)
        Hex.encode(Bytes(mac, macs.digest.size), to: &envelope)
      }
      envelope.append("\",\"tag\":\"")
      if isGCM { Base64.standard.encode(Bytes(mac, LaravelCookie.tagSize), to: &envelope) }
      envelope.append("\"}")
    }
    guard !sealed.failed, !iv.failed, !value.failed, !envelope.failed else { throw .memory }
    var token = ByteBuffer()
    Base64.standard.encode(envelope.bytes, to: &token)
    guard !token.failed else { throw .memory }
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
    var envelope = ByteBuffer()
    guard Percent.decode(token, to: &text) else { throw .memory }
    guard try Base64.standard.decode(text.bytes, to: &envelope) else { return .badSignature }
    var parts = Parts()
    guard try parts.read(envelope.bytes) else { return .badSignature }
    var iv = ByteBuffer()
    var sealed = ByteBuffer()
    guard try Base64.standard.decode(parts.iv.bytes, to: &iv), iv.count == ivSize,
      try Base64.standard.decode(parts.value.bytes, to: &sealed)
    else { return .badSignature }
    guard sealed.count <= limit else { throw .limit("the payload is over the limit") }
    var plain = ByteBuffer()
    defer { plain.wipe() }
    let found =
      isGCM ? try unseal(parts, iv.bytes, sealed.bytes, &plain) : try decrypt(parts, iv.bytes, sealed.bytes, &plain)
    guard let key = found, ConstantTime.equal(plain.bytes.slice(0, LaravelCookie.prefixSize), prefix(key)) else {
      return .badSignature
    }
    out.append(plain.bytes.dropFirst(LaravelCookie.prefixSize))
    guard !out.failed else { throw .memory }
    return .valid(timestamp: nil, key: key)
  }

  private func decrypt(
    _ parts: borrowing Parts, _ iv: Bytes, _ sealed: Bytes, _ plain: inout ByteBuffer
  ) throws(Failure) -> Int? {
    var mac = ByteBuffer()
    var signed = ByteBuffer()
    // The IV has one size, so that where it ends is beyond doubt.
    signed.append(parts.iv.bytes)
    signed.append(parts.value.bytes)
    guard !signed.failed else { throw .memory }
    guard parts.tag.count == 0, try Hex.decode(parts.mac.bytes, to: &mac),
      let key = macs.matching(signed.bytes, mac.bytes),
      try cipher.run(encrypt: false, sealed, key: keys.start + keySize &* key, iv: iv.start, to: &plain)
    else { return nil }
    return key
  }

  private func unseal(
    _ parts: borrowing Parts, _ iv: Bytes, _ sealed: Bytes, _ plain: inout ByteBuffer
  ) throws(Failure) -> Int? {
    var tag = ByteBuffer()
    guard try Base64.standard.decode(parts.tag.bytes, to: &tag), tag.count == LaravelCookie.tagSize else { return nil }
    for key in Indices(macs.count) {
      let start = keys.start + keySize &* key
      if try AEAD.open(
        sealed, cipher, key: start, nonce: iv.start, known: Bytes(), tag: tag.bytes.start, to: &plain)
      {
        return key
      }
    }
    return nil
  }

  /// The texts of the envelope; what is not there is empty.
  private struct Parts: ~Copyable {
    var iv = ByteBuffer()
    var value = ByteBuffer()
    var mac = ByteBuffer()
    var tag = ByteBuffer()

    mutating func read(_ json: Bytes) throws(Failure) -> Bool {
      var members = JSONMembers(json)
      while let member = members.next() {
        // What Laravel does not write would be a second form of the same token.
        var fine = false
        if try member.isNamed("iv") {
          fine = try Parts.text(member, &iv)
        } else if try member.isNamed("value") {
          fine = try Parts.text(member, &value)
        } else if try member.isNamed("mac") {
          fine = try Parts.text(member, &mac)
        } else if try member.isNamed("tag") {
          fine = try Parts.text(member, &tag)
        }
        guard fine else { return false }
      }
      return members.isComplete
    }

    /// PHP may escape a slash.
    private static func text(_ member: JSONMembers.Member, _ text: inout ByteBuffer) throws(Failure) -> Bool {
      guard member.kind == .string, text.count == 0 else { return false }
      try JSONText.readString(member.raw, lenient: true, to: &text)
      return true
    }
  }
}
