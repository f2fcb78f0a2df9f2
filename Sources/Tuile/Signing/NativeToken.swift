import CSystem

/// Tuile's own format, version 1; docs/formats.md describes it for others.
///
///     version 1 ‖ key id 4 ‖ issued 5 ‖ end 5 ‖ …   in URL-safe base64
///     1: … salt 24 ‖ text ‖ tag 16     AES-256-GCM, the head as associated data
///     2: … text ‖ MAC 32               HMAC-SHA-256 over all before it
///
/// A secret gives one key for each version, purpose and cookie name by HKDF, so
/// that no value can be moved to another use. Each sealed message has a key of its
/// own, HMAC-SHA-256(key, salt): with 192 random bits no nonce has to be counted.
/// The key id says which secret it is, without trying them.
final class NativeToken: Dialect {
  static let head = 15
  static let idSize = 4
  private static let saltSize = 24
  private static let tagSize = 16
  private static let macSize = 32
  private static let shortestSecret = 32
  /// The largest time in five bytes.
  private static let latest: Int64 = 1 &<< 40 &- 1

  private let version: UInt8
  private let lifetime: Int64?
  private let ids: SecretBytes
  private let keys: HMACKeys

  static func make(_ settings: SignerSettings, sealed: Bool) throws(Failure) -> NativeToken {
    let count = settings.secrets.count
    guard let ids = SecretBytes(count: idSize &* count), let keys = HMACKeys(count: count, .sha256) else {
      throw .memory
    }
    // Lengths in front, so that no two purposes and names are one text.
    var info = ByteBuffer()
    info.append(sealed ? "tuile v1 seal" : "tuile v1 sign")
    NativeToken.append(settings.salt, to: &info)
    NativeToken.append(settings.name, to: &info)
    guard !info.failed else { throw .memory }
    let idInfo = Bytes("tuile v1 key id")
    for i in Indices(count) {
      let secret = settings.secrets[i]
      guard secret.count >= shortestSecret || settings.legacy else {
        throw .argument("the secret has less than 32 bytes")
      }
      try withScratch(32) { (key) throws(Failure) in
        guard sys_hkdf_sha256(false, secret.lent, info.bytes.lent, key, 32),
          sys_hkdf_sha256(false, secret.lent, idInfo.lent, ids.start + idSize &* i, idSize)
        else { throw .memory }
        keys.set(i, key: Bytes(key, 32))
      }
    }
    return NativeToken(sealed ? 1 : 2, settings.lifetime, ids, keys)
  }

  static func append(_ part: Bytes, to info: inout ByteBuffer) {
    info.append(0)
    Numbers.writeDecimal(Int64(part.count), to: &info)
    info.append(UInt8(ascii: ":"))
    info.append(part)
  }

  private init(_ version: UInt8, _ lifetime: Int64?, _ ids: consuming SecretBytes, _ keys: consuming HMACKeys) {
    self.version = version
    self.lifetime = lifetime
    self.ids = ids
    self.keys = keys
  }

  override var isTimed: Bool { true }

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
    try JSONText.write(json, .javaScript, to: &text)
    try write(text.bytes, now, lifetime, &out)
  }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    try write(text, now, lifetime, &out)
  }

  private func write(_ text: Bytes, _ now: Int64, _ lifetime: Int64?, _ out: inout ByteBuffer) throws(Failure) {
    var data = ByteBuffer()
    data.append(version)
    data.append(ids.bytes.slice(0, NativeToken.idSize))
    try NativeToken.write(now, to: &data)
    var end: Int64 = 0
    if let lifetime {
      let (sum, overflow) = now.addingReportingOverflow(lifetime)
      guard lifetime > 0, !overflow else { throw .range("the lifetime is not positive, or too long") }
      end = sum
    }
    try NativeToken.write(end, to: &data)
    if version == 1 {
      try seal(text, &data)
    } else {
      data.append(text)
      guard !data.failed else { throw .memory }
      try withScratch(NativeToken.macSize) { (mac) throws(Failure) in
        keys.digest(0, of: data.bytes, to: mac)
        data.append(Bytes(mac, NativeToken.macSize))
      }
    }
    guard !data.failed else { throw .memory }
    Base64.url.encode(data.bytes, to: &out)
    guard !out.failed else { throw .memory }
  }

  private func seal(_ text: Bytes, _ data: inout ByteBuffer) throws(Failure) {
    var head = ByteBuffer()
    head.append(data.bytes)
    guard !head.failed else { throw .memory }
    try withScratch(NativeToken.saltSize &+ 12 &+ 32 &+ NativeToken.tagSize) { (salt) throws(Failure) in
      // Scratch memory is not cleared: the nonce is zero, each key is used once.
      let nonce = salt + NativeToken.saltSize
      nonce.update(repeating: 0, count: 12)
      let key = nonce + 12
      let tag = key + 32
      guard sys_random(salt, NativeToken.saltSize) else { throw .random }
      keys.digest(0, of: Bytes(salt, NativeToken.saltSize), to: key)
      data.append(Bytes(salt, NativeToken.saltSize))
      try AEAD(key: key, nonce: nonce).seal(text, known: head.bytes, to: &data, tag: tag)
      data.append(Bytes(tag, NativeToken.tagSize))
      guard !data.failed else { throw .memory }
    }
  }

  private static func write(_ time: Int64, to data: inout ByteBuffer) throws(Failure) {
    guard time >= 0, time <= latest else { throw .range("the time does not fit the format") }
    var shift: Int64 = 32
    while shift >= 0 {
      data.append(UInt8(truncatingIfNeeded: time &>> shift))
      shift &-= 8
    }
  }

  private static func readTime(_ data: Bytes, at from: Int) -> Int64 { Int64(bitPattern: data.bigEndian(from, 5)) }

  // MARK: reading

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    var raw = ByteBuffer()
    guard token.count <= Dialect.largest, try Base64.url.decode(token, to: &raw), raw.bytes[0] == version else {
      return .badSignature
    }
    let data = raw.bytes
    guard data.count &- NativeToken.head <= limit &+ 64 else { throw .limit("the payload is over the limit") }
    let from = out.count
    for key in Indices(keys.count) {
      let id = ids.bytes.slice(NativeToken.idSize &* key, NativeToken.idSize &* (key &+ 1))
      if id == data.slice(1, 1 &+ NativeToken.idSize),
        version == 1 ? try unseal(data, key, &out) : try checkMAC(data, key, &out)
      {
        let issued = NativeToken.readTime(data, at: 5)
        let end = NativeToken.readTime(data, at: 10)
        let tooOld = maxAge.map { Dialect.isOlder(issued, than: $0, now: now) } ?? false
        if end != 0 && now >= end || tooOld {
          out.truncate(from)
          return .expired
        }
        return .valid(timestamp: issued, key: key)
      }
    }
    return .badSignature
  }

  private func unseal(_ data: Bytes, _ index: Int, _ out: inout ByteBuffer) throws(Failure) -> Bool {
    let from = NativeToken.head &+ NativeToken.saltSize
    guard data.count >= from &+ NativeToken.tagSize else { return false }
    let sealed = data.slice(from, data.count &- NativeToken.tagSize)
    return try withScratch(12 &+ 32) { (nonce) throws(Failure) in
      nonce.update(repeating: 0, count: 12)
      let key = nonce + 12
      keys.digest(index, of: data.slice(NativeToken.head, from), to: key)
      return try AEAD(key: key, nonce: nonce).open(
        sealed, known: data.slice(0, NativeToken.head), tag: sealed.end, to: &out)
    }
  }

  private func checkMAC(_ data: Bytes, _ index: Int, _ out: inout ByteBuffer) throws(Failure) -> Bool {
    let end = data.count &- NativeToken.macSize
    guard end >= NativeToken.head else { return false }
    let matches: Bool = try withScratch(NativeToken.macSize) { (mac) throws(Failure) in
      keys.digest(index, of: data.slice(0, end), to: mac)
      return ConstantTime.equal(Bytes(mac, NativeToken.macSize), data.dropFirst(end))
    }
    if matches { out.append(data.slice(NativeToken.head, end)) }
    guard !out.failed else { throw .memory }
    return matches
  }
}
