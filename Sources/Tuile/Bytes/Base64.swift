/// Base64 with either alphabet, padded or not (RFC 4648, sections 4 and 5).
/// Only the canonical form is read: the right padding, spare bits zero.
struct Base64 {
  let url: Bool
  let padded: Bool

  static let url = Base64(url: true, padded: false)
  static let urlPadded = Base64(url: true, padded: true)
  static let standard = Base64(url: false, padded: true)
  static let standardBare = Base64(url: false, padded: false)

  func encode(_ bytes: Bytes, to out: inout ByteBuffer) {
    let size = Base64URL.encodedSize(bytes.count)
    let pad = padded ? (4 &- size % 4) % 4 : 0
    _ = out.fill(size &+ pad &+ 4) { start in
      Base64URL.encode(bytes, to: start)
      var i = 0
      while i < size, !url {
        if start[i] == UInt8(ascii: "-") { start[i] = UInt8(ascii: "+") }
        if start[i] == UInt8(ascii: "_") { start[i] = UInt8(ascii: "/") }
        i &+= 1
      }
      i = 0
      while i < pad {
        start[size &+ i] = UInt8(ascii: "=")
        i &+= 1
      }
      return size &+ pad
    }
  }

  /// Appends what `text` encodes; false if it is none. Throws only `.memory`.
  func decode(_ text: Bytes, to out: inout ByteBuffer) throws(Failure) -> Bool {
    var body = text
    if padded {
      guard text.count % 4 == 0 else { return false }
      if body[body.count &- 1] == UInt8(ascii: "=") { body = body.slice(0, body.count &- 1) }
      if body.count % 4 == 3, body[body.count &- 1] == UInt8(ascii: "=") { body = body.slice(0, body.count &- 1) }
    }
    if url { return try Base64.decodeURL(body, to: &out) }
    var copy = ByteBuffer()
    // It may be a key.
    defer { copy.wipe() }
    var good = true
    _ = copy.fill(body.count) { start in
      for i in Indices(body.count) {
        let c = body.start[i]
        if c == UInt8(ascii: "-") || c == UInt8(ascii: "_") { good = false }
        start[i] = c == UInt8(ascii: "+") ? UInt8(ascii: "-") : c == UInt8(ascii: "/") ? UInt8(ascii: "_") : c
      }
      return body.count
    }
    guard !copy.failed else { throw .memory }
    return good ? try Base64.decodeURL(copy.bytes, to: &out) : false
  }

  private static func decodeURL(_ text: Bytes, to out: inout ByteBuffer) throws(Failure) -> Bool {
    var good = false
    _ = out.fill(Base64URL.decodedSize(text.count)) { start in
      guard let size = Base64URL.decode(text, to: start) else { return 0 }
      good = true
      return size
    }
    guard !out.failed else { throw .memory }
    return good
  }
}
