import CSystem

/// Between a session's JSON and what a store keeps: Django's signed and deflated
/// form, a layout's, or the JSON itself where only this process can write.
struct Codec {
  /// nil: the store is trusted, or has a layout.
  let signer: DjangoSigner?
  let layout: Layout?
  /// What seals the layout's sessions; nil: nothing.
  let sealer: Sealer?
  /// Most bytes of JSON, read or written.
  let limit: Int

  static let salt: StaticString = "django.contrib.sessions.SessionStore"

  /// `unique`: as nobody else writes it, though it be the same JSON in the same second:
  /// white space behind it, which no reader of JSON minds, says 32 random bits.
  ///
  /// A layout's form says no such bits, since its framework would not. `base` is what the
  /// store has, of which it keeps what JSON can't say.
  func encode(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, unique: Bool = false, to out: inout ByteBuffer
  ) throws(Failure) {
    guard json.count <= limit else { throw .limit("the session is larger than max_data") }
    if let layout {
      out.removeAll()
      return try layout.write(json, base: base, moment, sealer, to: &out)
    }
    let now = moment.now / 1_000_000
    guard unique else { return try seal(json, now: now, to: &out) }
    var text = ByteBuffer()
    text.append(json)
    var bits: UInt32 = 0
    guard sys_random(&bits, MemoryLayout<UInt32>.size) else { throw .random }
    for _ in Indices(16) {
      switch bits & 3 {
      case 0: text.append(UInt8(ascii: " "))
      case 1: text.append(UInt8(ascii: "\t"))
      case 2: text.append(UInt8(ascii: "\n"))
      default: text.append(UInt8(ascii: "\r"))
      }
      bits = bits &>> 2
    }
    guard !text.failed else { throw .memory }
    try seal(text.bytes, now: now, to: &out)
  }

  private func seal(_ json: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
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
    if let layout { return try layout.read(stored, sealer, limit: limit, into: &out) }
    guard let signer else {
      out.append(stored)
      guard !out.failed else { throw .memory }
      return 0
    }
    // And the white space of `encode`.
    switch try signer.loads(stored, maxAge: nil, now: 0, limit: limit &+ 16, to: &out) {
    case .valid(_, let key): return key
    case .badSignature, .expired: return nil
    }
  }
}
