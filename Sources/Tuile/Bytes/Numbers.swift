/// Whole numbers as text, in base 10 and in the base 62 of Django's timestamps.
enum Numbers {
  /// Digits 0-9A-Za-z, most significant first; a minus sign in front.
  ///
  /// Inlined, so that dividing by a base that is known becomes a multiplication.
  @inline(__always)
  static func write(_ number: Int64, base: UInt64, to writer: inout ByteWriter) {
    let digits: StaticString = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { room in
      guard let text = room.baseAddress else { return }
      var first = 20
      var left = number.magnitude
      repeat {
        first &-= 1
        text[first] = digits.start[Int(truncatingIfNeeded: left % base)]
        left = left / base
      } while left > 0
      if number < 0 { writer.append(UInt8(ascii: "-")) }
      writer.append(Bytes(text + first, 20 &- first))
    }
  }

  static func writeDecimal(_ number: Int64, to buffer: inout ByteBuffer) {
    _ = buffer.fill(20) { room in
      var writer = ByteWriter(room, capacity: 20)
      write(number, base: 10, to: &writer)
      return writer.count
    }
  }

  /// nil unless all of `text` is digits of the base with an optional minus sign,
  /// and the number fits.
  static func read(_ text: Bytes, base: Int64) -> Int64? {
    let negative = text[0] == UInt8(ascii: "-")
    var i = negative ? 1 : 0
    guard i < text.count else { return nil }
    var number: Int64 = 0
    while i < text.count {
      let c = text[i]
      let digit: Int64
      switch c {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int64(c &- UInt8(ascii: "0"))
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = Int64(c &- UInt8(ascii: "A")) &+ 10
      case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = Int64(c &- UInt8(ascii: "a")) &+ 36
      default: return nil
      }
      guard digit < base else { return nil }
      let (scaled, overflow) = number.multipliedReportingOverflow(by: base)
      let (next, overflow2) =
        negative ? scaled.subtractingReportingOverflow(digit) : scaled.addingReportingOverflow(digit)
      guard !overflow, !overflow2 else { return nil }
      number = next
      i &+= 1
    }
    return number
  }
}
