import CSystem

/// iron-session 8 (iron-webcrypto): `Fe26.2*id*salt*IV*text*end*salt*MAC~2`. The
/// keys come from the password by one round of PBKDF2-SHA-1 over a random salt in
/// hex; the text is AES-256-CBC, the MAC HMAC-SHA-256 over all before its salt;
/// binary is URL-safe base64, the end milliseconds of Unix time or nothing.
///
/// Passwords have ids: those of the keyring, else the oldest fallback is 1, the
/// secret the highest. A token is opened with whichever password made it, within
/// 60 seconds after its end.
final class IronSession: Dialect {
  private static let prefix: StaticString = "Fe26.2"
  private static let version: StaticString = "~2"
  override var skew: Int64 { 60 }
  private static let shortestPassword = 32

  /// One round of PBKDF2 is HMAC-SHA-1 under the password (RFC 8018, section 5.2).
  private let passwords: HMACKeys
  private let lifetime: Int64?
  private let ids: IDs

  /// One for each password.
  private final class IDs {
    private let start: UnsafeMutablePointer<Int64>
    private let count: Int

    static func make(_ secrets: SecretList) -> IDs? {
      guard let raw = calloc(secrets.count, MemoryLayout<Int64>.stride) else { return nil }
      return IDs(raw.assumingMemoryBound(to: Int64.self), secrets)
    }

    private init(_ start: UnsafeMutablePointer<Int64>, _ secrets: SecretList) {
      (self.start, count) = (start, secrets.count)
      for i in Indices(count) {
        start[i] = secrets.id(i) ?? Int64(count &- i)
      }
    }

    deinit { free(start) }

    subscript(index: Int) -> Int64 { start[index] }

    func index(of id: Int64) -> Int? {
      for i in Indices(count) {
        if start[i] == id { return i }
      }
      return nil
    }
  }

  static func make(_ settings: SignerSettings) throws(Failure) -> IronSession {
    for i in Indices(settings.secrets.count) {
      guard settings.secrets[i].count >= shortestPassword else {
        throw .argument("the secret has less than 32 bytes")
      }
      guard (settings.secrets.id(i) == nil) == (settings.secrets.id(0) == nil) else {
        throw .argument("some keys of the ring have an id, and some have none")
      }
    }
    guard let ids = IDs.make(settings.secrets) else { throw .memory }
    let made = IronSession(try settings.plainKeys(.sha1), settings.lifetime, ids)
    let claims = KeyClaims(.iron)
    // The salts that keys come from are in the token.
    try claims.add(made.passwords, .derivesFromAny)
    made.claims = claims
    return made
  }

  private init(_ passwords: consuming HMACKeys, _ lifetime: Int64?, _ ids: IDs) {
    self.passwords = passwords
    self.lifetime = lifetime
    self.ids = ids
  }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var json = ByteBuffer()
    try JSONText.writeString(text, .javaScript, to: &json)
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
    try JSONText.write(json, .javaScript, to: &text)
    try write(text.bytes, now, lifetime, &out)
  }

  private func write(
    _ json: Bytes, _ now: Int64, _ lifetime: Int64?, _ out: inout ByteBuffer
  ) throws(Failure) {
    let from = out.count
    out.append(IronSession.prefix)
    out.append(UInt8(ascii: "*"))
    Numbers.writeDecimal(ids[0], to: &out)
    out.append(UInt8(ascii: "*"))
    // Two salts, an IV, a key, a MAC.
    try withScratch(32 &+ 32 &+ 16 &+ 32 &+ 32) { (salts) throws(Failure) in
      let iv = salts + 64
      let key = iv + 16
      let mac = key + 32
      guard sys_random(salts, 64 &+ 16) else { throw .random }
      var sealed = ByteBuffer()
      let salt = out.count
      Hex.encode(Bytes(salts, 32), to: &out)
      try derive(0, out.bytes.dropFirst(salt), key)
      guard try SYS_AES_256_CBC.run(encrypt: true, json, key: key, iv: iv, to: &sealed) else { throw .memory }
      out.append(UInt8(ascii: "*"))
      Base64.url.encode(Bytes(iv, 16), to: &out)
      out.append(UInt8(ascii: "*"))
      Base64.url.encode(sealed.bytes, to: &out)
      out.append(UInt8(ascii: "*"))
      if let lifetime {
        let (end, overflow) = now.addingReportingOverflow(lifetime)
        let (milliseconds, overflow2) = end.multipliedReportingOverflow(by: 1000)
        guard !overflow, !overflow2 else { throw .range("the lifetime is too long") }
        Numbers.writeDecimal(milliseconds, to: &out)
      }
      var hex = ByteBuffer()
      Hex.encode(Bytes(salts + 32, 32), to: &hex)
      guard !sealed.failed, !out.failed, !hex.failed else { throw .memory }
      try self.mac(0, out.bytes.dropFirst(from), hex.bytes, key, mac)
      out.append(UInt8(ascii: "*"))
      out.append(hex.bytes)
      out.append(UInt8(ascii: "*"))
      Base64.url.encode(Bytes(mac, 32), to: &out)
    }
    out.append(IronSession.version)
    guard !out.failed else { throw .memory }
  }

  /// Writes 32 bytes: two blocks of PBKDF2, the second cut.
  private func derive(_ index: Int, _ salt: Bytes, _ key: UnsafeMutablePointer<UInt8>) throws(Failure) {
    var text = ByteBuffer()
    text.append(salt)
    text.append("\0\0\0\u{1}")
    guard !text.failed else { throw .memory }
    try withScratch(20) { (block) throws(Failure) in
      passwords.digest(index, of: text.bytes, to: key)
      text.truncate(salt.count)
      text.append("\0\0\0\u{2}")
      passwords.digest(index, of: text.bytes, to: block)
      (key + 20).copy(Bytes(block, 12))
    }
  }

  /// `key` is room for the MAC's key.
  private func mac(
    _ index: Int, _ text: Bytes, _ salt: Bytes, _ key: UnsafeMutablePointer<UInt8>,
    _ out: UnsafeMutablePointer<UInt8>
  ) throws(Failure) {
    try derive(index, salt, key)
    guard let keys = HMACKeys(count: 1, .sha256) else { throw .memory }
    keys.set(0, key: Bytes(key, 32))
    keys.digest(0, of: text, to: out)
  }

  // MARK: reading

  /// The password that made the MAC: the one that the token names if it can be that,
  /// else any, since a rotation may be at another step elsewhere. `key` has 64 bytes.
  private func matching(
    _ id: Int64, _ signed: Bytes, _ salt: Bytes, _ given: Bytes, _ key: UnsafeMutablePointer<UInt8>
  ) throws(Failure) -> Int? {
    let count = passwords.count
    let named = ids.index(of: id) ?? 0
    for tried in Indices(count) {
      // The named one first, then the others in their order.
      let index = tried == 0 ? named : tried <= named ? tried &- 1 : tried
      try mac(index, signed, salt, key, key + 32)
      if ConstantTime.equal(Bytes(key + 32, 32), given) { return index }
    }
    return nil
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    let size = token.count &- 2
    guard token.count <= Dialect.largest, size > 0, token.dropFirst(size) == Bytes(IronSession.version) else {
      return .badSignature
    }
    var rest = token.slice(0, size)
    func part() -> Bytes {
      let star = rest.find(UInt8(ascii: "*"))
      let part = rest.slice(0, star)
      rest = rest.dropFirst(star &+ 1)
      return part
    }
    let (prefix, id, salt, iv, sealed, end) = (part(), part(), part(), part(), part(), part())
    let signed = Bytes(token.start, end.end - token.start)
    let (macSalt, mac) = (part(), part())
    guard prefix == Bytes(IronSession.prefix), rest.isEmpty, !salt.isEmpty, !macSalt.isEmpty,
      let number = Numbers.read(id, base: 10)
    else { return .badSignature }
    var given = ByteBuffer()
    var vector = ByteBuffer()
    guard try Base64.url.decode(mac, to: &given), given.count == 32, try Base64.url.decode(iv, to: &vector),
      vector.count == 16
    else { return .badSignature }
    return try withScratch(64) { (key) throws(Failure) in
      guard let index = try matching(number, signed, macSalt, given.bytes, key) else { return .badSignature }
      if !end.isEmpty {
        guard let milliseconds = Numbers.read(end, base: 10) else { return .badSignature }
        let (present, overflow) = now.multipliedReportingOverflow(by: 1000)
        let (age, overflow2) = present.subtractingReportingOverflow(milliseconds)
        let late = overflow || overflow2 ? now > 0 : age >= skew &* 1000
        guard !late else { return .expired }
      }
      var text = ByteBuffer()
      var plain = ByteBuffer()
      defer { plain.wipe() }
      guard try Base64.url.decode(sealed, to: &text) else { return .badSignature }
      guard text.count <= limit else { throw .limit("the payload is over the limit") }
      try derive(index, salt, key)
      guard try SYS_AES_256_CBC.run(encrypt: false, text.bytes, key: key, iv: vector.bytes.start, to: &plain) else {
        return .badSignature
      }
      try Dialect.give(plain.bytes, json: json, to: &out)
      return .valid(timestamp: nil, key: index)
    }
  }
}
