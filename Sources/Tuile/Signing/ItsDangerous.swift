import CSystem

/// itsdangerous 2.2: Signer, TimestampSigner, URLSafeSerializer and
/// URLSafeTimedSerializer, and with other settings Flask's session and
/// Starlette's. `value.signature` or `value.time.signature`, all in URL-safe
/// base64 without padding; the time is big-endian seconds.
///
/// itsdangerous compares decoded signatures, so that spare bits of their base64
/// may differ; here only the canonical form is read.
final class ItsDangerous: Dialect {
  /// What dumps makes of JSON.
  enum Payload {
    /// base64, deflated where that is shorter, with a dot in front then.
    case urlSafe
    /// The same of JSON in ASCII, as Flask writes its session.
    case flask
    /// json.dumps with its spaces, in standard base64 with padding.
    case starlette
  }

  private let keys: HMACKeys
  private let timed: Bool
  private let payload: Payload

  static func make(_ settings: SignerSettings, _ payload: Payload) throws(Failure) -> ItsDangerous {
    let digest = settings.digest ?? .sha1
    let salt = settings.salt
    let claims = KeyClaims(payload == .flask ? .flask : payload == .starlette ? .starlette : .itsDangerous)
    let keys: HMACKeys
    switch settings.derivation ?? .djangoConcat {
    case .djangoConcat: keys = try settings.hashedKeys(digest, before: salt, "signer")
    case .concat: keys = try settings.hashedKeys(digest, before: salt, "")
    case .none: keys = try settings.plainKeys(digest)
    case .hmac:
      let masters = try settings.plainKeys(digest)
      try claims.add(masters, .derives(salt))
      var next = 0
      keys = try settings.keys(digest) { (_, key) throws(Failure) in
        masters.digest(next, of: salt, to: key)
        next &+= 1
        return digest.size
      }
    }
    try claims.add(keys, .signs(prefix: Bytes()))
    let made = ItsDangerous(keys, settings.timed, payload)
    made.claims = claims
    return made
  }

  private init(_ keys: consuming HMACKeys, _ timed: Bool, _ payload: Payload) {
    self.keys = keys
    self.timed = timed
    self.payload = payload
  }

  override var isTimed: Bool { timed }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    let from = out.count
    out.append(text)
    try finish(from, now, &out)
  }

  /// Signs what stands at the end of `out`.
  private func finish(_ from: Int, _ now: Int64, _ out: inout ByteBuffer) throws(Failure) {
    if timed {
      out.append(UInt8(ascii: "."))
      try withScratch(8) { (time) throws(Failure) in
        var size = 0
        var shift: UInt64 = 56
        let seconds = UInt64(bitPattern: max(0, now))
        while true {
          let byte = UInt8(truncatingIfNeeded: seconds &>> shift)
          if size > 0 || byte != 0 {
            time[size] = byte
            size &+= 1
          }
          if shift == 0 { break }
          shift &-= 8
        }
        Base64.url.encode(Bytes(time, size), to: &out)
      }
    }
    try withScratch(Digest.largest) { (mac) throws(Failure) in
      keys.digest(0, of: out.bytes.dropFirst(from), to: mac)
      out.append(UInt8(ascii: "."))
      Base64.url.encode(Bytes(mac, keys.digest.size), to: &out)
    }
    guard !out.failed else { throw .memory }
  }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    let from = out.count
    var text = ByteBuffer()
    switch payload {
    case .urlSafe, .flask:
      try JSONText.write(json, payload == .flask ? .python : .javaScript, to: &text)
      try Deflated.encode(text.bytes, compress: compress, to: &out)
    case .starlette:
      try JSONText.write(json, .pythonSpaced, to: &text)
      Base64.standard.encode(text.bytes, to: &out)
    }
    try finish(from, now, &out)
  }

  override func verify(_ token: Bytes, maxAge: Int64?, now: Int64) throws(Failure) -> Answer {
    guard token.count <= Dialect.largest, let dot = token.findLast(UInt8(ascii: ".")) else { return .badSignature }
    let signed = token.slice(0, dot)
    var mac = ByteBuffer()
    guard token.count &- dot <= 100, try Base64.url.decode(token.dropFirst(dot &+ 1), to: &mac),
      let key = keys.matching(signed, mac.bytes)
    else { return .badSignature }
    guard timed else { return .valid(Verified(value: signed, timestamp: nil, key: key)) }
    guard let split = signed.findLast(UInt8(ascii: ".")),
      let time = try ItsDangerous.readTime(signed.dropFirst(split &+ 1))
    else {
      return .badSignature
    }
    // One from the future is refused too, as itsdangerous does.
    if let maxAge, now < time || Dialect.isOlder(time, than: maxAge, now: now) { return .expired }
    return .valid(Verified(value: signed.slice(0, split), timestamp: time, key: key))
  }

  private static func readTime(_ text: Bytes) throws(Failure) -> Int64? {
    var bytes = ByteBuffer()
    guard text.count <= 11, try Base64.url.decode(text, to: &bytes), bytes.count <= 8 else { return nil }
    let time = bytes.bytes.bigEndian(0, bytes.count)
    return time <= UInt64(Int64.max) ? Int64(bitPattern: time) : nil
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard json else { return try openPlain(token, maxAge: maxAge, now: now, limit: limit, to: &out) }
    switch try verify(token, maxAge: maxAge, now: now) {
    case .badSignature: return .badSignature
    case .expired: return .expired
    case .valid(let verified):
      switch payload {
      case .urlSafe, .flask: try Deflated.decode(verified.value, limit: limit, to: &out)
      case .starlette:
        guard try Base64.standard.decode(verified.value, to: &out) else { throw .syntax("the payload is not base64") }
      }
      guard !out.failed else { throw .memory }
      return .valid(timestamp: verified.timestamp, key: verified.key)
    }
  }
}
