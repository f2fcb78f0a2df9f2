/// The ways in which text becomes a cookie's value, and back.
///
/// Encoding is two steps, so that a length is known before anything is written:
/// `check` refuses what the way can't hold, `encode` then never fails. Decoding
/// likewise.
enum CookieText {
  enum Encoding { case raw, percent, quoted, quotedUTF8, base64URL }

  static func checkEncodable(_ text: Bytes, _ encoding: Encoding) throws(Failure) {
    switch encoding {
    case .raw: try SetCookie.checkValue(text)
    case .quoted:
      var i = 0
      while i < text.count {
        guard let (scalar, size) = UTF8Text.scalar(text, at: i) else { throw .syntax("the text is not UTF-8", at: i) }
        guard scalar < 0x100 else { throw .syntax("a character over U+00FF has no octal escape", at: i) }
        i &+= size
      }
    case .percent, .quotedUTF8, .base64URL: return
    }
  }

  static func encode(_ text: Bytes, _ encoding: Encoding, to writer: inout ByteWriter) {
    switch encoding {
    case .raw: writer.append(text)
    case .percent: Percent.encode(text, to: &writer)
    case .quoted: quote(text, bytes: false, to: &writer)
    case .quotedUTF8: quote(text, bytes: true, to: &writer)
    case .base64URL: Base64URL.encode(text, to: &writer)
    }
  }

  static func checkDecodable(_ value: Bytes, _ encoding: Encoding) throws(Failure) {
    switch encoding {
    case .raw, .quoted, .quotedUTF8: return
    case .percent:
      var i = value.find(UInt8(ascii: "%"))
      while i < value.count {
        guard Hex.digit(value[i &+ 1]) != nil, Hex.digit(value[i &+ 2]) != nil else {
          throw .syntax("'%' without two hex digits", at: i)
        }
        i = value.find(UInt8(ascii: "%"), from: i &+ 3)
      }
    case .base64URL:
      var counter = ByteWriter()
      guard Base64URL.decode(value, to: &counter) else { throw .syntax("the value is not base64url without padding") }
    }
  }

  static func decode(_ value: Bytes, _ encoding: Encoding, to writer: inout ByteWriter) {
    switch encoding {
    case .raw: writer.append(value)
    case .percent: Percent.decode(value, to: &writer)
    case .quoted: unquote(value, bytes: false, to: &writer)
    case .quotedUTF8: unquote(value, bytes: true, to: &writer)
    case .base64URL: _ = Base64URL.decode(value, to: &writer)
    }
  }

  // MARK: quotes and octal escapes

  /// Python's `_LegalChars` with ':': text of these alone stays as it is.
  private static func isPlain(_ c: UInt8) -> Bool { SetCookie.isTokenOctet(c) || c == UInt8(ascii: ":") }

  /// What Werkzeug leaves without quotes besides: ( ) / < = > ? @ [ ] { }.
  private static func isPlainForWerkzeug(_ c: UInt8) -> Bool { isPlain(c) || isUnescaped(c) && c != UInt8(ascii: " ") }

  /// What stands inside quotes as it is.
  private static func isUnescaped(_ c: UInt8) -> Bool {
    switch c {
    case UInt8(ascii: " "), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "/"),
      UInt8(ascii: "<")...UInt8(ascii: "@"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"):
      return true
    default: return isPlain(c)
    }
  }

  /// `bytes`: an escape is an octet, else a character. Werkzeug also leaves empty
  /// text without quotes.
  private static func quote(_ text: Bytes, bytes: Bool, to writer: inout ByteWriter) {
    var i = 0
    while i < text.count, bytes ? isPlainForWerkzeug(text[i]) : isPlain(text[i]) { i &+= 1 }
    if i == text.count, bytes || i > 0 {
      writer.append(text)
      return
    }
    writer.append(UInt8(ascii: "\""))
    i = 0
    while i < text.count {
      var c = text[i]
      if !bytes, c >= 0xC2 {
        // Two octets of UTF-8 are one character up to U+00FF.
        c = c &<< 6 | text[i &+ 1] & 0x3F
        i &+= 1
      }
      if c == UInt8(ascii: "\"") || c == UInt8(ascii: "\\") {
        writer.append(UInt8(ascii: "\\"))
        writer.append(c)
      } else if isUnescaped(c) {
        writer.append(c)
      } else {
        writer.append(UInt8(ascii: "\\"))
        writer.append(UInt8(ascii: "0") &+ c &>> 6)
        writer.append(UInt8(ascii: "0") &+ (c &>> 3 & 7))
        writer.append(UInt8(ascii: "0") &+ (c & 7))
      }
      i &+= 1
    }
    writer.append(UInt8(ascii: "\""))
  }

  private static func unquote(_ value: Bytes, bytes: Bool, to writer: inout ByteWriter) {
    let last = value.count &- 1
    guard last > 0, value[0] == UInt8(ascii: "\""), value[last] == UInt8(ascii: "\"") else {
      writer.append(value)
      return
    }
    var i = 1
    while i < last {
      let c = value[i]
      // A backslash at the end, or before a line feed, stands for itself.
      guard c == UInt8(ascii: "\\"), i &+ 1 < last, value[i &+ 1] != UInt8(ascii: "\n") else {
        writer.append(c)
        i &+= 1
        continue
      }
      let (a, b, d) = (
        value[i &+ 1] &- UInt8(ascii: "0"), value[i &+ 2] &- UInt8(ascii: "0"), value[i &+ 3] &- UInt8(ascii: "0")
      )
      if a < 4, b < 8, d < 8, i &+ 3 < last {
        let octet = a &<< 6 | b &<< 3 | d
        if bytes || octet < 0x80 {
          writer.append(octet)
        } else {
          writer.append(0xC0 | octet &>> 6)
          writer.append(0x80 | octet & 0x3F)
        }
        i &+= 4
      } else {
        writer.append(value[i &+ 1])
        i &+= 2
      }
    }
  }
}

extension Base64URL {
  static func encode(_ bytes: Bytes, to writer: inout ByteWriter) {
    let size = encodedSize(bytes.count)
    if let start = writer.start, size <= writer.capacity &- writer.count {
      encode(bytes, to: start + writer.count)
    }
    writer.skip(size)
  }

  /// Writes what fits, in pieces of the stack; false if `text` is no base64.
  static func decode(_ text: Bytes, to writer: inout ByteWriter) -> Bool {
    var good = true
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 384) { room in
      guard let piece = room.baseAddress else { return }
      var i = 0
      repeat {
        let part = text.slice(i, i &+ 512)
        // Only the last piece may end within a group of four.
        guard let size = decode(part, to: piece), part.count % 4 == 0 || i &+ 512 >= text.count else {
          good = false
          return
        }
        writer.append(Bytes(piece, size))
        i &+= 512
      } while i < text.count
    }
    return good
  }
}
