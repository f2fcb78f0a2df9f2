/// Ruby's Marshal text of a float: the shortest digits, without a point where none is needed.
enum RubyFloat {
  static func write(_ number: Double, to out: inout ByteBuffer) {
    var text = ByteBuffer()
    JSONText.writeDouble(number, to: &text)
    // Digits, and where the point is in them.
    var digits = ByteBuffer()
    var point = 0
    var exponent: Int64 = 0
    var hasPoint = false
    var i = 0
    let bytes = text.bytes
    if bytes[0] == 0x2D {
      out.append(0x2D)
      i = 1
    }
    while i < bytes.count {
      let byte = bytes[i]
      if byte | 0x20 == 0x65 {
        let sign = bytes[i &+ 1] == 0x2B ? 2 : 1
        exponent = Numbers.read(bytes.dropFirst(i &+ sign), base: 10) ?? 0
        break
      }
      if byte == 0x2E {
        hasPoint = true
      } else {
        // No zeros before the first digit.
        if byte != 0x30 || digits.count > 0 { digits.append(byte) } else if hasPoint { point &-= 1 }
        if !hasPoint, digits.count > 0 { point &+= 1 }
      }
      i &+= 1
    }
    while digits.count > 0, digits.bytes[digits.count &- 1] == 0x30 { digits.truncate(digits.count &- 1) }
    guard digits.count > 0 else {
      out.append(0x30)
      return
    }
    point &+= Int(exponent)
    let all = digits.bytes
    if point < -3 || point > all.count {
      out.append(all[0])
      if all.count > 1 { out.append(0x2E) }
      out.append(all.dropFirst(1))
      out.append(0x65)
      Numbers.writeDecimal(Int64(point &- 1), to: &out)
    } else if point > 0 {
      out.append(all.slice(0, point))
      if all.count > point { out.append(0x2E) }
      out.append(all.dropFirst(point))
    } else {
      out.append("0.")
      while point < 0 {
        out.append(0x30)
        point &+= 1
      }
      out.append(all)
    }
  }
}
