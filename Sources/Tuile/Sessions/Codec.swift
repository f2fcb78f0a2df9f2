/// Between a session's JSON and what a store keeps: Django's signed and deflated
/// form, or the JSON itself where only this process can write.
struct Codec {
  /// nil: the store is trusted.
  let signer: DjangoSigner?
  /// Most bytes of JSON, read or written.
  let limit: Int

  static let salt: StaticString = "django.contrib.sessions.SessionStore"

  func encode(_ json: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    guard json.count <= limit else { throw .limit("the session is larger than max_data") }
    out.removeAll()
    guard let signer else {
      out.append(json)
      guard !out.failed else { throw .memory }
      return
    }
    try signer.dumpsCanonical(json, compress: true, now: now, to: &out)
  }

  /// The JSON in `stored`, and which of the keys had signed it; nil if it was none
  /// of them, or no JSON: then, as in Django, the session is empty and the visitor
  /// sees no error.
  func decode(_ stored: Bytes, to out: inout ByteBuffer) throws(Failure) -> Int? {
    out.removeAll()
    guard let signer else {
      out.append(stored)
      guard !out.failed else { throw .memory }
      return 0
    }
    switch try signer.loads(stored, maxAge: nil, now: 0, limit: limit, to: &out) {
    case .valid(_, let key): return key
    case .badSignature, .expired: return nil
    }
  }
}
