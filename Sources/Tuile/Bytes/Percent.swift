import CSystem

/// Percent-coding (RFC 3986, section 2.1) as JavaScript does it.
enum Percent {
  /// What encodeURIComponent leaves: A-Z a-z 0-9 - _ . ! ~ * ' ( ). The
  /// parentheses are cookie-octets too.
  static func encode(_ text: Bytes, to writer: inout ByteWriter) {
    let digits: StaticString = "0123456789ABCDEF"
    var i = 0
    while i < text.count {
      let next = sys_skip_class(text.start, i, text.count, UInt8(SYS_OCTET_COMPONENT))
      writer.append(text.slice(i, next))
      guard next < text.count else { return }
      let c = text[next]
      writer.append(UInt8(ascii: "%"))
      writer.append(digits.start[Int(c &>> 4)])
      writer.append(digits.start[Int(c & 15)])
      i = next &+ 1
    }
  }

  static func decode(_ value: Bytes, to writer: inout ByteWriter) {
    var i = 0
    while i < value.count {
      if value[i] == UInt8(ascii: "%"), let high = Hex.digit(value[i &+ 1]), let low = Hex.digit(value[i &+ 2]) {
        writer.append(high &<< 4 | low)
        i &+= 3
      } else {
        let next = value.find(UInt8(ascii: "%"), from: i &+ 1)
        writer.append(value.slice(i, next))
        i = next
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
