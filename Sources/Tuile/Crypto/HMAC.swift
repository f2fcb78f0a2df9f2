import CSystem

/// HMAC keys with their pads hashed beforehand, wiped when they go. The hash
/// functions are libcrypto's.
struct HMACKeys: ~Copyable {
  private let keys: UnsafeMutablePointer<sys_hmac>
  let count: Int
  let digest: Digest

  /// nil without memory. `count` keys, all to be set.
  init?(count: Int, _ digest: Digest) {
    guard count >= 0, count < 1 << 16,
      let raw = malloc(max(1, count) &* MemoryLayout<sys_hmac>.stride)
    else { return nil }
    keys = raw.assumingMemoryBound(to: sys_hmac.self)
    self.count = count
    self.digest = digest
  }

  deinit {
    sys_wipe(keys, count &* MemoryLayout<sys_hmac>.stride)
    free(keys)
  }

  func set(_ index: Int, key: Bytes) {
    guard index >= 0, index < count else { return }
    sys_hmac_init(keys + index, digest.c, key.start, key.count)
  }

  /// Writes `digest.size` bytes.
  func digest(_ index: Int, of data: Bytes, to out: UnsafeMutablePointer<UInt8>) {
    guard index >= 0, index < count else { return }
    sys_hmac_digest(keys + index, data.start, data.count, out)
  }

  /// Whether `given` is the MAC of `data` under a key; all are tried in order.
  func matching(_ data: Bytes, _ given: Bytes) -> Int? {
    guard given.count == digest.size else { return nil }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Digest.largest) { room in
      guard let expected = room.baseAddress else { return nil }
      for key in Indices(count) {
        digest(key, of: data, to: expected)
        if ConstantTime.equal(Bytes(expected, digest.size), given) { return key }
      }
      return nil
    }
  }
}

/// A hash function.
enum Digest {
  case sha1, sha256, sha384, sha512

  static let largest = 64

  var c: sys_digest {
    switch self {
    case .sha1: return SYS_SHA1
    case .sha256: return SYS_SHA256
    case .sha384: return SYS_SHA384
    case .sha512: return SYS_SHA512
    }
  }

  var size: Int {
    switch self {
    case .sha1: return 20
    case .sha256: return 32
    case .sha384: return 48
    case .sha512: return 64
    }
  }

  /// Writes `size` bytes.
  func hash(_ data: Bytes, to out: UnsafeMutablePointer<UInt8>) {
    sys_digest_of(c, data.start, data.count, out)
  }

  /// PBKDF2 (RFC 8018).
  func pbkdf2(
    _ password: Bytes, salt: Bytes, iterations: Int32, to out: UnsafeMutablePointer<UInt8>, size: Int
  ) throws(Failure) {
    guard sys_pbkdf2(c, password.lent, salt.lent, iterations, out, size) else {
      throw .memory
    }
  }
}
