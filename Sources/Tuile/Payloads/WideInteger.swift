/// Integers of more than 64 bits: little-endian octets to decimal digits and back.
/// They are short (`Payload.widestInteger`), so that the square of their length is.
enum WideInteger {
  /// Two's complement if `isSigned`, else a magnitude.
  static func write(_ number: Bytes, isSigned: Bool, isNegative: Bool, to out: inout ByteBuffer) {
    let size = min(number.count, Payload.widestInteger)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Payload.widestInteger / 4 &+ 1) { words in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Payload.widestInteger &* 3) { digits in
        guard let words = words.baseAddress, let digits = digits.baseAddress else { return }
        let negative = isSigned ? number[size &- 1] >= 0x80 : isNegative
        let fill: UInt32 = isSigned && negative ? 0xFF : 0
        var count = (size &+ 3) / 4
        var carry: UInt64 = fill == 0 ? 0 : 1
        var i = 0
        while i < count {
          var word: UInt32 = 0
          for k in Indices(4) {
            let octet = i &* 4 &+ k < size ? UInt32(number[i &* 4 &+ k]) : fill
            word |= octet &<< UInt32(8 &* k)
          }
          if fill != 0 {
            let sum = UInt64(~word) &+ carry
            word = UInt32(truncatingIfNeeded: sum)
            carry = sum &>> 32
          }
          words[i] = word
          i &+= 1
        }
        var at = Payload.widestInteger &* 3
        repeat {
          var rest: UInt64 = 0
          i = count
          while i > 0 {
            i &-= 1
            let part = rest &<< 32 | UInt64(words[i])
            words[i] = UInt32(truncatingIfNeeded: part / 1_000_000_000)
            rest = part % 1_000_000_000
          }
          while count > 0, words[count &- 1] == 0 { count &-= 1 }
          var k = 0
          while k < 9, count > 0 || rest > 0, at > 0 {
            at &-= 1
            digits[at] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest = rest / 10
            k &+= 1
          }
        } while count > 0
        if at == Payload.widestInteger &* 3 {
          out.append(0x30)
          return
        }
        if negative { out.append(0x2D) }
        out.append(Bytes(digits + at, Payload.widestInteger &* 3 &- at))
      }
    }
  }

  /// The magnitude of decimal digits, with an optional sign before them, as octets;
  /// false if there are more than are read.
  static func read(_ text: Bytes, to out: inout ByteBuffer) -> Bool {
    let digits = text[0] == 0x2D ? text.dropFirst(1) : text
    guard digits.count <= Payload.widestInteger &* 2 &+ 200 else { return false }
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Payload.widestInteger / 4) { words in
      guard let words = words.baseAddress else { return false }
      var count = 0
      var i = 0
      while i < digits.count {
        var carry = UInt64(digits[i] &- 0x30)
        for k in Indices(count) {
          let part = UInt64(words[k]) &* 10 &+ carry
          words[k] = UInt32(truncatingIfNeeded: part)
          carry = part &>> 32
        }
        if carry > 0 {
          guard count < Payload.widestInteger / 4 else { return false }
          words[count] = UInt32(truncatingIfNeeded: carry)
          count &+= 1
        }
        i &+= 1
      }
      i = 0
      while i < count {
        var k: UInt32 = 0
        while k < 4 {
          let octet = UInt8(truncatingIfNeeded: words[i] &>> (8 &* k))
          if i &+ 1 < count || words[i] &>> (8 &* k) != 0 { out.append(octet) }
          k &+= 1
        }
        i &+= 1
      }
      return true
    }
  }
}
