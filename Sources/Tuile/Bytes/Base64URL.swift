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

  private static func value(_ c: UInt8) -> UInt32? {
    switch c {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): return UInt32(c &- UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): return UInt32(c &- UInt8(ascii: "a") &+ 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt32(c &- UInt8(ascii: "0") &+ 52)
    case UInt8(ascii: "-"): return 62
    case UInt8(ascii: "_"): return 63
    default: return nil
    }
  }

  /// Writes at most `decodedSize(text.count)` bytes and returns how many, or nil
  /// if `text` is not base64. Only the canonical form is read: spare bits are zero.
  static func decode(_ text: Bytes, to out: UnsafeMutablePointer<UInt8>) -> Int? {
    guard text.count % 4 != 1 else { return nil }
    var i = 0
    var o = 0
    while i < text.count {
      let left = min(4, text.count &- i)
      var group: UInt32 = 0
      for k in Indices(4) {
        var digit: UInt32 = 0
        if k < left {
          guard let read = value(text[i &+ k]) else { return nil }
          digit = read
        }
        group = group &<< 6 | digit
      }
      if left == 2, group & 0xFFFF != 0 { return nil }
      if left == 3, group & 0xFF != 0 { return nil }
      out[o] = UInt8(truncatingIfNeeded: group &>> 16)
      if left > 2 { out[o &+ 1] = UInt8(truncatingIfNeeded: group &>> 8) }
      if left > 3 { out[o &+ 2] = UInt8(truncatingIfNeeded: group) }
      o &+= left &- 1
      i &+= 4
    }
    return o
  }
}
