import CSystem

/// Laravel's Encrypter: base64 of `{"iv":…,"value":…,"mac":…,"tag":…}`, in which `value` is the
/// ciphertext. AES-CBC has a MAC, HMAC-SHA-256 in hex over the base64 of IV and ciphertext;
/// AES-GCM has a tag. Which it is is the setting's, not the token's; 128 or 256 bits the key's.
final class LaravelEncrypter: Sealer {
  private static let tagSize = 16

  private let isGCM: Bool
  private let keys: CipherKeys
  let macs: HMACKeys

  /// `each` is lent every key, in its order.
  static func make(
    _ secrets: SecretList, gcm: Bool, _ each: (Bytes) throws(Failure) -> Void = { (_) throws(Failure) in }
  ) throws(Failure) -> LaravelEncrypter {
    let count = secrets.count
    guard let keys = CipherKeys(count: count), let macs = HMACKeys(count: count, .sha256) else { throw .memory }
    var key = ByteBuffer()
    defer { key.wipe() }
    var size = 0
    for i in Indices(count) {
      key.removeAll()
      try read(secrets[i], to: &key)
      if i == 0 { size = key.count }
      guard key.count == size else {
        throw .argument("the secrets are of different sizes: 16 or 32 bytes, as the cipher")
      }
      keys.set(i, cipher(gcm, size), key: key.bytes)
      macs.set(i, key: key.bytes)
      try each(key.bytes)
    }
    return LaravelEncrypter(gcm, keys, macs)
  }

  private init(_ isGCM: Bool, _ keys: consuming CipherKeys, _ macs: consuming HMACKeys) {
    self.isGCM = isGCM
    self.keys = keys
    self.macs = macs
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

  private static func cipher(_ isGCM: Bool, _ keySize: Int) -> sys_cipher {
    if isGCM { return keySize == 16 ? SYS_AES_128_GCM : SYS_AES_256_GCM }
    return keySize == 16 ? SYS_AES_128_CBC : SYS_AES_256_CBC
  }

  private var ivSize: Int { isGCM ? 12 : 16 }

  override func seal(_ plain: Bytes, to out: inout ByteBuffer) throws(Failure) {
    var sealed = ByteBuffer()
    var iv = ByteBuffer()
    var value = ByteBuffer()
    var envelope = ByteBuffer()
    try withScratch(16 &+ Digest.largest) { (nonce) throws(Failure) in
      guard sys_random(nonce, ivSize) else { throw .random }
      let mac = nonce + 16
      if isGCM {
        try AEAD(keys.key(0, iv: nonce)).seal(plain, to: &sealed, tag: mac)
      } else {
        guard try keys.key(0, iv: nonce).run(encrypt: true, plain, to: &sealed) else { throw .memory }
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
      if isGCM { Base64.standard.encode(Bytes(mac, LaravelEncrypter.tagSize), to: &envelope) }
      envelope.append("\"}")
    }
    guard !sealed.failed, !iv.failed, !value.failed, !envelope.failed else { throw .memory }
    Base64.standard.encode(envelope.bytes, to: &out)
    guard !out.failed else { throw .memory }
  }

  override func open(_ text: Bytes, limit: Int, to plain: inout ByteBuffer) throws(Failure) -> Int? {
    var envelope = ByteBuffer()
    guard try Base64.standard.decode(text, to: &envelope) else { return nil }
    var parts = Parts()
    guard try parts.read(envelope.bytes) else { return nil }
    var iv = ByteBuffer()
    var sealed = ByteBuffer()
    guard try Base64.standard.decode(parts.iv.bytes, to: &iv), iv.count == ivSize,
      try Base64.standard.decode(parts.value.bytes, to: &sealed)
    else { return nil }
    guard sealed.count <= limit else { throw .limit("the payload is over the limit") }
    return isGCM
      ? try unseal(parts, iv.bytes, sealed.bytes, &plain) : try decrypt(parts, iv.bytes, sealed.bytes, &plain)
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
      try keys.key(key, iv: iv.start).run(encrypt: false, sealed, to: &plain)
    else { return nil }
    return key
  }

  private func unseal(
    _ parts: borrowing Parts, _ iv: Bytes, _ sealed: Bytes, _ plain: inout ByteBuffer
  ) throws(Failure) -> Int? {
    var tag = ByteBuffer()
    guard try Base64.standard.decode(parts.tag.bytes, to: &tag), tag.count == LaravelEncrypter.tagSize else {
      return nil
    }
    for key in Indices(macs.count) {
      if try AEAD(keys.key(key, iv: iv.start)).open(sealed, tag: tag.bytes.start, to: &plain) {
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
