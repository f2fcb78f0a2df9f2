import CTuile

/// What the URL's options say.
struct LayoutOptions {
  struct Names: OptionSet {
    let rawValue: UInt8

    static let prefix = Names(rawValue: 1)
    static let table = Names(rawValue: 2)
    static let ttl = Names(rawValue: 4)
  }

  /// Before the key in the store, as the framework's own setting has it; nil: its default.
  var prefix: LayoutText?
  var table: LayoutText?
  /// Seconds: the framework's setting for how long sessions live of which nothing else says it.
  var ttl: Int64?
}

/// Text with one owner, for as long as the layout lives.
final class LayoutText {
  private var buffer = ByteBuffer()

  static func decoded(_ text: Bytes) throws(Failure) -> LayoutText {
    let made = LayoutText()
    try URLText.decode(text, to: &made.buffer)
    return made
  }

  var bytes: Bytes { buffer.bytes }

  /// So many digits of lower-case hex.
  static func isHex(_ text: Bytes, _ count: Int) -> Bool {
    guard text.count == count else { return false }
    for i in Indices(count) where !(text[i] &- 0x30 < 10 || text[i] &- 0x61 < 6) { return false }
    return true
  }
}

extension URLText.Option {
  /// One of the words that the option knows; `list` is all of them, for the message.
  func choice<Value>(_ list: StaticString, _ choices: (StaticString, Value)...) throws(Failure) -> Value {
    for (word, value) in choices where self.value == Bytes(word) { return value }
    throw refused(known: list)
  }
}
