import CSystem
import CTuile

/// Django's signing.dumps and loads: JSON, deflated where that is shorter
/// (marked by a dot), in URL-safe base64, signed.
extension Signer {
  /// Appends the token for `json`, which is written as it stands.
  func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    guard json.count <= Signer.largest else { throw .limit("the payload has more than 64 MiB") }
    var packed = ByteBuffer()
    if compress, json.count > Signer.shortestCompressible {
      // Django keeps the deflated form only if it is shorter by two bytes.
      let room = json.count &- 2
      var size = 0
      guard
        packed.fill(
          room,
          { out in
            size = sys_compress(json.start, json.count, out, room)
            return size
          })
      else { throw .memory }
      if size == SYS_Z_MEMORY { throw .memory }
    }
    let body = packed.count > 0 ? packed.bytes : json
    let encoded = Base64URL.encodedSize(body.count) &+ (packed.count > 0 ? 1 : 0)
    let room = Signer.roomFor(encoded)
    let deflated = packed.count > 0
    guard
      out.fill(
        room,
        { start in
          var writer = ByteWriter(start, capacity: room)
          if deflated { writer.append(0x2E) }
          Base64URL.encode(body, to: start + writer.count)
          writer.skip(encoded &- writer.count)
          finish(encoded, now: now, to: &writer)
          return writer.count
        })
    else { throw .memory }
  }

  /// zlib adds 6 bytes of its own and at least 5 of deflate: below this many
  /// bytes it can't win.
  private static let shortestCompressible = 12

  enum Loaded {
    case valid(timestamp: Int64?, key: Int)
    case badSignature
    case expired
  }

  /// Appends the JSON of `token` once its signature is right; at most `limit`
  /// bytes of it, however much a deflated one would become.
  func loads(_ token: Bytes, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer) throws(Failure) -> Loaded
  {
    let verified: Verified
    switch verify(token, maxAge: maxAge, now: now) {
    case .badSignature: return .badSignature
    case .expired: return .expired
    case .valid(let answer): verified = answer
    }
    let deflated = verified.value[0] == 0x2E
    let text = deflated ? verified.value.dropFirst(1) : verified.value
    var decoded: Int? = 0
    var packed = ByteBuffer()
    guard
      packed.fill(
        Base64URL.decodedSize(text.count),
        { start in
          decoded = Base64URL.decode(text, to: start)
          return decoded ?? 0
        })
    else { throw .memory }
    guard decoded != nil else { throw .syntax("the payload is not base64") }
    guard deflated else {
      guard packed.count <= limit else { throw .limit("the payload is over the limit") }
      out.append(packed.bytes)
      guard !out.failed else { throw .memory }
      return .valid(timestamp: verified.timestamp, key: verified.key)
    }
    try Signer.inflate(packed.bytes, limit: limit, to: &out)
    return .valid(timestamp: verified.timestamp, key: verified.key)
  }

  /// Grows the room step by step: deflate can hold a thousand times its size.
  private static func inflate(_ packed: Bytes, limit: Int, to out: inout ByteBuffer) throws(Failure) {
    var room = min(limit, max(512, packed.count &* 4))
    while true {
      var size = 0
      guard
        out.fill(
          room,
          { start in
            size = sys_decompress(packed.start, packed.count, start, room)
            return size
          })
      else { throw .memory }
      if size >= 0 { return }
      if size == SYS_Z_MEMORY { throw .memory }
      guard size == SYS_Z_SPACE else { throw .syntax("the payload is not zlib data") }
      guard room < limit else { throw .limit("the payload is over the limit") }
      room = min(limit, room &* 4)
    }
  }
}
