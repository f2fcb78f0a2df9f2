/// Walks the members of a JSON object (RFC 8259), whose names may be escaped.
struct JSONMembers {
  private var scanner: JSONScanner
  private var begun = false
  /// The object ended, and with it the text.
  private(set) var isComplete = false

  struct Member {
    /// With its quotes, as it stands.
    let name: Bytes
    let kind: JSONScanner.Kind
    let raw: Bytes

    /// Whether this is the name, escaped or not.
    func isNamed(_ text: StaticString) throws(Failure) -> Bool {
      try JSONMembers.isString(name, Bytes(text))
    }
  }

  init(_ json: Bytes) { scanner = JSONScanner(json) }

  mutating func next() -> Member? {
    if begun {
      guard scanner.take(UInt8(ascii: ",")) else { return end() }
    } else {
      begun = true
      guard scanner.take(UInt8(ascii: "{")) else { return nil }
      scanner.skipSpace()
      if scanner.text[scanner.position] == UInt8(ascii: "}") { return end() }
    }
    scanner.skipSpace()
    guard let name = scanner.string(), scanner.take(UInt8(ascii: ":")), let (kind, raw) = scanner.value() else {
      return nil
    }
    return Member(name: name, kind: kind, raw: raw)
  }

  private mutating func end() -> Member? {
    guard scanner.take(UInt8(ascii: "}")) else { return nil }
    scanner.skipSpace()
    isComplete = scanner.isAtEnd
    return nil
  }

  /// Whether a scanned string, with its quotes, says this text.
  static func isString(_ raw: Bytes, _ text: Bytes) throws(Failure) -> Bool {
    guard raw.contains(UInt8(ascii: "\\")) else { return raw.slice(1, raw.count &- 1) == text }
    var plain = ByteBuffer()
    try JSONText.readString(raw, lenient: true, to: &plain)
    return plain.bytes == text
  }
}
