/// How a framework writes its session's data.
enum PayloadFormat {
  case json
  /// PHP's three session.serialize_handler.
  case php, phpSerialize, phpBinary
  /// Python's, protocols 2 to 5.
  case pickle
  case msgpack
  /// Ruby's Marshal 4.8.
  case marshal
}

enum PayloadStatus {
  case ok
  /// Not of that format, or beyond the bounds.
  case malformed
  /// A change that this format cannot say.
  case notRepresentable
  /// A change of what stands behind a placeholder.
  case readOnly
  case noMemory
}

/// What a framework stored, as the session's JSON and back. Nothing that is read
/// is ever made an object or run; docs/payloads.md has what JSON lacks.
enum Payload {
  /// The most bytes that are read, and the most that JSON may become of few:
  /// what is referred to more than once is written as often.
  static let largest = 1 << 24
  static func largestJSON(_ stored: Int) -> Int { stored &* 64 &+ 1 << 20 }
  /// Values in one payload, and how deep they, and the JSON made of them, may nest.
  static let mostValues = 1 << 18
  static let deepest = JSONScanner.deepest
  /// Bytes of an integer, which is written as decimal digits.
  static let widestInteger = 512

  /// The stored bytes as a JSON object, in ASCII and without white space;
  /// placeholders for what JSON lacks. `json` is emptied first.
  static func read(_ stored: Bytes, _ format: PayloadFormat, into json: inout ByteBuffer) -> PayloadStatus {
    json.removeAll()
    if format == .json { return PayloadJSON.read(stored, into: &json) }
    if let plain = PlainReader.read(stored, format, into: &json) { return plain }
    return readByTree(stored, format, into: &json)
  }

  /// Any payload, in two passes.
  static func readByTree(_ stored: Bytes, _ format: PayloadFormat, into json: inout ByteBuffer) -> PayloadStatus {
    json.removeAll()
    guard stored.count <= largest else { return .malformed }
    guard let tree = PayloadTree(stored, format) else { return .noMemory }
    let parsed = tree.parse()
    guard parsed == .ok else { return parsed }
    return tree.show(in: &json)
  }

  /// The bytes to store so that `read` gives `json`. What `json` does not change is
  /// copied as it is from `stored`, which may be empty: a new session. The variant
  /// that was found is kept. `out` is emptied first.
  static func rewrite(
    _ stored: Bytes, _ format: PayloadFormat, as json: Bytes, into out: inout ByteBuffer
  ) -> PayloadStatus {
    out.removeAll()
    guard json.count <= largestJSON(largest) else { return .notRepresentable }
    if format == .json { return PayloadJSON.rewrite(stored, as: json, into: &out) }
    guard stored.count <= largest else { return .malformed }
    var wanted = ByteBuffer()
    let canonical = canonicalize(json, to: &wanted)
    guard canonical == .ok else { return canonical }
    guard let tree = PayloadTree(stored, format) else { return .noMemory }
    let parsed = tree.parse()
    guard parsed == .ok else { return parsed }
    var shown = ByteBuffer()
    let answer = tree.show(in: &shown)
    guard answer == .ok else { return answer }
    // The common case of a session that was only looked at.
    if !stored.isEmpty, shown.bytes == wanted.bytes {
      out.append(stored)
      return out.failed ? .noMemory : .ok
    }
    let merged = tree.change(to: wanted.bytes, shown: shown.bytes)
    guard merged == .ok else { return merged }
    let written = tree.write(to: &out)
    guard written == .ok else { return written }
    return out.failed ? .noMemory : .ok
  }

  /// One JSON object as `read` would show it.
  static func canonicalize(_ json: Bytes, to buffer: inout ByteBuffer) -> PayloadStatus {
    do throws(Failure) {
      try JSONText.canonicalize(json, to: &buffer)
    } catch {
      return buffer.failed ? .noMemory : .notRepresentable
    }
    return buffer.bytes[0] == 0x7B ? .ok : .notRepresentable
  }
}
