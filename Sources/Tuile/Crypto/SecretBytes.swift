import CSystem

/// Memory for key material, wiped when it goes.
struct SecretBytes: ~Copyable {
  let start: UnsafeMutablePointer<UInt8>
  let count: Int

  /// Zeros; nil without memory.
  init?(count: Int) {
    guard count >= 0, count < 1 << 24, let raw = calloc(max(1, count), 1) else { return nil }
    start = raw.assumingMemoryBound(to: UInt8.self)
    self.count = count
  }

  deinit {
    sys_wipe(start, count)
    free(start)
  }

  var bytes: Bytes { Bytes(start, count) }
}
