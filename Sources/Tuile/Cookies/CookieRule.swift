import CTuile

/// Which of several cookies of one name counts, and what quotes around it mean:
/// frameworks disagree, and whoever shares a cookie with one has to see what it sees.
enum CookieRule {
  /// The last, its quotes and escapes undone: http.cookies, Django, Starlette.
  case django
  /// The first that Werkzeug's grammar takes, where quotes hold a ';' too; undone in the same way.
  case flask
  /// The first that has no octet which net/http refuses, its quotes dropped.
  case go
  /// The first, its quotes dropped: npm's cookie.
  case express
  /// The first, as it is: Rack.
  case rack

  /// nil: what `standard` says.
  init?(_ rule: tuile_cookie_rule, standard: CookieRule) {
    switch rule {
    case TUILE_COOKIE_RULE_DEFAULT: self = standard
    case TUILE_COOKIE_RULE_DJANGO: self = .django
    case TUILE_COOKIE_RULE_FLASK: self = .flask
    case TUILE_COOKIE_RULE_GO: self = .go
    case TUILE_COOKIE_RULE_EXPRESS: self = .express
    case TUILE_COOKIE_RULE_RACK: self = .rack
    default: return nil
    }
  }

  struct Found {
    /// As it was sent.
    let value: Bytes
    /// Cookies of the name had different values.
    let isOneOfSeveral: Bool
  }

  func find(_ name: Bytes, in header: CookieHeader) -> Found? {
    var position = 0
    var first: Bytes?
    var chosen: Bytes?
    var several = false
    while let pair = header.next(&position) {
      guard pair.name == name else { continue }
      if let first, !(first == pair.value) { several = true }
      if first == nil { first = pair.value }
      if self == .django || chosen == nil && takes(pair.value) { chosen = pair.value }
    }
    if self == .flask { chosen = CookieRule.findAsWerkzeug(name, in: header.text) }
    return chosen.map { Found(value: $0, isOneOfSeveral: several) }
  }

  private func takes(_ value: Bytes) -> Bool {
    guard self == .go else { return true }
    let inner = CookieRule.withoutQuotes(value)
    for i in Indices(inner.count) {
      let c = inner[i]
      guard c &- UInt8(ascii: " ") < 0x5F, c != UInt8(ascii: "\""), c != UInt8(ascii: ";"), c != UInt8(ascii: "\\")
      else { return false }
    }
    return true
  }

  /// Werkzeug 3.1.9: a key without space, '=' or '"', and behind a '=' a quoted text or
  /// one without space, '"' and ';'. What is of another form is passed over up to the next ';'.
  private static func findAsWerkzeug(_ name: Bytes, in text: Bytes) -> Bytes? {
    func skipBlanks(_ from: Int) -> Int {
      var i = from
      while text[i] == UInt8(ascii: " ") || text[i] == UInt8(ascii: "\t") { i &+= 1 }
      return i
    }
    func skipToken(_ from: Int, _ also: UInt8) -> Int {
      var i = from
      while i < text.count, text[i] != UInt8(ascii: " "), text[i] != UInt8(ascii: "\t"), text[i] != UInt8(ascii: "\""),
        text[i] != UInt8(ascii: ";"), text[i] != also
      {
        i &+= 1
      }
      return i
    }
    func skipQuoted(_ from: Int) -> Int {
      var i = from &+ 1
      while i < text.count, text[i] != UInt8(ascii: "\"") { i &+= text[i] == UInt8(ascii: "\\") ? 2 : 1 }
      return i < text.count ? i &+ 1 : from
    }
    var position = 0
    while position < text.count {
      let from = skipBlanks(position)
      let keyEnd = skipToken(from, UInt8(ascii: "="))
      var next = skipBlanks(keyEnd)
      var value = Bytes()
      if text[next] == UInt8(ascii: "=") {
        let at = skipBlanks(next &+ 1)
        let end = text[at] == UInt8(ascii: "\"") ? skipQuoted(at) : skipToken(at, UInt8(ascii: ";"))
        value = text.slice(at, end)
        next = skipBlanks(end)
      }
      guard keyEnd > from, next >= text.count || text[next] == UInt8(ascii: ";") else {
        position = text.find(UInt8(ascii: ";"), from: position) &+ 1
        continue
      }
      if text.slice(from, keyEnd) == name { return value }
      position = next &+ 1
    }
    return nil
  }

  private static func withoutQuotes(_ value: Bytes) -> Bytes {
    let last = value.count &- 1
    return last > 0 && value[0] == UInt8(ascii: "\"") && value[last] == UInt8(ascii: "\"")
      ? value.slice(1, last) : value
  }

  /// What the framework's own application sees of a value.
  func write(_ value: Bytes, to writer: inout ByteWriter) {
    switch self {
    case .django: CookieText.decode(value, .quoted, to: &writer)
    case .flask: CookieText.decode(value, .quotedUTF8, to: &writer)
    case .go, .express: writer.append(CookieRule.withoutQuotes(value))
    case .rack: writer.append(value)
    }
  }
}
