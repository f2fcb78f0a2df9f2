import CSystem

/// HMAC-SHA-256 keys with their pads hashed beforehand, wiped when they go.
/// The hash functions are libcrypto's.
struct HMACKeys: ~Copyable {
  private let keys: UnsafeMutablePointer<sys_hmac>
  let count: Int

  /// nil without memory. `count` keys, all to be set.
  init?(count: Int) {
    guard count >= 0, count < 1 << 16,
      let raw = malloc(max(1, count) &* MemoryLayout<sys_hmac>.stride)
    else { return nil }
    keys = raw.assumingMemoryBound(to: sys_hmac.self)
    self.count = count
  }

  deinit {
    sys_wipe(keys, count &* MemoryLayout<sys_hmac>.stride)
    free(keys)
  }

  func set(_ index: Int, key: Bytes) {
    guard index >= 0, index < count else { return }
    sys_hmac_init(keys + index, key.start, key.count)
  }

  static let digestSize = 32

  func digest(_ index: Int, of data: Bytes, to out: UnsafeMutablePointer<UInt8>) {
    guard index >= 0, index < count else { return }
    sys_hmac_digest(keys + index, data.start, data.count, out)
  }
}
