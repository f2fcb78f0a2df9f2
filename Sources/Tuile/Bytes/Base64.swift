import CSystem

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
    _ = out.fill(size &+ pad) { start in
      sys_base64_encode(url, bytes.start, bytes.count, start)
      for i in Indices(pad) { start[size &+ i] = UInt8(ascii: "=") }
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
    var good = false
    _ = out.fill(Base64URL.decodedSize(body.count)) { start in
      guard let size = decode(body, to: start) else { return 0 }
      good = true
      return size
    }
    guard !out.failed else { throw .memory }
    return good
  }

  /// Writes at most `Base64URL.decodedSize(text.count)` bytes and returns how many, or nil
  /// if `text`, which has no padding, is not base64. Only the canonical form is read: spare bits are zero.
  func decode(_ text: Bytes, to out: UnsafeMutablePointer<UInt8>) -> Int? {
    guard text.count % 4 != 1 else { return nil }
    let read = sys_base64_decode(url, text.start, text.count, out)
    let left = text.count &- read
    guard left < 4 else { return nil }
    var group: UInt32 = 0
    for k in Indices(left) {
      let bits = sys_base64_value(url, text[read &+ k])
      guard bits < 64 else { return nil }
      group |= UInt32(bits) &<< UInt32(18 &- 6 &* k)
    }
    if left == 2, group & 0xFFFF != 0 { return nil }
    if left == 3, group & 0xFF != 0 { return nil }
    let from = read / 4 &* 3
    if left > 1 { out[from] = UInt8(truncatingIfNeeded: group &>> 16) }
    if left > 2 { out[from &+ 1] = UInt8(truncatingIfNeeded: group &>> 8) }
    return from &+ max(0, left &- 1)
  }
}
