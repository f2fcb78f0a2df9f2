import CSystem

/// A Set-Cookie header as browsers read it: RFC 6265bis draft 22, section 5.6.
/// Every view points into the header.
extension SetCookie {
  init(parsing text: Bytes) throws(Failure) {
    self.init()
    let control = sys_find_control(text.start, text.count)
    guard control == text.count else { throw .syntax("the Set-Cookie has a control character", at: control) }
    var equals = 0
    var position = sys_find_pair(text.start, 0, text.count, &equals)
    if equals == position {
      value = text.trimmed(0, position)
    } else {
      name = text.trimmed(0, equals)
      value = text.trimmed(equals &+ 1, position)
    }
    guard !name.isEmpty || !value.isEmpty else { throw .syntax("the Set-Cookie has neither name nor value") }
    guard name.count &+ value.count <= SetCookie.largestPair else {
      throw .limit("name and value of the Set-Cookie have more than 4096 octets")
    }
    while position < text.count {
      let from = position &+ 1
      position = sys_find_pair(text.start, from, text.count, &equals)
      takeAttribute(text.trimmed(from, equals), text.trimmed(equals &+ 1, position))
    }
  }

  /// The last of several attributes of one name counts.
  private mutating func takeAttribute(_ key: Bytes, _ text: Bytes) {
    guard text.count <= SetCookie.largestAttribute else { return }
    switch key.count {
    case 4: if key.equals(ignoringCase: "path") { path = text[0] == UInt8(ascii: "/") ? text : Bytes() }
    case 6:
      if key.equals(ignoringCase: "secure") {
        secure = true
      } else if key.equals(ignoringCase: "domain") {
        domain = text[0] == UInt8(ascii: ".") ? text.dropFirst(1) : text
      }
    case 7:
      if key.equals(ignoringCase: "expires") {
        if let seconds = Date.readCookieDate(text) { expires = seconds }
      } else if key.equals(ignoringCase: "max-age") {
        if let seconds = SetCookie.readMaxAge(text) { maxAge = seconds }
      }
    case 8:
      if key.equals(ignoringCase: "httponly") {
        httpOnly = true
      } else if key.equals(ignoringCase: "samesite") {
        sameSite = SetCookie.readSameSite(text)
      } else if key.equals(ignoringCase: "priority") {
        priority = SetCookie.readPriority(text)
      }
    case 11: if key.equals(ignoringCase: "partitioned") { partitioned = true }
    default: break
    }
  }

  /// Digits with a minus sign in front or not; one that is too large for any
  /// clock becomes the largest number there is.
  private static func readMaxAge(_ text: Bytes) -> Int64? {
    let negative = text[0] == UInt8(ascii: "-")
    var i = negative ? 1 : 0
    guard i < text.count else { return nil }
    var number: Int64 = 0
    while i < text.count {
      let digit = text[i] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      let (scaled, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, overflow2) = scaled.addingReportingOverflow(Int64(digit))
      number = overflow || overflow2 ? Int64.max : sum
      i &+= 1
    }
    return negative ? 0 &- number : number
  }

  static func readSameSite(_ text: Bytes) -> SameSite {
    if text.equals(ignoringCase: "lax") { return .lax }
    if text.equals(ignoringCase: "strict") { return .strict }
    if text.equals(ignoringCase: "none") { return .none }
    return .unset
  }

  static func readPriority(_ text: Bytes) -> Priority {
    if text.equals(ignoringCase: "low") { return .low }
    if text.equals(ignoringCase: "medium") { return .medium }
    if text.equals(ignoringCase: "high") { return .high }
    return .unset
  }
}
