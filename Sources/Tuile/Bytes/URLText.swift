import CTuile

/// The text of URLs that name stores (RFC 3986).
enum URLText {
  /// Percent-decodes (section 2.1); a NUL is refused, so that the text can be a C string.
  static func decode(_ text: Bytes, to out: inout ByteBuffer) throws(Failure) {
    var i = 0
    while i < text.count {
      var byte = text[i]
      if byte == UInt8(ascii: "%") {
        guard let high = Hex.digit(text[i &+ 1]), let low = Hex.digit(text[i &+ 2]) else {
          throw .syntax("'%' is not followed by two hex digits in the store's URL", at: i)
        }
        byte = high &<< 4 | low
        i &+= 2
      }
      guard byte != 0 else { throw .syntax("the store's URL has a NUL", at: i) }
      out.append(byte)
      i &+= 1
    }
    guard !out.failed else { throw .memory }
  }

  /// Percent-encodes a path.
  static func encode(_ path: Bytes, to out: inout ByteBuffer) {
    for i in Indices(path.count) {
      let c = path[i]
      if c &- UInt8(ascii: "a") < 26 || c &- UInt8(ascii: "A") < 26 || c &- UInt8(ascii: "-") < 13
        || c == UInt8(ascii: "_") || c == UInt8(ascii: "~")
      {
        out.append(c)
      } else {
        out.append(UInt8(ascii: "%"))
        Hex.encode(UInt64(c), digits: 2, to: &out)
      }
    }
  }

  /// The options `name=value&…` behind the '?' of a store's URL, as they are written.
  struct Options {
    private let text: Bytes
    private var from = 0

    init(_ query: Bytes) { text = query }

    mutating func next() -> Option? {
      guard from < text.count else { return nil }
      let end = text.find(UInt8(ascii: "&"), from: from)
      let equals = min(text.find(UInt8(ascii: "="), from: from), end)
      defer { from = end &+ 1 }
      let name = text.slice(from, equals)
      let nameable = isPlain(name) && !mayHoldSecrets
      return Option(name: name, value: text.slice(equals &+ 1, end), offset: from, isNameable: nameable)
    }

    /// Behind a password with an '&' or a '?' in it what looks like an option may be a part of it.
    private var mayHoldSecrets: Bool {
      var i = 0
      while i < text.count {
        if text[i] == UInt8(ascii: "@") || text.dropFirst(i).hasPrefix(ignoringCase: "pass") { return true }
        i &+= 1
      }
      return false
    }

    private func isPlain(_ name: Bytes) -> Bool {
      guard !name.isEmpty, name.count <= 32 else { return false }
      var i = 0
      while i < name.count {
        guard name[i] | 0x20 &- 0x61 < 26 || name[i] &- 0x30 < 10 || name[i] == UInt8(ascii: "_") else { return false }
        i &+= 1
      }
      return true
    }
  }

  struct Option {
    let name: Bytes
    let value: Bytes
    /// Where it begins in the query.
    let offset: Int
    /// No part of it can be of a secret: a message may say it.
    let isNameable: Bool

    func number(_ range: ClosedRange<Int64>) throws(Failure) -> Int64 {
      guard let number = Numbers.read(value, base: 10), range.contains(number) else {
        // The name is one that the store knows, not a part of a password with an '&' in it.
        throw Failure(
          status: TUILE_E_SYNTAX, message: "an option of the store's URL has no number, or one out of its range",
          offset: offset, detail: described(range))
      }
      return number
    }

    /// "busy (0 to 600000)".
    private func described(_ range: ClosedRange<Int64>) -> Failure.Detail {
      var text = ByteBuffer()
      text.append(name)
      text.append(" (")
      Numbers.writeDecimal(range.lowerBound, to: &text)
      text.append(" to ")
      Numbers.writeDecimal(range.upperBound, to: &text)
      text.append(")")
      return Failure.Detail(text.bytes)
    }
  }
}
