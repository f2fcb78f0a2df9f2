import CSystem

/// The sessions of Auth.js 5 and, with `legacy`, NextAuth.js 4: a JWE (RFC 7516) whose key is
/// the secret's own (`dir`): `base64url(header)..base64url(IV).base64url(text).base64url(tag)`.
///
/// Version 5 writes A256CBC-HS512 (RFC 7518, section 5.2.5) and says in `kid` which secret it
/// is; it reads A256GCM too. Its key is HKDF-SHA-256 of the secret, salted with the cookie's
/// name. Version 4 has A256GCM, no `kid` and no salt: with `legacy` it is written, and both read.
final class AuthJSSession: Dialect {
  private static let longestHeader = 4096
  private static let tagSize = 16
  private static let macTagSize = 32
  /// Of version 5: 32 for the MAC, which is the key of A256GCM as well, and 32 for the text;
  /// of version 4: 32.
  private static let keysSize = 96
  /// Names of keys: base64url(SHA-512) of both halves, base64url(SHA-256) of the first.
  private static let longID = 86
  private static let shortID = 43

  private let legacy: Bool
  private let lifetime: Int64?
  private let keys: SecretBytes
  private let macs: HMACKeys
  private let ids: ByteBuffer

  static func make(_ settings: SignerSettings) throws(Failure) -> AuthJSSession {
    try settings.needName()
    let count = settings.secrets.count
    guard let keys = SecretBytes(count: keysSize &* count), let macs = HMACKeys(count: count, .sha512) else {
      throw .memory
    }
    var info = ByteBuffer()
    info.append("Auth.js Generated Encryption Key (")
    info.append(settings.name)
    info.append(")")
    guard !info.failed else { throw .memory }
    var ids = ByteBuffer()
    for i in Indices(count) {
      let key = keys.start + keysSize &* i
      try derive(settings.secrets[i], salt: settings.name, info.bytes, key, 64)
      try derive(settings.secrets[i], salt: Bytes(), Bytes("NextAuth.js Generated Encryption Key"), key + 64, 32)
      macs.set(i, key: Bytes(key, 32))
      try appendID(Bytes(key, 64), .sha512, to: &ids)
      try appendID(Bytes(key, 32), .sha256, to: &ids)
    }
    let made = AuthJSSession(settings, keys, macs, ids)
    let claims = KeyClaims(.authJS)
    try claims.add(made.macs, .signs(prefix: Bytes("ey").slice(0, 1)))
    made.claims = claims
    return made
  }

  private init(
    _ settings: SignerSettings, _ keys: consuming SecretBytes, _ macs: consuming HMACKeys, _ ids: consuming ByteBuffer
  ) {
    legacy = settings.legacy
    lifetime = settings.lifetime
    self.keys = keys
    self.macs = macs
    self.ids = ids
  }

  /// HKDF (RFC 5869): its first step is an HMAC under the salt.
  private static func derive(
    _ secret: Bytes, salt: Bytes, _ info: Bytes, _ out: UnsafeMutablePointer<UInt8>, _ size: Int
  ) throws(Failure) {
    guard let salted = HMACKeys(count: 1, .sha256) else { throw .memory }
    salted.set(0, key: salt)
    try withScratch(Digest.largest) { (extracted) throws(Failure) in
      salted.digest(0, of: secret, to: extracted)
      guard sys_hkdf_sha256(true, Bytes(extracted, 32).lent, info.lent, out, size) else { throw .memory }
    }
  }

  /// A key's thumbprint (RFC 7638).
  private static func appendID(_ key: Bytes, _ digest: Digest, to ids: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    defer { text.wipe() }
    guard text.reserve(160) else { throw .memory }
    text.append("{\"k\":\"")
    Base64.url.encode(key, to: &text)
    text.append("\",\"kty\":\"oct\"}")
    try withScratch(Digest.largest) { (hash) throws(Failure) in
      digest.hash(text.bytes, to: hash)
      Base64.url.encode(Bytes(hash, digest.size), to: &ids)
    }
    guard !text.failed, !ids.failed else { throw .memory }
  }

  private func id(_ index: Int, long: Bool) -> Bytes {
    let from = index &* (AuthJSSession.longID &+ AuthJSSession.shortID)
    let middle = from &+ AuthJSSession.longID
    return long ? ids.bytes.slice(from, middle) : ids.bytes.slice(middle, middle &+ AuthJSSession.shortID)
  }

  override var isTimed: Bool { true }
  /// As there: seconds by which clocks may differ.
  override var skew: Int64 { 15 }

  // MARK: writing

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    try write(json, now, lifetime, &out)
  }

  override func dumps(
    _ json: Bytes, compress: Bool, now: Int64, lifetime: Int64, to out: inout ByteBuffer
  ) throws(Failure) {
    try write(json, now, lifetime, &out)
  }

  private func write(_ json: Bytes, _ now: Int64, _ lifetime: Int64?, _ out: inout ByteBuffer) throws(Failure) {
    var id = ByteBuffer()
    try AuthJSSession.appendUUID(to: &id)
    let own = TokenClaims.Own(issued: now, end: try TokenClaims.end(lifetime, now), id: id.bytes)
    var payload = ByteBuffer()
    defer { payload.wipe() }
    try TokenClaims.write(json, .javaScript, own, to: &payload)
    var header = ByteBuffer()
    if legacy {
      header.append("{\"alg\":\"dir\",\"enc\":\"A256GCM\"}")
    } else {
      header.append("{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\",\"kid\":\"")
      header.append(self.id(0, long: true))
      header.append("\"}")
    }
    var protected = ByteBuffer()
    Base64.url.encode(header.bytes, to: &protected)
    guard !header.failed, !protected.failed else { throw .memory }
    var sealed = ByteBuffer()
    try withScratch(16 &+ Digest.largest) { (iv) throws(Failure) in
      let ivSize = legacy ? 12 : 16
      guard sys_random(iv, ivSize) else { throw .random }
      let tag = iv + 16
      let tagSize = legacy ? AuthJSSession.tagSize : AuthJSSession.macTagSize
      if legacy {
        try AEAD(key: keys.start + 64, nonce: iv).seal(payload.bytes, known: protected.bytes, to: &sealed, tag: tag)
      } else {
        guard try SYS_AES_256_CBC.run(encrypt: true, payload.bytes, key: keys.start + 32, iv: iv, to: &sealed) else {
          throw .memory
        }
        try mac(0, protected.bytes, Bytes(iv, ivSize), sealed.bytes, tag)
      }
      guard !sealed.failed else { throw .memory }
      out.append(protected.bytes)
      out.append("..")
      Base64.url.encode(Bytes(iv, ivSize), to: &out)
      out.append(UInt8(ascii: "."))
      Base64.url.encode(sealed.bytes, to: &out)
      out.append(UInt8(ascii: "."))
      Base64.url.encode(Bytes(tag, tagSize), to: &out)
    }
    guard !out.failed else { throw .memory }
  }

  /// A random one (RFC 9562, section 5.4).
  private static func appendUUID(to out: inout ByteBuffer) throws(Failure) {
    try withScratch(16) { (random) throws(Failure) in
      guard sys_random(random, 16) else { throw .random }
      random[6] = random[6] & 0x0F | 0x40
      random[8] = random[8] & 0x3F | 0x80
      for i in Indices(16) {
        if i == 4 || i == 6 || i == 8 || i == 10 { out.append(UInt8(ascii: "-")) }
        Hex.encode(Bytes(random + i, 1), to: &out)
      }
    }
    guard !out.failed else { throw .memory }
  }

  /// Of A256CBC-HS512: over header, IV, text and the header's size in bits.
  private func mac(
    _ index: Int, _ header: Bytes, _ iv: Bytes, _ sealed: Bytes, _ out: UnsafeMutablePointer<UInt8>
  ) throws(Failure) {
    var text = ByteBuffer()
    text.append(header)
    text.append(iv)
    text.append(sealed)
    let bits = UInt64(truncatingIfNeeded: header.count) &* 8
    var shift: UInt64 = 64
    while shift > 0 {
      shift &-= 8
      text.append(UInt8(truncatingIfNeeded: bits &>> shift))
    }
    guard !text.failed else { throw .memory }
    macs.digest(index, of: text.bytes, to: out)
  }

  // MARK: reading

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    var rest = token
    func part() -> Bytes {
      let dot = rest.find(UInt8(ascii: "."))
      defer { rest = rest.dropFirst(dot &+ 1) }
      return rest.slice(0, dot)
    }
    let (protected, encryptedKey, vector, text) = (part(), part(), part(), part())
    guard token.count <= Dialect.largest, encryptedKey.isEmpty, !rest.isEmpty, !rest.contains(UInt8(ascii: ".")),
      protected.count <= AuthJSSession.longestHeader, vector.count <= 64, rest.count <= 64
    else { return .badSignature }
    var header = ByteBuffer()
    var iv = ByteBuffer()
    var sealed = ByteBuffer()
    var tag = ByteBuffer()
    guard try Base64.url.decode(protected, to: &header), try Base64.url.decode(vector, to: &iv),
      try Base64.url.decode(rest, to: &tag), let names = try AuthJSSession.read(header.bytes)
    else { return .badSignature }
    guard text.count / 4 &* 3 <= limit &+ 64 else { throw .limit("the payload is over the limit") }
    guard try Base64.url.decode(text, to: &sealed) else { return .badSignature }
    var payload = ByteBuffer()
    defer { payload.wipe() }
    let found =
      names.isGCM
      ? try unseal(protected, iv.bytes, sealed.bytes, tag.bytes, names.id, &payload)
      : try decrypt(protected, iv.bytes, sealed.bytes, tag.bytes, names.id, &payload)
    guard let key = found else { return .badSignature }
    guard payload.count <= limit else { throw .limit("the payload is over the limit") }
    switch try TokenClaims(leeway: skew).check(payload.bytes, maxAge: maxAge, now: now) {
    case .bad: return .badSignature
    case .expired: return .expired
    case .valid(let issued):
      out.append(payload.bytes)
      guard !out.failed else { throw .memory }
      return .valid(timestamp: issued, key: key)
    }
  }

  private func decrypt(
    _ header: Bytes, _ iv: Bytes, _ sealed: Bytes, _ tag: Bytes, _ id: Bytes?, _ payload: inout ByteBuffer
  ) throws(Failure) -> Int? {
    guard iv.count == 16, tag.count == AuthJSSession.macTagSize else { return nil }
    let found: Int? = try withScratch(Digest.largest) { (expected) throws(Failure) in
      for i in Indices(macs.count) {
        if AuthJSSession.may(id, be: self.id(i, long: true)) {
          try mac(i, header, iv, sealed, expected)
          if ConstantTime.equal(Bytes(expected, AuthJSSession.macTagSize), tag) { return i }
        }
      }
      return nil
    }
    guard let key = found else { return nil }
    let start = keys.start + (AuthJSSession.keysSize &* key &+ 32)
    return try SYS_AES_256_CBC.run(encrypt: false, sealed, key: start, iv: iv.start, to: &payload) ? key : nil
  }

  private func unseal(
    _ header: Bytes, _ iv: Bytes, _ sealed: Bytes, _ tag: Bytes, _ id: Bytes?, _ payload: inout ByteBuffer
  ) throws(Failure) -> Int? {
    guard iv.count == 12, tag.count == AuthJSSession.tagSize else { return nil }
    for i in Indices(macs.count) {
      let key = keys.start + AuthJSSession.keysSize &* i
      if AuthJSSession.may(id, be: self.id(i, long: false)) {
        if try AEAD(key: key, nonce: iv.start).open(sealed, known: header, tag: tag.start, to: &payload) { return i }
      }
      if legacy, id == nil {
        if try AEAD(key: key + 64, nonce: iv.start).open(sealed, known: header, tag: tag.start, to: &payload) {
          return i
        }
      }
    }
    return nil
  }

  /// Whether a token's `kid`, which it need not have, is this key's.
  private static func may(_ id: Bytes?, be own: Bytes) -> Bool {
    guard let id else { return true }
    return id == own
  }

  /// What the header says; nil unless it is `dir` with one of the two ciphers and nothing that
  /// had to be understood.
  private static func read(_ header: Bytes) throws(Failure) -> (isGCM: Bool, id: Bytes?)? {
    var (isDirect, isGCM, id) = (false, Bool?.none, Bytes?.none)
    var members = JSONMembers(header)
    while let member = members.next() {
      if try member.isNamed("crit") { return nil }
      if try member.isNamed("zip") { return nil }
      let text = member.raw.slice(1, member.raw.count &- 1)
      if try member.isNamed("alg") {
        guard !isDirect, member.kind == .string, text == Bytes("dir") else { return nil }
        isDirect = true
      }
      if try member.isNamed("enc") {
        guard isGCM == nil, member.kind == .string, text == Bytes("A256GCM") || text == Bytes("A256CBC-HS512") else {
          return nil
        }
        isGCM = text == Bytes("A256GCM")
      }
      if try member.isNamed("kid") {
        guard id == nil, member.kind == .string else { return nil }
        id = text
      }
    }
    guard members.isComplete, isDirect, let isGCM else { return nil }
    return (isGCM, id)
  }
}
