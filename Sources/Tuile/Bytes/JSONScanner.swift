import CSystem

/// Walks JSON text (RFC 8259, and Python's NaN, Infinity and -Infinity, which
/// Django's sessions may hold) and says where each value ends.
struct JSONScanner {
  /// Deeper nesting is refused, so that hostile text can't exhaust the stack.
  static let deepest = 128

  let text: Bytes
  private(set) var position = 0

  init(_ text: Bytes) { self.text = text }

  enum Kind { case null, bool, integer, double, string, array, object }

  mutating func skipSpace() {
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position &+= 1
      default: return
      }
    }
  }

  /// Takes `byte` if it comes next, after white space.
  mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard position < text.count, text[position] == byte else { return false }
    position &+= 1
    return true
  }

  var isAtEnd: Bool { position >= text.count }

  private mutating func word(_ word: StaticString) -> Bool {
    guard text.dropFirst(position).hasPrefix(Bytes(word)) else { return false }
    position &+= word.count
    return true
  }

  private mutating func digits() -> Bool {
    let from = position
    while text[position] &- UInt8(ascii: "0") < 10 { position &+= 1 }
    return position > from
  }

  private mutating func number() -> Kind? {
    if text[position] == UInt8(ascii: "-") { position &+= 1 }
    if word("Infinity") { return .double }
    if text[position] == UInt8(ascii: "0") {
      position &+= 1
    } else {
      guard digits() else { return nil }
    }
    var kind = Kind.integer
    if text[position] == UInt8(ascii: ".") {
      position &+= 1
      guard digits() else { return nil }
      kind = .double
    }
    if text[position] | 0x20 == UInt8(ascii: "e") {
      position &+= 1
      if text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-") { position &+= 1 }
      guard digits() else { return nil }
      kind = .double
    }
    return kind
  }

  /// A string with its quotes; nil if it is none, or not UTF-8.
  mutating func string() -> Bytes? {
    let from = position
    guard text[position] == UInt8(ascii: "\"") else { return nil }
    position &+= 1
    while position < text.count {
      position = sys_skip_json_plain(text.start, position, text.count, 0)
      let c = text[position]
      if c == UInt8(ascii: "\"") {
        position &+= 1
        return text.slice(from, position)
      }
      if c < 0x20 || position >= text.count { return nil }
      if c == UInt8(ascii: "\\") {
        position &+= 1
        switch text[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
          UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
          position &+= 1
        case UInt8(ascii: "u"):
          guard JSONText.hex4(text, at: position &+ 1) != nil else { return nil }
          position &+= 5
        default: return nil
        }
      } else if c < 0x80 {
        position &+= 1
      } else {
        guard let (_, size) = UTF8Text.scalar(text, at: position) else { return nil }
        position &+= size
      }
    }
    return nil
  }

  /// One value of any kind, white space before it skipped; nil where it breaks.
  mutating func value(depth: Int = 0) -> (kind: Kind, raw: Bytes)? {
    skipSpace()
    let from = position
    let kind: Kind?
    switch text[position] {
    case UInt8(ascii: "\""): kind = string() == nil ? nil : .string
    case UInt8(ascii: "{"): kind = container(UInt8(ascii: "}"), depth: depth) ? .object : nil
    case UInt8(ascii: "["): kind = container(UInt8(ascii: "]"), depth: depth) ? .array : nil
    case UInt8(ascii: "t"): kind = word("true") ? .bool : nil
    case UInt8(ascii: "f"): kind = word("false") ? .bool : nil
    case UInt8(ascii: "n"): kind = word("null") ? .null : nil
    case UInt8(ascii: "N"): kind = word("NaN") ? .double : nil
    case UInt8(ascii: "I"): kind = word("Infinity") ? .double : nil
    default: kind = number()
    }
    guard let kind else { return nil }
    return (kind, text.slice(from, position))
  }

  private mutating func container(_ close: UInt8, depth: Int) -> Bool {
    guard depth < JSONScanner.deepest else { return false }
    position &+= 1
    if take(close) { return true }
    while true {
      if close == UInt8(ascii: "}") {
        skipSpace()
        guard string() != nil, take(UInt8(ascii: ":")) else { return false }
      }
      guard value(depth: depth &+ 1) != nil else { return false }
      if take(close) { return true }
      guard take(UInt8(ascii: ",")) else { return false }
    }
  }
}
