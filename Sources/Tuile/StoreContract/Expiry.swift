import CSystem
import CTuile

/// When a session ends, as Django keeps it in the data under `_session_expiry`:
/// nothing for the default, a number of idle seconds, 0 until the browser
/// closes, or a date in ISO 8601.
enum Expiry {
  case standard
  case seconds(Int64)
  /// Seconds that are no integer, or written as if they were none.
  case interval(microseconds: Int64)
  case date(microseconds: Int64)

  static let name: StaticString = "_session_expiry"

  /// Longer ages, either way, are refused: no date would hold them.
  static let longest: Int64 = Date.latest

  /// What Django would make of a stored value; of what it can't read, the default.
  init(_ raw: Bytes?) {
    self = .standard
    guard let raw else { return }
    switch JSONText.type(of: raw) {
    case TUILE_TYPE_INT:
      if let seconds = Numbers.read(raw, base: 10) {
        self = .seconds(max(-Expiry.longest, min(Expiry.longest, seconds)))
      }
    case TUILE_TYPE_DOUBLE:
      guard let seconds = try? JSONText.double(raw), seconds == seconds else { return }
      let microseconds = sys_microseconds(seconds, Expiry.longest &* 1_000_000)
      self = seconds == 0 ? .seconds(0) : .interval(microseconds: microseconds)
    case TUILE_TYPE_BOOL: self = .seconds(raw[0] == UInt8(ascii: "t") ? 1 : 0)
    case TUILE_TYPE_STRING:
      if let date = Date.readISO(raw.slice(1, raw.count &- 1)) { self = .date(microseconds: date) }
    default: break
    }
  }

  /// As long as the configuration says.
  var isStandard: Bool {
    switch self {
    case .standard, .seconds(0): return true
    case .seconds, .interval, .date: return false
    }
  }

  /// Seconds from `now` (Unix microseconds), rounded down; may be negative.
  func age(standard: Int64, now: Int64) -> Int64 {
    switch self {
    case .standard, .seconds(0): return standard
    case .seconds(let seconds): return seconds
    case .interval(let microseconds): return Expiry.wholeSeconds(microseconds)
    case .date(let date): return Expiry.wholeSeconds(date &- now)
    }
  }

  private static func wholeSeconds(_ microseconds: Int64) -> Int64 {
    microseconds / 1_000_000 &- (microseconds % 1_000_000 < 0 ? 1 : 0)
  }

  /// Unix microseconds, within the years 1 to 9999.
  func date(standard: Int64, now: Int64) -> Int64 {
    let date: Int64
    if case .date(let fixed) = self {
      date = fixed
    } else {
      var age = age(standard: standard, now: now) &* 1_000_000
      if case .interval(let microseconds) = self { age = microseconds }
      let (sum, overflow) = now.addingReportingOverflow(age)
      date = overflow ? (age < 0 ? Int64.min : Int64.max) : sum
    }
    return max(Date.earliest &* 1_000_000, min(Date.latest &* 1_000_000, date))
  }

  func atBrowserClose(standard: Bool) -> Bool {
    switch self {
    case .standard: return standard
    case .seconds(let seconds): return seconds == 0
    case .interval, .date: return false
    }
  }
}
