/// Hexadecimal, in lower case.
enum Hex {
  static func encode(_ bytes: Bytes, to out: inout ByteBuffer) {
    for i in Indices(bytes.count) {
      out.append(character(bytes.start[i] &>> 4))
      out.append(character(bytes.start[i] & 15))
    }
  }

  /// The last `digits` digits of a number, the highest first.
  static func encode(_ number: UInt64, digits: UInt64, to out: inout ByteBuffer) {
    var left = digits
    while left > 0 {
      left &-= 1
      out.append(character(UInt8(truncatingIfNeeded: number &>> (left &* 4)) & 15))
    }
  }

  /// The digit of 0 to 15.
  private static func character(_ digit: UInt8) -> UInt8 {
    digit &+ (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") &- 10)
  }

  /// Appends the octets; false unless all is pairs of digits, in lower case or in any. Throws only
  /// `.memory`.
  static func decode(_ text: Bytes, anyCase: Bool = false, to out: inout ByteBuffer) throws(Failure) -> Bool {
    guard text.count % 2 == 0 else { return false }
    var i = 0
    while i < text.count {
      guard let high = digit(text[i], anyCase), let low = digit(text[i &+ 1], anyCase) else { return false }
      out.append(high &<< 4 | low)
      i &+= 2
    }
    guard !out.failed else { throw .memory }
    return true
  }

  static func digit(_ c: UInt8, _ anyCase: Bool = true) -> UInt8? {
    switch c {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return c &- UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return c &- UInt8(ascii: "a") &+ 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): return anyCase ? c &- UInt8(ascii: "A") &+ 10 : nil
    default: return nil
    }
  }
}
