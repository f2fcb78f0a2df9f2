/// What is in a session's file: the data, and behind data that is not in the form of a
/// Django session a mark. So each file of a store can be told from whatever else has
/// come to lie in its folder under such a name.
enum FileContent {
  static let mark: StaticString = "\0tuile"

  /// Appends nothing where the data is the content.
  static func write(_ data: Bytes, to content: inout ByteBuffer) throws(Failure) {
    guard !isSigned(data) else { return }
    content.append(data)
    content.append(mark)
    guard !content.failed else { throw .memory }
  }

  static func dropMark(_ content: inout ByteBuffer) {
    if hasMark(content.bytes) { content.truncate(content.count &- mark.count) }
  }

  private static func hasMark(_ content: Bytes) -> Bool {
    content.dropFirst(content.count &- mark.count) == Bytes(mark)
  }

  static func isOurs(_ content: Bytes) -> Bool { hasMark(content) || isSigned(content) }

  /// `payload:time:signature` in Django's alphabet, as its signing.dumps writes them, the
  /// payload behind a dot if it is compressed. Whose signature it is nobody can tell here.
  static func isSigned(_ data: Bytes) -> Bool {
    guard let second = data.findLast(UInt8(ascii: ":")), let first = data.slice(0, second).findLast(UInt8(ascii: ":"))
    else { return false }
    let payload = data.slice(data[0] == UInt8(ascii: ".") ? 1 : 0, first)
    let time = data.slice(first &+ 1, second)
    let signature = data.dropFirst(second &+ 1)
    return !payload.isEmpty && !time.isEmpty && time.count <= 11 && signature.count >= 27 && signature.count <= 86
      && isText(signature) && isText(time) && isText(payload)
  }

  /// A-Z, a-z, 0-9, - and _ alone.
  private static func isText(_ text: Bytes) -> Bool {
    for i in Indices(text.count) {
      let c = text[i]
      guard
        c &- UInt8(ascii: "a") < 26 || c &- UInt8(ascii: "A") < 26 || c &- UInt8(ascii: "0") < 10
          || c == UInt8(ascii: "-") || c == UInt8(ascii: "_")
      else { return false }
    }
    return true
  }
}
