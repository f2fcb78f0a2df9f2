/// Percent-coding (RFC 3986, section 2.1) as JavaScript does it.
enum Percent {
  /// What encodeURIComponent leaves: A-Z a-z 0-9 - _ . ! ~ * ' ( ). The
  /// parentheses are cookie-octets too.
  static func encode(_ text: Bytes, to writer: inout ByteWriter) {
    let digits: StaticString = "0123456789ABCDEF"
    var i = 0
    while i < text.count {
      let c = text[i]
      switch c {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x21, 0x27...0x2A, 0x2D, 0x2E, 0x5F, 0x7E: writer.append(c)
      default:
        writer.append(0x25)
        writer.append(digits.start[Int(c &>> 4)])
        writer.append(digits.start[Int(c & 15)])
      }
      i &+= 1
    }
  }

  static func decode(_ value: Bytes, to writer: inout ByteWriter) {
    var i = 0
    while i < value.count {
      if value[i] == 0x25, let high = Hex.digit(value[i &+ 1]), let low = Hex.digit(value[i &+ 2]) {
        writer.append(high &<< 4 | low)
        i &+= 3
      } else {
        writer.append(value[i])
        i &+= 1
      }
    }
  }

  static func encode(_ text: Bytes, to buffer: inout ByteBuffer) {
    _ = buffer.fill(text.count &* 3) { start in
      var writer = ByteWriter(start, capacity: text.count &* 3)
      encode(text, to: &writer)
      return writer.count
    }
  }

  /// A '%' without two hex digits stays; false without memory.
  static func decode(_ text: Bytes, to buffer: inout ByteBuffer) -> Bool {
    buffer.fill(text.count) { start in
      var writer = ByteWriter(start, capacity: text.count)
      decode(text, to: &writer)
      return writer.count
    }
  }
}
