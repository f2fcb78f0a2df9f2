/// Django's signing.dumps and loads: JSON, deflated where that is shorter
/// (marked by a dot), in URL-safe base64, signed.
extension DjangoSigner {
  /// Appends the token for `json`, which is written as it stands.
  func dumpsCanonical(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var payload = ByteBuffer()
    try Deflated.encode(json, compress: compress, to: &payload)
    try append(payload.bytes, now: now, to: &out)
  }

  /// Appends the token of a text.
  func append(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    let room = DjangoSigner.roomFor(text.count)
    let filled = out.fill(room) { start in
      var writer = ByteWriter(start, capacity: room)
      sign(text, now: now, to: &writer)
      return writer.count
    }
    guard filled else { throw .memory }
  }

  /// Appends the JSON of `token` once its signature is right; at most `limit`
  /// bytes of it, however much a deflated one would become.
  func loads(_ token: Bytes, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer) throws(Failure) -> Opened
  {
    switch verify(token, maxAge: maxAge, now: now) {
    case .badSignature: return .badSignature
    case .expired: return .expired
    case .valid(let verified):
      try Deflated.decode(verified.value, limit: limit, to: &out)
      return .valid(timestamp: verified.timestamp, key: verified.key)
    }
  }
}
