import CSystem
import CTuile

/// express-session, in Redis by connect-redis or in PostgreSQL by connect-pg-simple: JSON,
/// as JSON.stringify writes it, with the cookie's attributes in the member `cookie`. Without
/// that member every request of the application's fails.
class Express: Layout {
  private let only: Kind?

  init(only: Kind? = nil) { self.only = only }

  static let cookieName: StaticString = "cookie"
  private static let originalMaxAge: StaticString = "originalMaxAge"
  private static let expires: StaticString = "expires"

  override func isFor(_ kind: Kind) -> Bool {
    only.map { $0 == kind } ?? (kind == .redis || kind == .postgresql)
  }

  override var cookieDialect: tuile_dialect? { TUILE_DIALECT_EXPRESS }
  override var cookieRule: CookieRule { .express }
  /// uid-safe's: base64url of 24 octets.
  override var keyAlphabet: StaticString { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" }
  override var keySize: Int { 32 }
  /// Whatever `genid` makes of these; but not one that is too short to be a secret.
  override func isKey(_ key: Bytes) -> Bool { super.isKey(key) && key.count >= 8 }

  override func hiddenName(_ i: Int) -> StaticString? { i == 0 ? Express.cookieName : nil }

  // MARK: Options

  override var shared: LayoutOptions.Names {
    switch only {
    case .redis: return [.ttl, .prefix]
    case .postgresql: return [.ttl, .table]
    default: return [.ttl, .prefix, .table]
    }
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    if kind == .redis {
      Layout.write("key_prefix", options.prefix?.bytes ?? Bytes("sess:"), to: &url)
    } else {
      Layout.write("table", options.table?.bytes ?? Bytes("session"), to: &url)
      Layout.write("columns", Bytes("sid:key,sess:json,expire:local"), to: &url)
    }
  }

  // MARK: Its end

  /// Of sessions whose cookie has no age: connect-redis' and connect-pg-simple's `ttl`.
  override var standardAge: Int64? { options.ttl ?? 86400 }

  override func expiry(_ value: (StaticString) -> Bytes?, _ ages: LayoutAges) -> Expiry? {
    guard let cookie = value(Express.cookieName) else {
      return .seconds(ages.atBrowserClose ? 0 : ages.cookieAge)
    }
    guard let milliseconds = Express.maxAge(cookie) else { return .seconds(0) }
    return .interval(microseconds: milliseconds &* 1000)
  }

  /// Milliseconds; nil: until the browser closes.
  static func maxAge(_ cookie: Bytes) -> Int64? {
    guard let raw = JSONText.member(originalMaxAge, of: cookie)?.raw else { return nil }
    return Express.milliseconds(raw)
  }

  /// A number of JavaScript's, within what dates hold.
  static func milliseconds(_ raw: Bytes) -> Int64? {
    let longest = Expiry.longest &* 1000
    if let whole = Numbers.read(raw, base: 10) { return max(-longest, min(longest, whole)) }
    guard let number = try? JSONText.double(raw), number == number else { return nil }
    return sys_microseconds(number / 1000, Expiry.longest &* 1_000_000) / 1000
  }

  // MARK: What is stored

  override var showsWhatJSONLacks: Bool { false }

  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    guard stored.count <= limit else { throw .limit("the session is larger than max_data") }
    guard JSONText.isObject(stored), let cookie = JSONText.member(Express.cookieName, of: stored),
      cookie.kind == .object
    else { return false }
    json.append(stored)
    guard !json.failed else { throw .memory }
    return true
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    // What the session itself says of its end is said where the application looks for it.
    let said = JSONText.member(Expiry.name, of: json)?.raw
    var isFixed = false
    if let said, case .date = Expiry(said) { isFixed = true }
    let kept = (JSONText.member(Express.cookieName, of: json) ?? JSONText.member(Express.cookieName, of: base))?.raw
    let asked = said.flatMap { Express.maxAge($0, now: moment.now) }
    let standard: Int64? = moment.ages.atBrowserClose ? nil : moment.ages.cookieAge &* 1000
    let age = asked ?? (kept == nil ? standard : kept.flatMap { Express.maxAge($0) })
    out.append(0x7B)
    var isFirst = true
    func begin(_ name: Bytes) {
      if !isFirst { out.append(0x2C) }
      isFirst = false
      out.append(name)
      out.append(0x3A)
    }
    if JSONText.member(Express.cookieName, of: json) == nil {
      begin(Bytes("\"cookie\""))
      try writeCookie(kept, age, isAsked: asked != nil, moment, to: &out)
    }
    var members = JSONMembers(json)
    while let member = members.next() {
      if try member.isNamed(Expiry.name), !isFixed { continue }
      begin(member.name)
      if try member.isNamed(Express.cookieName) {
        try writeCookie(member.raw, age, isAsked: asked != nil, moment, to: &out)
      } else if try !writeMember(member, moment, age, to: &out) {
        out.append(member.raw)
      }
    }
    guard members.isComplete else { throw .syntax("the session is no JSON object") }
    writeEnd(json, moment, age, to: &out)
    out.append(0x7D)
    guard !out.failed else { throw .memory }
  }

  /// For metadata of the store's: false if the member is none.
  func writeMember(
    _ member: JSONMembers.Member, _ moment: LayoutMoment, _ age: Int64?, to out: inout ByteBuffer
  ) throws(Failure) -> Bool { false }

  /// What is to stand behind the last member, if it is not there yet.
  func writeEnd(_ json: Bytes, _ moment: LayoutMoment, _ age: Int64?, to out: inout ByteBuffer) {}

  // MARK: The cookie's attributes

  /// Milliseconds that the session's own expiry says; `.some(nil)`: until the browser closes.
  private static func maxAge(_ said: Bytes, now: Int64) -> Int64?? {
    switch Expiry(said) {
    case .standard: return nil
    case .seconds(0): return .some(nil)
    case .seconds(let seconds): return seconds &* 1000
    case .interval(let microseconds): return microseconds / 1000
    case .date(let date): return (date &- now) / 1000
    }
  }

  /// `isAsked`: the age is another than the kept one's.
  private func writeCookie(
    _ kept: Bytes?, _ age: Int64?, isAsked: Bool, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    guard let kept else { return try writeNewCookie(age, moment, to: &out) }
    out.append(0x7B)
    var isFirst = true
    var seen = (age: false, end: false)
    var members = JSONMembers(kept)
    while let member = members.next() {
      if !isFirst { out.append(0x2C) }
      isFirst = false
      out.append(member.name)
      out.append(0x3A)
      if isAsked, try member.isNamed(Express.originalMaxAge) {
        seen.age = true
        Express.write(age, to: &out)
      } else if try member.isNamed(Express.expires) {
        seen.end = true
        if age == nil, !isAsked {
          out.append(member.raw)
        } else {
          Express.writeEnd(age == nil ? nil : moment.expires, to: &out)
        }
      } else {
        out.append(member.raw)
      }
    }
    if isAsked {
      if !seen.age {
        out.append(isFirst ? "\"originalMaxAge\":" : ",\"originalMaxAge\":")
        isFirst = false
        Express.write(age, to: &out)
      }
      if !seen.end {
        out.append(",\"expires\":")
        Express.writeEnd(age == nil ? nil : moment.expires, to: &out)
      }
    }
    out.append(0x7D)
  }

  /// In express-session's order.
  private func writeNewCookie(_ age: Int64?, _ moment: LayoutMoment, to out: inout ByteBuffer) throws(Failure) {
    let cookie = moment.cookie
    out.append("{\"originalMaxAge\":")
    Express.write(age, to: &out)
    if cookie.partitioned { out.append(",\"partitioned\":true") }
    out.append(",\"expires\":")
    Express.writeEnd(age == nil ? nil : moment.expires, to: &out)
    if cookie.secure { out.append(",\"secure\":true") }
    out.append(cookie.httpOnly ? ",\"httpOnly\":true" : ",\"httpOnly\":false")
    if !cookie.domain.isEmpty {
      out.append(",\"domain\":")
      try JSONText.writeString(cookie.domain, .javaScript, to: &out)
    }
    out.append(",\"path\":")
    try JSONText.writeString(cookie.path.isEmpty ? Bytes("/") : cookie.path, .javaScript, to: &out)
    switch cookie.sameSite {
    case .unset: break
    case .lax: out.append(",\"sameSite\":\"lax\"")
    case .strict: out.append(",\"sameSite\":\"strict\"")
    case .none: out.append(",\"sameSite\":\"none\"")
    }
    out.append(0x7D)
  }

  private static func write(_ milliseconds: Int64?, to out: inout ByteBuffer) {
    guard let milliseconds else { return out.append("null") }
    Numbers.writeDecimal(milliseconds, to: &out)
  }

  /// As Date.toISOString.
  private static func writeEnd(_ microseconds: Int64?, to out: inout ByteBuffer) {
    guard let microseconds else { return out.append("null") }
    var seconds = microseconds / 1_000_000
    var rest = microseconds % 1_000_000
    if rest < 0 { (seconds, rest) = (seconds &- 1, rest &+ 1_000_000) }
    let isLate = seconds > Date.latest
    out.append(0x22)
    _ = out.fill(32) { room in
      var writer = ByteWriter(room, capacity: 32)
      Date(seconds: seconds).writeISOMilliseconds(isLate ? 0 : rest / 1000, to: &writer)
      return writer.count
    }
    out.append(0x22)
  }

  // MARK: Who is logged in

  /// Passport's.
  override func login(_ value: (StaticString) -> Bytes?) -> Bytes? {
    guard let passport = value("passport"), let user = JSONText.member("user", of: passport) else { return nil }
    return user.raw
  }
}
