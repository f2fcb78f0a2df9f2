/// The dates of Expires attributes, of which servers have written every kind:
/// the algorithm of RFC 6265bis, section 5.1.1, in one pass.
extension Date {
  /// Unix seconds, or nil if a part is missing or no such date exists.
  static func readCookieDate(_ text: Bytes) -> Int64? {
    var time: Int64?
    var day: Int64?
    var month: Int64?
    var year: Int64?
    var i = 0
    while i < text.count {
      while i < text.count, isDateDelimiter(text[i]) { i &+= 1 }
      let from = i
      while i < text.count, !isDateDelimiter(text[i]) { i &+= 1 }
      let token = text.slice(from, i)
      if token.isEmpty { break }
      if time == nil, let read = readTime(token) {
        guard let seconds = read.seconds else { return nil }
        time = seconds
      } else if day == nil, let read = leadingNumber(token, 1, 2) {
        day = read
      } else if month == nil, let read = readMonth(token) {
        month = read
      } else if year == nil, let read = leadingNumber(token, 2, 4) {
        year = read < 70 ? read &+ 2000 : read < 100 ? read &+ 1900 : read
      }
    }
    guard let time, let day, let month, let year, year >= 1601, day >= 1, day <= daysInMonth(month, year: year) else {
      return nil
    }
    return days(year: year, month: month, day: day) &* 86_400 &+ time
  }

  private static func isDateDelimiter(_ c: UInt8) -> Bool {
    switch c {
    case UInt8(ascii: "\t"), UInt8(ascii: " ")...UInt8(ascii: "/"), UInt8(ascii: ";")...UInt8(ascii: "@"),
      UInt8(ascii: "[")...UInt8(ascii: "`"), UInt8(ascii: "{")...UInt8(ascii: "~"):
      return true
    default: return false
    }
  }

  /// The digits in front: nil unless there are `least` to `most` of them.
  private static func leadingNumber(_ token: Bytes, from: Int = 0, _ least: Int, _ most: Int) -> Int64? {
    var number: Int64 = 0
    var i = from
    while token[i] &- UInt8(ascii: "0") < 10 {
      guard i &- from < most else { return nil }
      number = number &* 10 &+ Int64(token[i] &- UInt8(ascii: "0"))
      i &+= 1
    }
    return i &- from >= least ? number : nil
  }

  /// nil if the token is no time; a time that no clock shows has no seconds, and
  /// spoils the date.
  private static func readTime(_ token: Bytes) -> (seconds: Int64?, Void)? {
    let minuteAt = token.find(UInt8(ascii: ":")) &+ 1
    let secondAt = token.find(UInt8(ascii: ":"), from: minuteAt) &+ 1
    guard minuteAt == 2 || minuteAt == 3, secondAt &- minuteAt == 2 || secondAt &- minuteAt == 3,
      let hour = allDigits(token, 0, minuteAt &- 1), let minute = allDigits(token, minuteAt, secondAt &- 1),
      let second = leadingNumber(token, from: secondAt, 1, 2)
    else { return nil }
    guard hour < 24, minute < 60, second < 60 else { return (nil, ()) }
    return (hour &* 3600 &+ minute &* 60 &+ second, ())
  }

  private static func allDigits(_ token: Bytes, _ from: Int, _ to: Int) -> Int64? {
    var number: Int64 = 0
    var i = from
    while i < to {
      let digit = token[i] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      number = number &* 10 &+ Int64(digit)
      i &+= 1
    }
    return i > from ? number : nil
  }

  private static func readMonth(_ token: Bytes) -> Int64? {
    guard token.count >= 3 else { return nil }
    let lower = token.lowercased3
    switch lower {
    case 0x6A616E: return 1
    case 0x666562: return 2
    case 0x6D6172: return 3
    case 0x617072: return 4
    case 0x6D6179: return 5
    case 0x6A756E: return 6
    case 0x6A756C: return 7
    case 0x617567: return 8
    case 0x736570: return 9
    case 0x6F6374: return 10
    case 0x6E6F76: return 11
    case 0x646563: return 12
    default: return nil
    }
  }
}

extension Bytes {
  /// The first three octets as one number, letters in lower case.
  fileprivate var lowercased3: UInt32 {
    var number: UInt32 = 0
    for i in Indices(3) {
      let c = self[i]
      number = number &<< 8 | UInt32(c &- UInt8(ascii: "A") < 26 ? c | 0x20 : c)
    }
    return number
  }
}
