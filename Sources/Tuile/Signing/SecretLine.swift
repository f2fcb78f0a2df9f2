/// What slips into a file of secrets beside the secret: such a line would be
/// another secret than the application's, and no signature would match.
enum SecretLine {
  /// A text that is no list of lines in UTF-8 or ASCII.
  static func check(file text: Bytes) throws(Failure) {
    if text.hasPrefix(Bytes("\u{FEFF}")) {
      throw .syntax("the secrets begin with a byte order mark (BOM): save them without one", at: 0)
    }
    let first = UInt16(text[0]) &<< 8 | UInt16(text[1])
    if first == 0xFFFE || first == 0xFEFF {
      throw .syntax("the secrets are in UTF-16: save them as UTF-8, without a byte order mark (BOM)", at: 0)
    }
  }

  /// A line without its end, which began at `offset`. One that is meant as it stands can be written in hex.
  static func check(_ line: Bytes, at offset: Int) throws(Failure) {
    let last = line[line.count &- 1]
    if isSpace(line[0]) || isSpace(last) {
      throw .syntax("a secret has spaces around it: remove them, or write the secret in hex or base64", at: offset)
    }
    if line.contains(UInt8(ascii: "\r")) || line.contains(0) {
      throw .syntax("a secret has a carriage return or a NUL in it: write each secret on a line of its own", at: offset)
    }
    if isAssignment(line) {
      throw .syntax("a secret's name stands before it, as in SECRET_KEY = …: write the secret alone", at: offset)
    }
    if line.count > 1, line[0] == last, isQuote(last) {
      throw .syntax("a secret is in quotes: write it without them, or in hex or base64", at: offset)
    }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  /// SECRET_KEY = …, export SECRET=…, "secret": …; what is before the sign ends as
  /// the name of a secret does, since a secret itself may have a '=' in it.
  private static func isAssignment(_ line: Bytes) -> Bool {
    let sign = min(line.find(UInt8(ascii: "=")), line.find(UInt8(ascii: ":")))
    guard sign < line.count else { return false }
    var end = sign
    while end > 0, isSpace(line[end &- 1]) || isQuote(line[end &- 1]) { end &-= 1 }
    for i in Indices(end) {
      let byte = line[i]
      let plain =
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
      guard plain || isSpace(byte) || isQuote(byte) else { return false }
    }
    let name = line.slice(0, end)
    return ends(name, "key") || ends(name, "keys") || ends(name, "secret") || ends(name, "secrets")
      || ends(name, "fallbacks") || ends(name, "password")
  }

  private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

  private static func ends(_ name: Bytes, _ lowercase: StaticString) -> Bool {
    name.slice(name.count &- lowercase.count, name.count).hasPrefix(ignoringCase: lowercase)
  }
}
