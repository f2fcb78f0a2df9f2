import CSystem

/// Base64 with the URL-safe alphabet and without padding (RFC 4648, section 5),
/// as Django and itsdangerous write it.
enum Base64URL {
  static func encodedSize(_ count: Int) -> Int { (count / 3) &* 4 &+ (count % 3 == 0 ? 0 : count % 3 &+ 1) }

  /// At least as many bytes as decoding `count` characters can give.
  static func decodedSize(_ count: Int) -> Int { (count / 4) &* 3 &+ 3 }

  /// Writes `encodedSize(bytes.count)` characters.
  static func encode(_ bytes: Bytes, to out: UnsafeMutablePointer<UInt8>) {
    sys_base64_encode(true, bytes.start, bytes.count, out)
  }

  /// Writes at most `decodedSize(text.count)` bytes and returns how many, or nil
  /// if `text` is not base64.
  static func decode(_ text: Bytes, to out: UnsafeMutablePointer<UInt8>) -> Int? {
    Base64.url.decode(text, to: out)
  }
}
