import CSystem

/// The payload of Django's dumps and of URLSafeSerializer: URL-safe base64 of the
/// text, or, where that is shorter, a dot and that of the deflated text.
enum Deflated {
  /// Of what is packed and what is unpacked; no token is larger.
  static let largest = 64 << 20
  /// zlib adds 6 bytes of its own and at least 5 of deflate: below this many
  /// bytes it can't win.
  private static let shortest = 12

  static func encode(_ text: Bytes, compress: Bool, to out: inout ByteBuffer) throws(Failure) {
    guard text.count <= Deflated.largest else { throw .limit("the payload has more than 64 MiB") }
    var packed = ByteBuffer()
    if compress, text.count > shortest {
      // The deflated form is kept only if it is shorter by two bytes.
      let room = text.count &- 2
      var size = 0
      let filled = packed.fill(room) { start in
        size = sys_compress(text.start, text.count, start, room)
        return size
      }
      guard filled, size != SYS_Z_MEMORY else { throw .memory }
    }
    if packed.count > 0 {
      out.append(UInt8(ascii: "."))
      Base64.url.encode(packed.bytes, to: &out)
    } else {
      Base64.url.encode(text, to: &out)
    }
    guard !out.failed else { throw .memory }
  }

  /// Appends at most `limit` bytes, however much a deflated text would become.
  static func decode(_ payload: Bytes, limit: Int, to out: inout ByteBuffer) throws(Failure) {
    let deflated = payload[0] == UInt8(ascii: ".")
    var packed = ByteBuffer()
    guard try Base64.url.decode(deflated ? payload.dropFirst(1) : payload, to: &packed) else {
      throw .syntax("the payload is not base64")
    }
    guard deflated else {
      guard packed.count <= limit else { throw .limit("the payload is over the limit") }
      out.append(packed.bytes)
      guard !out.failed else { throw .memory }
      return
    }
    try inflate(packed.bytes, limit: limit, to: &out)
  }

  /// zlib data. Grows the room step by step: deflate can hold a thousand times its size.
  static func inflate(_ packed: Bytes, limit: Int, to out: inout ByteBuffer) throws(Failure) {
    var room = min(limit, max(512, packed.count &* 4))
    while true {
      var size = 0
      let filled = out.fill(room) { start in
        size = sys_decompress(packed.start, packed.count, start, room)
        return size
      }
      guard filled, size != SYS_Z_MEMORY else { throw .memory }
      if size >= 0 { return }
      guard size == SYS_Z_SPACE else { throw .syntax("the payload is not zlib data") }
      guard room < limit else { throw .limit("the payload is over the limit") }
      room = min(limit, room &* 4)
    }
  }
}
