/// Dates of the proleptic Gregorian calendar in UTC, without libc's time zones.
struct Date {
  /// What Django's datetime can hold: years 1 to 9999, in Unix seconds.
  static let earliest: Int64 = -62_135_596_800
  static let latest: Int64 = 253_402_300_799

  var year: Int64
  var month: Int64
  var day: Int64
  var second: Int64  // of the day
  var weekday: Int64  // 0 is Sunday

  /// `seconds` is clamped to years 1 to 9999.
  init(seconds: Int64) {
    let clamped = max(Date.earliest, min(Date.latest, seconds))
    var days = clamped / 86400
    second = clamped % 86400
    if second < 0 {
      second &+= 86400
      days &-= 1
    }
    // Days since 0000-03-01, a Wednesday, so that the leap day ends a year.
    let shifted = days &+ 719_468
    weekday = (shifted &+ 3) % 7
    let era = shifted / 146_097 &- (shifted % 146_097 < 0 ? 1 : 0)
    let dayOfEra = shifted &- era &* 146_097
    let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
    let shiftedMonth = (5 &* dayOfYear &+ 2) / 153
    day = dayOfYear &- (153 &* shiftedMonth &+ 2) / 5 &+ 1
    month = shiftedMonth < 10 ? shiftedMonth &+ 3 : shiftedMonth &- 9
    year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
  }

  /// Days from 1970-01-01 to a date that is known to be valid.
  static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year &- 1 : year
    let era = (shifted >= 0 ? shifted : shifted &- 399) / 400
    let yearOfEra = shifted &- era &* 400
    let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
    let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
    return era &* 146_097 &+ dayOfEra &- 719_468
  }

  static func daysInMonth(_ month: Int64, year: Int64) -> Int64 {
    switch month {
    case 4, 6, 9, 11: return 30
    case 2: return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: return 31
    }
  }

  private func name(_ table: StaticString, _ index: Int64) -> Bytes {
    Bytes(table).slice(Int(index) &* 3, Int(index) &* 3 &+ 3)
  }

  /// Two digits of a number under 100.
  @inline(__always)
  private static func two(_ number: Int64, to writer: inout ByteWriter) {
    let small = UInt8(truncatingIfNeeded: number)
    writer.append(UInt8(ascii: "0") &+ small / 10)
    writer.append(UInt8(ascii: "0") &+ small % 10)
  }

  private static func four(_ number: Int64, to writer: inout ByteWriter) {
    two(number / 100, to: &writer)
    two(number % 100, to: &writer)
  }

  private func time(to writer: inout ByteWriter) {
    Date.two(second / 3600, to: &writer)
    writer.append(UInt8(ascii: ":"))
    Date.two(second / 60 % 60, to: &writer)
    writer.append(UInt8(ascii: ":"))
    Date.two(second % 60, to: &writer)
  }

  private func calendarDay(to writer: inout ByteWriter) {
    Date.four(year, to: &writer)
    writer.append(UInt8(ascii: "-"))
    Date.two(month, to: &writer)
    writer.append(UInt8(ascii: "-"))
    Date.two(day, to: &writer)
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT`: IMF-fixdate (RFC 9110, section 5.6.7).
  func writeIMF(to writer: inout ByteWriter) {
    writer.append(name("SunMonTueWedThuFriSat", weekday))
    writer.append(", ")
    Date.two(day, to: &writer)
    writer.append(UInt8(ascii: " "))
    writer.append(name("JanFebMarAprMayJunJulAugSepOctNovDec", month &- 1))
    writer.append(UInt8(ascii: " "))
    Date.four(year, to: &writer)
    writer.append(UInt8(ascii: " "))
    time(to: &writer)
    writer.append(" GMT")
  }

  /// `1994-11-06T08:49:37+00:00`: what Python's datetime.isoformat() writes.
  func writeISO(to writer: inout ByteWriter) {
    calendarDay(to: &writer)
    writer.append(UInt8(ascii: "T"))
    time(to: &writer)
    writer.append("+00:00")
  }

  /// `1994-11-06T08:49:37.000Z`: what JavaScript and Rails write.
  func writeISOMilliseconds(_ milliseconds: Int64 = 0, to writer: inout ByteWriter) {
    calendarDay(to: &writer)
    writer.append(UInt8(ascii: "T"))
    time(to: &writer)
    writer.append(0x2E)
    writer.append(0x30 &+ UInt8(truncatingIfNeeded: milliseconds / 100 % 10))
    Date.two(milliseconds % 100, to: &writer)
    writer.append(0x5A)
  }

  /// `1994-11-06 08:49:37.123456`: how Django stores a time in SQLite; without
  /// the fraction when it is zero. 26 bytes at most.
  static func writeSQLite(microseconds: Int64, digits: Bool = false, to writer: inout ByteWriter) {
    let clamped = max(earliest &* 1_000_000, min(latest &* 1_000_000 &+ 999_999, microseconds))
    var seconds = clamped / 1_000_000
    var fraction = clamped % 1_000_000
    if fraction < 0 {
      fraction &+= 1_000_000
      seconds &-= 1
    }
    let date = Date(seconds: seconds)
    date.calendarDay(to: &writer)
    writer.append(UInt8(ascii: " "))
    date.time(to: &writer)
    if fraction > 0 || digits {
      writer.append(UInt8(ascii: "."))
      two(fraction / 10_000, to: &writer)
      four(fraction % 10_000, to: &writer)
    }
  }

  /// Reads ISO 8601 as Python's datetime.fromisoformat takes it, to Unix
  /// microseconds: a `T` or a space between date and time, up to six digits of
  /// fraction, and `Z` or an offset; without one it is UTC. nil for anything else.
  static func readISO(_ text: Bytes) -> Int64? {
    func number(_ from: Int, _ to: Int) -> Int64? {
      text.count >= to && text[from] != UInt8(ascii: "-") ? Numbers.read(text.slice(from, to), base: 10) : nil
    }
    guard let year = number(0, 4), text[4] == UInt8(ascii: "-"), let month = number(5, 7), text[7] == UInt8(ascii: "-"),
      let day = number(8, 10), year >= 1, month >= 1, month <= 12, day >= 1, day <= daysInMonth(month, year: year)
    else { return nil }
    var microseconds = days(year: year, month: month, day: day) &* 86_400_000_000
    guard text.count > 10 else { return microseconds }
    guard text[10] == UInt8(ascii: "T") || text[10] == UInt8(ascii: " "), let hour = number(11, 13),
      text[13] == UInt8(ascii: ":"),
      let minute = number(14, 16), hour < 24, minute < 60
    else { return nil }
    var second: Int64 = 0
    var i = 16
    if text[i] == UInt8(ascii: ":") {
      guard let read = number(17, 19), read < 60 else { return nil }
      second = read
      i = 19
    }
    microseconds &+= (hour &* 3600 &+ minute &* 60 &+ second) &* 1_000_000
    if i == 19, text[i] == UInt8(ascii: ".") {
      i &+= 1
      var scale: Int64 = 100_000
      let first = i
      while text[i] &- UInt8(ascii: "0") < 10, i &- first < 6 {
        microseconds &+= Int64(text[i] &- UInt8(ascii: "0")) &* scale
        scale = scale / 10
        i &+= 1
      }
      guard i > first else { return nil }
    }
    if i == text.count { return microseconds }
    if text[i] == UInt8(ascii: "Z"), i &+ 1 == text.count { return microseconds }
    guard text[i] == UInt8(ascii: "+") || text[i] == UInt8(ascii: "-"), text.count == i &+ 6,
      text[i &+ 3] == UInt8(ascii: ":"),
      let hours = number(i &+ 1, i &+ 3), let minutes = number(i &+ 4, i &+ 6), hours < 24, minutes < 60
    else { return nil }
    let offset = (hours &* 3600 &+ minutes &* 60) &* 1_000_000
    return text[i] == UInt8(ascii: "+") ? microseconds &- offset : microseconds &+ offset
  }
}
