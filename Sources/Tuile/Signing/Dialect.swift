import CTuile

/// How one framework makes and reads tokens. A dialect is one file that inherits
/// from this and overrides what it has; nothing else knows which there are but
/// `Dialect.make`.
///
/// Safe from all threads: nothing changes after init.
class Dialect {
  /// Longer values and tokens are refused before anything is decoded.
  static let largest = Deflated.largest

  enum Opened {
    /// `timestamp` is Unix seconds if the format has one; `key` counts from 0,
    /// the first secret.
    case valid(timestamp: Int64?, key: Int)
    case badSignature
    case expired
  }

  /// What its keys are used for, until it goes.
  var claims: KeyClaims?

  /// This one, if it is Django's signer, which writes without memory of its own.
  var django: DjangoSigner? { nil }

  /// Appends the token of a text.
  func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    throw .argument("this dialect signs no text; use dumps")
  }

  /// Appends the token of one JSON value.
  func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    throw .argument("this dialect has no form for JSON; use sign")
  }

  /// As `dumps`, good for so many seconds where the format says an end.
  func dumps(
    _ json: Bytes, compress: Bool, now: Int64, lifetime: Int64, to out: inout ByteBuffer
  ) throws(Failure) {
    try dumps(json, compress: compress, now: now, to: &out)
  }

  /// Its tokens say when they were made.
  var isTimed: Bool { false }

  /// For how many seconds a token is taken after its end.
  var skew: Int64 { 0 }

  /// The room that any token of the same text needs, where chance has a say in it.
  func roomFor(_ token: Bytes) -> Int { token.count }

  /// Appends the text, or the JSON, that a token holds, once it is known to be
  /// genuine and in time; `limit` bytes at most.
  func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    .badSignature
  }

  /// Its framework percent-encodes tokens in a cookie.
  var isPercentInCookies: Bool { false }

  /// As `open`, of a token as it is or as a Cookie header has it.
  final func openAsSent(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    let answer = try open(token, json: json, maxAge: maxAge, now: now, limit: limit, to: &out)
    guard case .badSignature = answer, isPercentInCookies, token.count <= Dialect.largest,
      token.contains(UInt8(ascii: "%"))
    else {
      return answer
    }
    var plain = ByteBuffer()
    guard Percent.decode(token, to: &plain) else { throw .memory }
    return try open(plain.bytes, json: json, maxAge: maxAge, now: now, limit: limit, to: &out)
  }

  struct Verified {
    /// Points into the token.
    let value: Bytes
    let timestamp: Int64?
    let key: Int
  }

  enum Answer {
    case valid(Verified)
    case badSignature
    case expired
  }

  /// As `open` for a text that stands in the token as it is.
  func verify(_ token: Bytes, maxAge: Int64?, now: Int64) throws(Failure) -> Answer {
    throw .argument("this dialect's tokens hold more than text; use tuile_token_unsign")
  }

  /// `open` for those that have `verify`.
  final func openPlain(
    _ token: Bytes, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    switch try verify(token, maxAge: maxAge, now: now) {
    case .badSignature: return .badSignature
    case .expired: return .expired
    case .valid(let verified):
      guard verified.value.count <= limit else { throw .limit("the payload is over the limit") }
      out.append(verified.value)
      guard !out.failed else { throw .memory }
      return .valid(timestamp: verified.timestamp, key: verified.key)
    }
  }

  /// The end of an `open` whose payload is JSON: that itself, or the text it is.
  static func give(_ payload: Bytes, json: Bool, to out: inout ByteBuffer) throws(Failure) {
    if json { out.append(payload) } else { try JSONText.readText(payload, to: &out) }
    guard !out.failed else { throw .memory }
  }

  /// Whether more than `maxAge` seconds have passed.
  static func isOlder(_ timestamp: Int64, than maxAge: Int64, now: Int64) -> Bool {
    let (age, overflow) = now.subtractingReportingOverflow(timestamp)
    return overflow ? now > timestamp : age > maxAge
  }
}

/// What a dialect is made from: the caller's texts, borrowed.
struct SignerSettings {
  var secrets: SecretList
  var salt = Bytes()
  var name = Bytes()
  var blockSecret = Bytes()
  var timed = true
  var digest: Digest?
  var derivation: KeyDerivation?
  var iterations: Int32 = 1000
  /// Seconds for which what is written is good, in formats that say so.
  var lifetime: Int64?
  /// Seconds by which clocks may differ, in formats that leave it to the reader.
  var leeway: Int64 = 0
  /// Also read what the framework wrote before it changed its format.
  var legacy = false
  /// Of Rails.
  var cipher: RailsForm.Cipher?
  var macDigest: Digest?
  var macSalt = Bytes()
}

/// How itsdangerous makes a key from salt and secret.
enum KeyDerivation { case djangoConcat, concat, hmac, none }

extension SignerSettings {
  func needName() throws(Failure) {
    guard !name.isEmpty else { throw .argument("this dialect needs the cookie's name") }
  }

  /// The keys that all secrets give, one after the other.
  func keys(
    _ digest: Digest,
    _ derive: (_ secret: Bytes, _ key: UnsafeMutablePointer<UInt8>) throws(Failure) -> Int
  ) throws(Failure) -> HMACKeys {
    guard let keys = HMACKeys(count: secrets.count, digest) else { throw .memory }
    for i in Indices(secrets.count) {
      let secret = secrets[i]
      try withScratch(Digest.largest) { (key) throws(Failure) in
        let size = try derive(secret, key)
        keys.set(i, key: Bytes(key, size))
      }
    }
    return keys
  }

  /// The secrets themselves as keys.
  func plainKeys(_ digest: Digest) throws(Failure) -> HMACKeys {
    guard let keys = HMACKeys(count: secrets.count, digest) else { throw .memory }
    for i in Indices(secrets.count) {
      keys.set(i, key: secrets[i])
    }
    return keys
  }

  /// The keys that the digest of some texts and the secret between them gives.
  func hashedKeys(_ digest: Digest, before: Bytes, _ middle: StaticString) throws(Failure) -> HMACKeys {
    var material = ByteBuffer()
    defer { material.wipe() }
    return try keys(digest) { (secret, key) throws(Failure) in
      material.removeAll()
      // Reserved at once: growing would leave a copy of the secret behind.
      guard material.reserve(before.count &+ middle.count &+ 4096) else { throw .memory }
      material.append(before)
      material.append(middle)
      material.append(secret)
      digest.hash(material.bytes, to: key)
      return digest.size
    }
  }
}
