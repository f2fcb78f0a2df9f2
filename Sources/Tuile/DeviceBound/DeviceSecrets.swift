import CSystem

/// What a server signs and seals of device-bound sessions, so that it keeps nothing of
/// them: challenges, bound cookies, identifiers. Made of the manager's secrets, of which the
/// first writes and all read.
///
///     challenge     time 5 ‖ nonce 12 ‖ MAC 16
///     bound cookie  end 5 ‖ MAC 16
///
/// in base64url. Each MAC is HMAC-SHA-256, its first 16 bytes, over what it is for, the
/// fields of fixed size, and what it is about: no text of one use is one of another.
final class DeviceSecrets {
  /// What a MAC is for.
  enum Use: UInt8 {
    /// A challenge that a login offered; about the session ID.
    case offer = 0x6F
    /// A challenge of a refresh; about the binding.
    case refresh = 0x72
    /// A bound cookie; about the binding.
    case cookie = 0x63
    /// The binding itself; about the key.
    case binding = 0x62
  }

  /// Seconds that a challenge is good: what a device takes to sign, and to try again.
  static let challengeLife: Int64 = 120
  /// By how much another server's clock may be ahead.
  private static let clocksApart: Int64 = 300
  private static let macSize = 16
  private static let timeSize = 5
  private static let nonceSize = 12

  private let keys: HMACKeys
  private let sealer: NativeToken

  static func make(_ secrets: SecretList) throws(Failure) -> DeviceSecrets {
    guard let keys = HMACKeys(count: secrets.count, .sha256) else { throw .memory }
    let info = Bytes("tuile v1 device binding")
    for i in Indices(secrets.count) {
      try withScratch(32) { (key) throws(Failure) in
        guard sys_hkdf_sha256(false, secrets[i].lent, info.lent, key, 32) else { throw .memory }
        keys.set(i, key: Bytes(key, 32))
      }
    }
    // How strong the secrets are was looked at by the manager.
    var settings = SignerSettings(secrets: secrets)
    settings.salt = Bytes("tuile.device_binding")
    settings.legacy = true
    return DeviceSecrets(keys, try NativeToken.make(settings, sealed: true))
  }

  private init(_ keys: consuming HMACKeys, _ sealer: NativeToken) {
    self.keys = keys
    self.sealer = sealer
  }

  // MARK: Challenges

  enum Challenge {
    case fresh
    /// Genuine, and too old.
    case stale
    /// None of ours, or another session's.
    case foreign
  }

  func writeChallenge(_ use: Use, about subject: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    DeviceSecrets.append(now, to: &text)
    try withScratch(DeviceSecrets.nonceSize) { (nonce) throws(Failure) in
      guard sys_random(nonce, DeviceSecrets.nonceSize) else { throw .random }
      text.append(Bytes(nonce, DeviceSecrets.nonceSize))
    }
    try write(use, text.bytes, about: subject, to: &out)
  }

  func check(_ challenge: Bytes, _ use: Use, about subject: Bytes, now: Int64) throws(Failure) -> Challenge {
    var text = ByteBuffer()
    let fields = DeviceSecrets.timeSize &+ DeviceSecrets.nonceSize
    guard try read(challenge, use, fields, about: subject, to: &text) else { return .foreign }
    return DeviceSecrets.isFresh(text.bytes, now: now) ? .fresh : .stale
  }

  /// Whether a challenge says that it is fresh; what it says may be anybody's.
  func isFresh(_ challenge: Bytes, now: Int64) throws(Failure) -> Bool {
    var text = ByteBuffer()
    guard challenge.count <= 64, try Base64.url.decode(challenge, to: &text) else { return false }
    return DeviceSecrets.isFresh(text.bytes, now: now)
  }

  private static func isFresh(_ fields: Bytes, now: Int64) -> Bool {
    let time = time(fields)
    return now &- time <= challengeLife && time &- now <= clocksApart
  }

  // MARK: Bound cookies

  func writeCookie(of binding: Bytes, until end: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    DeviceSecrets.append(end, to: &text)
    try write(.cookie, text.bytes, about: binding, to: &out)
  }

  func accepts(cookie: Bytes, of binding: Bytes, now: Int64) throws(Failure) -> Bool {
    var text = ByteBuffer()
    guard try read(cookie, .cookie, DeviceSecrets.timeSize, about: binding, to: &text) else { return false }
    return now < DeviceSecrets.time(text.bytes)
  }

  // MARK: Bindings

  /// Writes 32 bytes that the key and the challenge which it first signed give, with one of
  /// the secrets: the same proof gives them again, nobody else can.
  func writeBinding(_ secret: Int, _ challenge: Bytes, _ key: DeviceKey, to out: UnsafeMutablePointer<UInt8>)
    throws(Failure)
  {
    var text = ByteBuffer()
    text.append(Use.binding.rawValue)
    text.append(key.algorithm.rawValue)
    try withScratch(32) { (digest) throws(Failure) in
      Digest.sha256.hash(key.form, to: digest)
      text.append(Bytes(digest, 32))
    }
    text.append(challenge)
    guard !text.failed else { throw .memory }
    keys.digest(secret, of: text.bytes, to: out)
  }

  var count: Int { keys.count }

  // MARK: Identifiers

  func seal(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    try sealer.sign(text, now: now, to: &out)
  }

  /// When it was sealed, in Unix seconds; nil: it is none of ours.
  func open(_ identifier: Bytes, to text: inout ByteBuffer) throws(Failure) -> Int64? {
    guard identifier.count <= 2048 else { return nil }
    let opened = try sealer.open(identifier, json: false, maxAge: nil, now: 0, limit: 2048, to: &text)
    guard case .valid(let time, _) = opened else { return nil }
    return time ?? 0
  }

  // MARK: Their form

  private func mac(
    _ secret: Int, _ use: Use, _ fields: Bytes, about subject: Bytes, to out: UnsafeMutablePointer<UInt8>
  ) throws(Failure) {
    var text = ByteBuffer()
    text.append(use.rawValue)
    text.append(fields)
    text.append(subject)
    guard !text.failed else { throw .memory }
    keys.digest(secret, of: text.bytes, to: out)
  }

  private func write(
    _ use: Use, _ fields: Bytes, about subject: Bytes, to out: inout ByteBuffer
  ) throws(Failure) {
    var text = ByteBuffer()
    text.append(fields)
    try withScratch(32) { (room) throws(Failure) in
      try mac(0, use, fields, about: subject, to: room)
      text.append(Bytes(room, DeviceSecrets.macSize))
    }
    guard !text.failed else { throw .memory }
    Base64.url.encode(text.bytes, to: &out)
    guard !out.failed else { throw .memory }
  }

  /// Writes the fields whose MAC is right.
  private func read(
    _ token: Bytes, _ use: Use, _ fields: Int, about subject: Bytes, to out: inout ByteBuffer
  ) throws(Failure) -> Bool {
    var text = ByteBuffer()
    guard token.count <= 64, try Base64.url.decode(token, to: &text),
      text.count == fields &+ DeviceSecrets.macSize
    else { return false }
    let given = text.bytes.dropFirst(fields)
    let said = text.bytes.slice(0, fields)
    let isRight: Bool = try withScratch(32) { (room) throws(Failure) in
      for i in Indices(keys.count) {
        try mac(i, use, said, about: subject, to: room)
        if ConstantTime.equal(Bytes(room, DeviceSecrets.macSize), given) { return true }
      }
      return false
    }
    if isRight { out.append(said) }
    guard !out.failed else { throw .memory }
    return isRight
  }

  private static func append(_ time: Int64, to out: inout ByteBuffer) {
    var shift: Int64 = 32
    while shift >= 0 {
      out.append(UInt8(truncatingIfNeeded: max(0, time) &>> shift))
      shift &-= 8
    }
  }

  private static func time(_ text: Bytes) -> Int64 { Int64(bitPattern: text.bigEndian(0, timeSize)) }
}
