import CSystem

/// Base64 with the URL-safe alphabet and without padding (RFC 4648, section 5),
/// as Django and itsdangerous write it.
enum Base64URL {
  static func encodedSize(_ count: Int) -> Int { (count / 3) &* 4 &+ (count % 3 == 0 ? 0 : count % 3 &+ 1) }

  /// At least as many bytes as decoding `count` characters can give.
  static func decodedSize(_ count: Int) -> Int { (count / 4) &* 3 &+ 3 }

  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

  /// Writes `encodedSize(bytes.count)` characters.
  static func encode(_ bytes: Bytes, to out: UnsafeMutablePointer<UInt8>) {
    let table = alphabet.start
    var i = 0
    var o = 0
    while i < bytes.count {
      let group = UInt32(bytes[i]) &<< 16 | UInt32(bytes[i &+ 1]) &<< 8 | UInt32(bytes[i &+ 2])
      let left = bytes.count &- i
      out[o] = table[Int(group &>> 18)]
      out[o &+ 1] = table[Int(group &>> 12 & 63)]
      if left > 1 { out[o &+ 2] = table[Int(group &>> 6 & 63)] }
      if left > 2 { out[o &+ 3] = table[Int(group & 63)] }
      i &+= 3
      o &+= 4
    }
  }

  /// Writes at most `decodedSize(text.count)` bytes and returns how many, or nil
  /// if `text` is not base64. Only the canonical form is read: spare bits are zero.
  static func decode(_ text: Bytes, to out: UnsafeMutablePointer<UInt8>) -> Int? {
    guard text.count % 4 != 1 else { return nil }
    let read = sys_base64url_groups(text.start, text.count, out)
    let left = text.count &- read
    guard left < 4 else { return nil }
    var group: UInt32 = 0
    for k in Indices(left) {
      let bits = sys_base64url_value(text[read &+ k])
      guard bits < 64 else { return nil }
      group |= UInt32(bits) &<< UInt32(18 &- 6 &* k)
    }
    if left == 2, group & 0xFFFF != 0 { return nil }
    if left == 3, group & 0xFF != 0 { return nil }
    let from = read / 4 &* 3
    if left > 1 { out[from] = UInt8(truncatingIfNeeded: group &>> 16) }
    if left > 2 { out[from &+ 1] = UInt8(truncatingIfNeeded: group &>> 8) }
    return from &+ max(0, left &- 1)
  }
}
