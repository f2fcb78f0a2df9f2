/// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates.
enum UTF8Text {
  /// The scalar at `i` and its length, or nil where the text is not UTF-8.
  static func scalar(_ text: Bytes, at i: Int) -> (scalar: UInt32, size: Int)? {
    let lead = text[i]
    if lead < 0x80 { return i < text.count ? (UInt32(lead), 1) : nil }
    let size: Int
    var scalar: UInt32
    let least: UInt32
    switch lead {
    case 0xC2...0xDF: (size, scalar, least) = (2, UInt32(lead & 0x1F), 0x80)
    case 0xE0...0xEF: (size, scalar, least) = (3, UInt32(lead & 0x0F), 0x800)
    case 0xF0...0xF4: (size, scalar, least) = (4, UInt32(lead & 0x07), 0x10000)
    default: return nil
    }
    var k = 1
    while k < size {
      let next = text[i &+ k]
      guard next & 0xC0 == 0x80 else { return nil }
      scalar = scalar &<< 6 | UInt32(next & 0x3F)
      k &+= 1
    }
    guard scalar >= least, scalar < 0x110000, scalar & 0xFFFF_F800 != 0xD800 else { return nil }
    return (scalar, size)
  }

  /// The offset of the first byte that is not UTF-8, or nil.
  static func firstInvalid(_ text: Bytes) -> Int? {
    var i = 0
    while i < text.count {
      if text[i] < 0x80 {
        i &+= 1
        continue
      }
      guard let (_, size) = scalar(text, at: i) else { return i }
      i &+= size
    }
    return nil
  }

  /// Characters of UTF-8 text; octets that are none count as one each.
  static func count(_ text: Bytes) -> Int {
    var i = 0
    var count = 0
    while i < text.count {
      i &+= scalar(text, at: i)?.size ?? 1
      count &+= 1
    }
    return count
  }

  static func append(_ scalar: UInt32, to buffer: inout ByteBuffer) {
    if scalar < 0x80 {
      buffer.append(UInt8(truncatingIfNeeded: scalar))
      return
    }
    if scalar < 0x800 {
      buffer.append(UInt8(truncatingIfNeeded: 0xC0 | scalar &>> 6))
    } else {
      if scalar < 0x10000 {
        buffer.append(UInt8(truncatingIfNeeded: 0xE0 | scalar &>> 12))
      } else {
        buffer.append(UInt8(truncatingIfNeeded: 0xF0 | scalar &>> 18))
        buffer.append(UInt8(truncatingIfNeeded: 0x80 | scalar &>> 12 & 0x3F))
      }
      buffer.append(UInt8(truncatingIfNeeded: 0x80 | scalar &>> 6 & 0x3F))
    }
    buffer.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
  }
}
