import CSystem
import CTuile

/// Django's Signer and TimestampSigner: `value:signature` and
/// `value:base62(seconds):signature`, where the signature is the unpadded
/// URL-safe base64 of HMAC-SHA-256 and the key SHA-256(salt ‖ "signer" ‖ secret).
///
/// Safe from all threads: nothing changes after init.
final class Signer {
  static let mostFallbacks = 64
  /// Longer values and tokens are refused.
  static let largest = 64 << 20

  let timed: Bool
  private let keys: HMACKeys

  /// The first secret signs, all verify.
  static func make(secrets: SecretList, salt: Bytes, timed: Bool) throws(Failure) -> Signer {
    guard let keys = HMACKeys(count: secrets.count) else { throw .memory }
    var material = ByteBuffer()
    defer { material.wipe() }
    var i = 0
    while i < secrets.count {
      material.removeAll()
      // Reserved at once: growing would leave a copy of the secret behind.
      guard material.reserve(salt.count &+ 6 &+ secrets[i].count) else { throw .memory }
      material.append(salt)
      material.append("signer")
      material.append(secrets[i])
      try withScratch(HMACKeys.digestSize) { (digest) throws(Failure) in
        SHA256(material.bytes.start, material.bytes.count, digest)
        keys.set(i, key: Bytes(digest, HMACKeys.digestSize))
      }
      i &+= 1
    }
    return Signer(keys, timed: timed)
  }

  private init(_ keys: consuming HMACKeys, timed: Bool) {
    self.keys = keys
    self.timed = timed
  }

  static let signatureSize = 43
  /// Room for a value of that size: `:`, base 62 seconds, `:` and the signature.
  static func roomFor(_ value: Int) -> Int { value &+ 14 &+ signatureSize }

  private func signature(_ key: Int, of text: Bytes, to out: UnsafeMutablePointer<UInt8>) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: HMACKeys.digestSize) { room in
      guard let digest = room.baseAddress else { return }
      keys.digest(key, of: text, to: digest)
      Base64URL.encode(Bytes(digest, HMACKeys.digestSize), to: out)
    }
  }

  /// `writer` may count only, or be too small; then nothing is signed and it
  /// says how much is needed.
  func sign(_ value: Bytes, now: Int64, to writer: inout ByteWriter) {
    writer.append(value)
    finish(value.count, now: now, to: &writer)
  }

  /// Signs the last `count` bytes written, which are the value.
  func finish(_ count: Int, now: Int64, to writer: inout ByteWriter) {
    let from = writer.count &- count
    if timed {
      writer.append(0x3A)
      Numbers.write(now, base: 62, to: &writer)
    }
    let signed = writer.count
    guard let start = writer.start, signed &+ 1 &+ Signer.signatureSize <= writer.capacity else {
      writer.skip(1 &+ Signer.signatureSize)
      return
    }
    writer.append(0x3A)
    signature(0, of: Bytes(UnsafePointer(start + from), signed &- from), to: start + writer.count)
    writer.skip(Signer.signatureSize)
  }

  struct Verified {
    let value: Bytes
    let timestamp: Int64?
    let key: Int
  }

  enum Answer {
    case valid(Verified)
    case badSignature
    case expired
  }

  /// `value` in the answer points into `token`. An age of exactly `maxAge`
  /// seconds is still good, as in Django.
  func verify(_ token: Bytes, maxAge: Int64?, now: Int64) -> Answer {
    guard token.count <= Signer.largest, let colon = token.findLast(0x3A) else { return .badSignature }
    let signed = token.slice(0, colon)
    let given = token.dropFirst(colon &+ 1)
    guard given.count == Signer.signatureSize, let key = matching(signed, given) else { return .badSignature }
    guard timed else { return .valid(Verified(value: signed, timestamp: nil, key: key)) }
    guard let split = signed.findLast(0x3A),
      let timestamp = Numbers.read(signed.dropFirst(split &+ 1), base: 62)
    else { return .badSignature }
    if let maxAge {
      let (age, overflow) = now.subtractingReportingOverflow(timestamp)
      if overflow ? now > timestamp : age > maxAge { return .expired }
    }
    return .valid(Verified(value: signed.slice(0, split), timestamp: timestamp, key: key))
  }

  private func matching(_ text: Bytes, _ given: Bytes) -> Int? {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Signer.signatureSize) { room in
      guard let expected = room.baseAddress else { return nil }
      var key = 0
      while key < keys.count {
        signature(key, of: text, to: expected)
        if ConstantTime.equal(Bytes(expected, Signer.signatureSize), given) { return key }
        key &+= 1
      }
      return nil
    }
  }
}

/// The secret and its fallbacks as the caller gave them, borrowed.
struct SecretList {
  let secret: Bytes
  let fallbacks: UnsafePointer<tuile_bytes>?
  let count: Int

  init(secret: tuile_bytes, fallbacks: UnsafePointer<tuile_bytes>?, count: Int) throws(Failure) {
    guard let first = Bytes(secret), !first.isEmpty else { throw .argument("the secret is empty") }
    guard first.count <= 4096 else { throw .limit("the secret has more than 4096 bytes") }
    guard count >= 0, count <= Signer.mostFallbacks else { throw .limit("more than 64 fallbacks") }
    guard count == 0 || fallbacks != nil else { throw .argument("fallbacks is NULL") }
    var i = 0
    while i < count, let fallbacks {
      guard let fallback = Bytes(fallbacks[i]), !fallback.isEmpty else { throw .argument("a fallback is empty") }
      guard fallback.count <= 4096 else { throw .limit("a fallback has more than 4096 bytes") }
      i &+= 1
    }
    self.secret = first
    self.fallbacks = fallbacks
    self.count = count &+ 1
  }

  subscript(index: Int) -> Bytes {
    guard index > 0, index < count, let fallbacks else { return secret }
    return Bytes(fallbacks[index &- 1]) ?? Bytes()
  }
}
