import CSystem

/// gorilla/securecookie 1.1 with its JSON serializer, or none for text:
/// `base64(time|base64(payload)|MAC)`, URL-safe with padding, where the MAC is
/// HMAC-SHA-256 over `name|time|base64(payload)`. With a block key of 16, 24 or
/// 32 bytes the payload is encrypted by AES-CTR, its IV in front. Secret and block
/// key are a pair: what one secret signed is opened with its own block key alone.
/// Nothing in a token says that it is encrypted: what does not come out as text is refused.
///
/// Its default serializer is Go's gob, which nobody else can read.
final class GorillaSecureCookie: Dialect {
  private static let ivSize = 16

  private let name: ByteBuffer
  private let keys: HMACKeys
  /// One for each secret, where `encrypts` is not 0.
  private let blocks: CipherKeys
  private let encrypts: SecretBytes
  private static let largestBlock = 32

  static func make(_ settings: SignerSettings) throws(Failure) -> GorillaSecureCookie {
    try settings.needName()
    let count = settings.secrets.count
    var name = ByteBuffer()
    name.append(settings.name)
    guard !name.failed, let blocks = CipherKeys(count: count), let encrypts = SecretBytes(count: count)
    else { throw .memory }
    guard settings.blockSecret.isEmpty || count == 1 else {
      throw .argument("with several secrets each needs a block secret of its own: use tuile_keyring_add_entry")
    }
    for i in Indices(count) {
      let own = settings.secrets.block(i)
      guard own.isEmpty || settings.blockSecret.isEmpty else {
        throw .argument("block_secret is given twice: in the keyring, and in the configuration")
      }
      let block = own.isEmpty ? settings.blockSecret : own
      guard block.isEmpty || block.count == 16 || block.count == 24 || block.count == largestBlock else {
        throw .argument("block_secret has to have 16, 24 or 32 bytes")
      }
      if let cipher = cipher(block.count) { blocks.set(i, cipher, key: block) }
      encrypts.start[i] = block.isEmpty ? 0 : 1
    }
    let made = GorillaSecureCookie(name, try settings.plainKeys(settings.digest ?? .sha256), blocks, encrypts)
    let claims = KeyClaims(.gorilla)
    var prefix = ByteBuffer()
    prefix.append(settings.name)
    prefix.append(UInt8(ascii: "|"))
    guard !prefix.failed else { throw .memory }
    try claims.add(made.keys, .signs(prefix: prefix.bytes))
    made.claims = claims
    return made
  }

  private init(
    _ name: consuming ByteBuffer, _ keys: consuming HMACKeys, _ blocks: consuming CipherKeys,
    _ encrypts: consuming SecretBytes
  ) {
    self.name = name
    self.keys = keys
    self.blocks = blocks
    self.encrypts = encrypts
  }

  /// nil if the pair signs alone.
  private static func cipher(_ keySize: Int) -> sys_cipher? {
    switch keySize {
    case 0: return nil
    case 16: return SYS_AES_128_CTR
    case 24: return SYS_AES_192_CTR
    default: return SYS_AES_256_CTR
    }
  }

  override var isTimed: Bool { true }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var payload = ByteBuffer()
    guard UTF8Text.firstInvalid(text) == nil else { throw .syntax("gorilla's tokens hold text in UTF-8") }
    if encrypts.start[0] != 0 {
      try withScratch(GorillaSecureCookie.ivSize) { (iv) throws(Failure) in
        guard sys_random(iv, GorillaSecureCookie.ivSize) else { throw .random }
        payload.append(Bytes(iv, GorillaSecureCookie.ivSize))
        guard try blocks.key(0, iv: iv).run(encrypt: true, text, to: &payload) else { throw .memory }
      }
    } else {
      payload.append(text)
    }
    var signed = ByteBuffer()
    signed.append(name.bytes)
    signed.append(UInt8(ascii: "|"))
    Numbers.writeDecimal(now, to: &signed)
    signed.append(UInt8(ascii: "|"))
    Base64.urlPadded.encode(payload.bytes, to: &signed)
    var token = ByteBuffer()
    try withScratch(Digest.largest) { (mac) throws(Failure) in
      keys.digest(0, of: signed.bytes, to: mac)
      token.append(signed.bytes.dropFirst(name.count &+ 1))
      token.append(UInt8(ascii: "|"))
      token.append(Bytes(mac, keys.digest.size))
    }
    guard !payload.failed, !signed.failed, !token.failed else { throw .memory }
    Base64.urlPadded.encode(token.bytes, to: &out)
    guard !out.failed else { throw .memory }
  }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .go, to: &text)
    // Go's encoder ends each value so.
    text.append(UInt8(ascii: "\n"))
    try sign(text.bytes, now: now, to: &out)
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    var raw = ByteBuffer()
    guard token.count <= Dialect.largest, try Base64.urlPadded.decode(token, to: &raw) else { return .badSignature }
    let whole = raw.bytes
    let first = whole.find(UInt8(ascii: "|"))
    let second = whole.find(UInt8(ascii: "|"), from: first &+ 1)
    guard second < whole.count else { return .badSignature }
    var signed = ByteBuffer()
    signed.append(name.bytes)
    signed.append(UInt8(ascii: "|"))
    signed.append(whole.slice(0, second))
    guard !signed.failed else { throw .memory }
    guard let key = keys.matching(signed.bytes, whole.dropFirst(second &+ 1)),
      let time = Numbers.read(whole.slice(0, first), base: 10)
    else { return .badSignature }
    if let maxAge, Dialect.isOlder(time, than: maxAge, now: now) { return .expired }
    var payload = ByteBuffer()
    guard try Base64.urlPadded.decode(whole.slice(first &+ 1, second), to: &payload) else {
      throw .syntax("the payload is not base64")
    }
    guard payload.count <= limit else { throw .limit("the payload is over the limit") }
    let from = out.count
    if encrypts.start[key] != 0 {
      let size = GorillaSecureCookie.ivSize
      guard payload.count >= size else { return .badSignature }
      let sealed = payload.bytes.dropFirst(size)
      guard try blocks.key(key, iv: payload.bytes.start).run(encrypt: false, sealed, to: &out) else {
        throw .memory
      }
    } else {
      out.append(payload.bytes)
    }
    guard !out.failed else { throw .memory }
    // Encrypted under a block key that is not this pair's, it comes out as noise.
    let text = out.bytes.dropFirst(from)
    guard json ? (try? JSONText.check(text)) != nil : UTF8Text.firstInvalid(text) == nil else {
      out.truncate(from)
      return .badSignature
    }
    return .valid(timestamp: time, key: key)
  }
}
