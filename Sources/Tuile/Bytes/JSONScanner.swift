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
      case 0x20, 0x09, 0x0A, 0x0D: position &+= 1
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
    while text[position] &- 0x30 < 10 { position &+= 1 }
    return position > from
  }

  private mutating func number() -> Kind? {
    if text[position] == 0x2D { position &+= 1 }
    if word("Infinity") { return .double }
    if text[position] == 0x30 {
      position &+= 1
    } else {
      guard digits() else { return nil }
    }
    var kind = Kind.integer
    if text[position] == 0x2E {
      position &+= 1
      guard digits() else { return nil }
      kind = .double
    }
    if text[position] | 0x20 == 0x65 {
      position &+= 1
      if text[position] == 0x2B || text[position] == 0x2D { position &+= 1 }
      guard digits() else { return nil }
      kind = .double
    }
    return kind
  }

  /// A string with its quotes; nil if it is none, or not UTF-8.
  mutating func string() -> Bytes? {
    let from = position
    guard text[position] == 0x22 else { return nil }
    position &+= 1
    while position < text.count {
      position = sys_skip_json_plain(text.start, position, text.count, 0)
      let c = text[position]
      if c == 0x22 {
        position &+= 1
        return text.slice(from, position)
      }
      if c < 0x20 || position >= text.count { return nil }
      if c == 0x5C {
        position &+= 1
        switch text[position] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: position &+= 1
        case 0x75:
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
    case 0x22: kind = string() == nil ? nil : .string
    case 0x7B: kind = container(0x7D, depth: depth) ? .object : nil
    case 0x5B: kind = container(0x5D, depth: depth) ? .array : nil
    case 0x74: kind = word("true") ? .bool : nil
    case 0x66: kind = word("false") ? .bool : nil
    case 0x6E: kind = word("null") ? .null : nil
    case 0x4E: kind = word("NaN") ? .double : nil
    case 0x49: kind = word("Infinity") ? .double : nil
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
      if close == 0x7D {
        skipSpace()
        guard string() != nil, take(0x3A) else { return false }
      }
      guard value(depth: depth &+ 1) != nil else { return false }
      if take(close) { return true }
      guard take(0x2C) else { return false }
    }
  }
}
