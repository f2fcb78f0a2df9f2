import CSystem
import CTuile

/// Django's Signer and TimestampSigner: `value:signature` and
/// `value:base62(seconds):signature`, where the signature is the unpadded
/// URL-safe base64 of HMAC-SHA-256 and the key SHA-256(salt ‖ "signer" ‖ secret).
///
/// Safe from all threads: nothing changes after init.
final class DjangoSigner: Dialect {
  let timed: Bool
  private let keys: HMACKeys

  /// The first secret signs, all verify.
  static func make(secrets: SecretList, salt: Bytes, timed: Bool) throws(Failure) -> DjangoSigner {
    let settings = SignerSettings(secrets: secrets, salt: salt)
    let signer = DjangoSigner(try settings.hashedKeys(.sha256, before: salt, "signer"), timed: timed)
    let claims = KeyClaims(.django)
    try signer.claim(claims)
    signer.claims = claims
    return signer
  }

  init(_ keys: consuming HMACKeys, timed: Bool) {
    self.keys = keys
    self.timed = timed
  }

  func claim(_ claims: KeyClaims) throws(Failure) { try claims.add(keys, .signs(prefix: Bytes())) }

  static let signatureSize = 43
  /// Room for a value of that size: `:`, base 62 seconds, `:` and the signature.
  static func roomFor(_ value: Int) -> Int { value &+ 14 &+ signatureSize }

  private func signature(_ key: Int, of text: Bytes, to out: UnsafeMutablePointer<UInt8>) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { room in
      guard let digest = room.baseAddress else { return }
      keys.digest(key, of: text, to: digest)
      Base64URL.encode(Bytes(digest, 32), to: out)
    }
  }

  /// `writer` may count only, or be too small; then nothing is signed and it
  /// says how much is needed.
  func sign(_ value: Bytes, now: Int64, to writer: inout ByteWriter) {
    let from = writer.count
    writer.append(value)
    if timed {
      writer.append(UInt8(ascii: ":"))
      Numbers.write(now, base: 62, to: &writer)
    }
    let signed = writer.count
    guard let start = writer.start, signed &+ 1 &+ DjangoSigner.signatureSize <= writer.capacity else {
      writer.skip(1 &+ DjangoSigner.signatureSize)
      return
    }
    writer.append(UInt8(ascii: ":"))
    signature(0, of: Bytes(UnsafePointer(start + from), signed &- from), to: start + writer.count)
    writer.skip(DjangoSigner.signatureSize)
  }

  /// `value` in the answer points into `token`. An age of exactly `maxAge`
  /// seconds is still good, as in Django.
  override func verify(_ token: Bytes, maxAge: Int64?, now: Int64) -> Answer {
    guard token.count <= Dialect.largest, let colon = token.findLast(UInt8(ascii: ":")) else { return .badSignature }
    let signed = token.slice(0, colon)
    let given = token.dropFirst(colon &+ 1)
    guard given.count == DjangoSigner.signatureSize, let key = matching(signed, given) else { return .badSignature }
    guard timed else { return .valid(Verified(value: signed, timestamp: nil, key: key)) }
    guard let split = signed.findLast(UInt8(ascii: ":")),
      let timestamp = Numbers.read(signed.dropFirst(split &+ 1), base: 62)
    else { return .badSignature }
    if let maxAge, Dialect.isOlder(timestamp, than: maxAge, now: now) { return .expired }
    return .valid(Verified(value: signed.slice(0, split), timestamp: timestamp, key: key))
  }

  private func matching(_ text: Bytes, _ given: Bytes) -> Int? {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: DjangoSigner.signatureSize) { room in
      guard let expected = room.baseAddress else { return nil }
      for key in Indices(keys.count) {
        signature(key, of: text, to: expected)
        if ConstantTime.equal(Bytes(expected, DjangoSigner.signatureSize), given) { return key }
      }
      return nil
    }
  }

  // MARK: as a dialect

  override var django: DjangoSigner? { self }
  override var isTimed: Bool { timed }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    try append(text, now: now, to: &out)
  }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var canonical = ByteBuffer()
    try JSONText.canonicalize(json, to: &canonical)
    try dumpsCanonical(canonical.bytes, compress: compress, now: now, to: &out)
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    json
      ? try loads(token, maxAge: maxAge, now: now, limit: limit, to: &out)
      : try openPlain(token, maxAge: maxAge, now: now, limit: limit, to: &out)
  }
}
