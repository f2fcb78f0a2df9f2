import CSystem
import CTuile

/// How a language's own library writes JSON. Numbers stay as they are read.
struct JSONStyle {
  /// Only ASCII; DEL is escaped too then.
  var ascii = false
  /// A space after ',' and ':'.
  var spaced = false
  /// Backspace and form feed as \b and \f.
  var shortControls = true
  /// '<', '>', '&', U+2028 and U+2029 are escaped, for HTML.
  var html = false
  /// '/' is escaped, as by PHP's json_encode, which leaves DEL as it is.
  var php = false

  /// json.dumps with separators "," and ":".
  static let python = JSONStyle(ascii: true)
  static let pythonSpaced = JSONStyle(ascii: true, spaced: true)
  static let javaScript = JSONStyle()
  static let ruby = JSONStyle(html: true)
  static let go = JSONStyle(shortControls: false, html: true)
  static let php = JSONStyle(ascii: true, php: true)

  /// The first place from `i` on, before `end`, that may have to be written in another way.
  func skipPlain(_ text: Bytes, _ i: Int, _ end: Int) -> Int {
    let plain = sys_skip_json_plain(text.start, i, end, html ? 1 : 0)
    return php ? i &+ text.slice(i, plain).find(UInt8(ascii: "/")) : plain
  }
}

/// JSON in the form that a style says, Python's by default. What was read is kept
/// to the byte otherwise.
enum JSONText {
  static func hex4(_ text: Bytes, at i: Int) -> UInt32? {
    guard i &+ 4 <= text.count else { return nil }
    var number: UInt32 = 0
    for k in Indices(4) {
      let c = text[i &+ k]
      let digit: UInt8
      switch c {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = c &- UInt8(ascii: "0")
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = c &- UInt8(ascii: "A") &+ 10
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = c &- UInt8(ascii: "a") &+ 10
      default: return nil
      }
      number = number &<< 4 | UInt32(digit)
    }
    return number
  }

  private static func escape(_ unit: UInt32, to buffer: inout ByteBuffer) {
    buffer.append("\\u")
    Hex.encode(UInt64(unit), digits: 4, to: &buffer)
  }

  private static func appendEscaped(
    _ scalar: UInt32, _ style: JSONStyle = .python, to buffer: inout ByteBuffer
  ) {
    switch scalar {
    case 0x08, 0x0C: if !style.shortControls { return escape(scalar, to: &buffer) }
    case 0x3C, 0x3E, 0x26, 0x2028, 0x2029: if style.html { return escape(scalar, to: &buffer) }
    case 0x2F: if style.php { buffer.append(0x5C) }
    case 0x7F: if style.php { return buffer.append(0x7F) }
    default: break
    }
    // Half a pair stays an escape: no text can hold it.
    if !style.ascii, scalar >= 0x7F, scalar & 0xFFFF_F800 != 0xD800 {
      UTF8Text.append(scalar, to: &buffer)
      return
    }
    switch scalar {
    case 0x22: buffer.append("\\\"")
    case 0x5C: buffer.append("\\\\")
    case 0x0A: buffer.append("\\n")
    case 0x0D: buffer.append("\\r")
    case 0x09: buffer.append("\\t")
    case 0x08: buffer.append("\\b")
    case 0x0C: buffer.append("\\f")
    case 0x20...0x7E: buffer.append(UInt8(truncatingIfNeeded: scalar))
    case 0x10000...:
      escape(0xD800 &+ (scalar &- 0x10000) &>> 10, to: &buffer)
      escape(0xDC00 &+ (scalar &- 0x10000) & 0x3FF, to: &buffer)
    default: escape(scalar, to: &buffer)
    }
  }

  /// UTF-8 text as a JSON string with its quotes.
  static func writeString(
    _ text: Bytes, _ style: JSONStyle = .python, to buffer: inout ByteBuffer
  ) throws(Failure) {
    // Nearly every string is plain.
    var plain = style.skipPlain(text, 0, text.count)
    if plain == text.count {
      buffer.appendQuoted(text)
      guard !buffer.failed else { throw .memory }
      return
    }
    buffer.append(UInt8(ascii: "\""))
    var i = 0
    while true {
      buffer.append(text.slice(i, plain))
      i = plain
      if i >= text.count { break }
      guard let (scalar, size) = UTF8Text.scalar(text, at: i) else {
        throw .syntax("the text is not UTF-8", at: i)
      }
      appendEscaped(scalar, style, to: &buffer)
      i &+= size
      plain = style.skipPlain(text, i, text.count)
    }
    buffer.append(UInt8(ascii: "\""))
    guard !buffer.failed else { throw .memory }
  }

  /// The text of one JSON value that is a string, which is an error for any other.
  static func readText(_ json: Bytes, to buffer: inout ByteBuffer) throws(Failure) {
    var scanner = JSONScanner(json)
    guard let (kind, raw) = scanner.value(), kind == .string else {
      throw .type("the token holds JSON that is no text")
    }
    try readString(raw, lenient: false, to: &buffer)
  }

  /// Whether this is one JSON object and nothing else.
  static func isObject(_ json: Bytes) -> Bool {
    var scanner = JSONScanner(json)
    guard let (kind, _) = scanner.value(), kind == .object else { return false }
    scanner.skipSpace()
    return scanner.isAtEnd
  }

  /// The value of an object's member as it stands, by a name without escapes; nil
  /// if there is none or `json` is no object.
  static func member(_ name: StaticString, of json: Bytes) -> (kind: JSONScanner.Kind, raw: Bytes)? {
    var scanner = JSONScanner(json)
    guard scanner.take(UInt8(ascii: "{")), !scanner.take(UInt8(ascii: "}")) else { return nil }
    repeat {
      scanner.skipSpace()
      guard let key = scanner.string(), scanner.take(UInt8(ascii: ":")), let value = scanner.value() else { return nil }
      if key.slice(1, key.count &- 1) == Bytes(name) { return value }
    } while scanner.take(UInt8(ascii: ","))
    return nil
  }

  /// The first value of an array as it stands; nil if there is none or `json` is no array.
  static func first(of json: Bytes) -> Bytes? {
    var scanner = JSONScanner(json)
    guard scanner.take(UInt8(ascii: "[")), !scanner.take(UInt8(ascii: "]")) else { return nil }
    return scanner.value()?.raw
  }

  /// The text of a scanned string (with its quotes) as UTF-8. An unpaired
  /// surrogate becomes three bytes that are no UTF-8 when `lenient`, so that
  /// keys stay apart; else it is an error, since no text can hold it.
  static func readString(_ raw: Bytes, lenient: Bool, to buffer: inout ByteBuffer) throws(Failure) {
    var i = 1
    while i < raw.count &- 1 {
      let escape = min(raw.find(UInt8(ascii: "\\"), from: i), raw.count &- 1)
      guard escape == i else {
        buffer.append(raw.slice(i, escape))
        i = escape
        continue
      }
      i &+= 2
      switch raw[i &- 1] {
      case UInt8(ascii: "b"): buffer.append(0x08)
      case UInt8(ascii: "f"): buffer.append(0x0C)
      case UInt8(ascii: "n"): buffer.append(UInt8(ascii: "\n"))
      case UInt8(ascii: "r"): buffer.append(UInt8(ascii: "\r"))
      case UInt8(ascii: "t"): buffer.append(UInt8(ascii: "\t"))
      case UInt8(ascii: "u"):
        var scalar = hex4(raw, at: i) ?? 0
        i &+= 4
        if scalar & 0xFC00 == 0xD800, raw[i] == UInt8(ascii: "\\"), raw[i &+ 1] == UInt8(ascii: "u"),
          let low = hex4(raw, at: i &+ 2),
          low & 0xFC00 == 0xDC00
        {
          scalar = 0x10000 &+ (scalar & 0x3FF) &<< 10 &+ low & 0x3FF
          i &+= 6
        } else if scalar & 0xF800 == 0xD800, !lenient {
          throw .syntax("the string has an unpaired surrogate; read it as JSON", at: i &- 6)
        }
        UTF8Text.append(scalar, to: &buffer)
      default: buffer.append(raw[i &- 1])
      }
    }
    guard !buffer.failed else { throw .memory }
  }

  /// Copies the value that comes next; as deep as the scanner would go.
  private static func copy(_ scanner: inout JSONScanner, _ style: JSONStyle, depth: Int, to buffer: inout ByteBuffer)
    throws(Failure)
  {
    scanner.skipSpace()
    let opening = scanner.text[scanner.position]
    guard opening == UInt8(ascii: "{") || opening == UInt8(ascii: "[") else {
      guard let (kind, raw) = scanner.value(depth: depth) else {
        throw .syntax("not a JSON value", at: scanner.position)
      }
      if kind == .string { try copyString(raw, style, to: &buffer) } else { buffer.append(raw) }
      return
    }
    guard depth < JSONScanner.deepest else { throw .syntax("nested too deeply", at: scanner.position) }
    let closing: UInt8 = opening == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]")
    _ = scanner.take(opening)
    buffer.append(opening)
    if scanner.take(closing) {
      buffer.append(closing)
      return
    }
    while true {
      if opening == UInt8(ascii: "{") {
        scanner.skipSpace()
        guard let key = scanner.string() else { throw .syntax("expected a key", at: scanner.position) }
        try copyString(key, style, to: &buffer)
        guard scanner.take(UInt8(ascii: ":")) else { throw .syntax("expected ':'", at: scanner.position) }
        buffer.append(UInt8(ascii: ":"))
        if style.spaced { buffer.append(UInt8(ascii: " ")) }
      }
      try copy(&scanner, style, depth: depth &+ 1, to: &buffer)
      if scanner.take(closing) {
        buffer.append(closing)
        return
      }
      guard scanner.take(UInt8(ascii: ",")) else { throw .syntax("expected ',' or the end", at: scanner.position) }
      buffer.append(UInt8(ascii: ","))
      if style.spaced { buffer.append(UInt8(ascii: " ")) }
    }
  }

  /// A scanned string with its escapes as the style has them.
  private static func copyString(_ raw: Bytes, _ style: JSONStyle, to buffer: inout ByteBuffer) throws(Failure) {
    buffer.append(UInt8(ascii: "\""))
    var i = 1
    while i < raw.count &- 1 {
      let plain = style.skipPlain(raw, i, raw.count &- 1)
      buffer.append(raw.slice(i, plain))
      i = plain
      if i >= raw.count &- 1 { break }
      var scalar: UInt32
      var size: Int
      if raw[i] == 0x5C {
        size = 2
        switch raw[i &+ 1] {
        case 0x62: scalar = 0x08
        case 0x66: scalar = 0x0C
        case 0x6E: scalar = 0x0A
        case 0x72: scalar = 0x0D
        case 0x74: scalar = 0x09
        case 0x75:
          (scalar, size) = (hex4(raw, at: i &+ 2) ?? 0, 6)
          if scalar & 0xFC00 == 0xD800, raw[i &+ 6] == 0x5C, raw[i &+ 7] == 0x75, let low = hex4(raw, at: i &+ 8),
            low & 0xFC00 == 0xDC00
          {
            (scalar, size) = (0x10000 &+ (scalar & 0x3FF) &<< 10 &+ low & 0x3FF, 12)
          }
        default: scalar = UInt32(raw[i &+ 1])
        }
      } else {
        guard let read = UTF8Text.scalar(raw, at: i) else { throw .syntax("not UTF-8", at: i) }
        (scalar, size) = read
      }
      appendEscaped(scalar, style, to: &buffer)
      i &+= size
    }
    buffer.append(UInt8(ascii: "\""))
  }

  /// Writes one JSON value as Python would: strings in ASCII, no white space,
  /// numbers as they stand.
  static func canonicalize(_ text: Bytes, to buffer: inout ByteBuffer) throws(Failure) {
    try write(text, .python, to: &buffer)
  }

  /// Writes one JSON value in a style, numbers as they stand.
  static func write(_ text: Bytes, _ style: JSONStyle, to buffer: inout ByteBuffer) throws(Failure) {
    var scanner = JSONScanner(text)
    try copy(&scanner, style, depth: 0, to: &buffer)
    scanner.skipSpace()
    guard scanner.isAtEnd else { throw .syntax("something follows the JSON value", at: scanner.position) }
    guard !buffer.failed else { throw .memory }
  }

  /// Throws unless `text` is one JSON value.
  static func check(_ text: Bytes) throws(Failure) {
    var scanner = JSONScanner(text)
    guard scanner.value() != nil else { throw .syntax("not a JSON value", at: scanner.position) }
    scanner.skipSpace()
    guard scanner.isAtEnd else { throw .syntax("something follows the JSON value", at: scanner.position) }
  }
}
