import CSystem

/// Text with a NUL behind it, as C wants it; wiped when it goes, since it may be
/// a password. Whoever reads `start` or `bytes` keeps the object alive.
final class CText {
  let start: UnsafeMutablePointer<CChar>
  let count: Int

  @inline(never)
  init(_ bytes: Bytes) {
    count = bytes.count
    start = .allocate(capacity: bytes.count &+ 1)
    UnsafeMutableRawPointer(start).copyMemory(from: bytes.start, byteCount: bytes.count)
    start[bytes.count] = 0
  }

  /// Percent-decoded, from a URL.
  static func decoded(_ text: Bytes) throws(Failure) -> CText {
    var decoded = ByteBuffer()
    defer { decoded.wipe() }
    try URLText.decode(text, to: &decoded)
    return CText(decoded.bytes)
  }

  deinit {
    sys_wipe(start, count)
    start.deallocate()
  }

  var bytes: Bytes { Bytes(UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), count) }
}
