import CTuile

/// A layout whose session is one payload of a language's own format.
class PayloadLayout: Layout {
  /// Of new sessions.
  var format: PayloadFormat { .json }

  /// Of what is stored, where a framework reads more than one; of what is new, where nothing is.
  func format(of stored: Bytes) -> PayloadFormat { format }

  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    guard !stored.isEmpty else { return false }
    guard stored.count <= limit else { throw .limit("the session is larger than max_data") }
    switch Payload.read(stored, format(of: stored), into: &json) {
    case .ok: break
    case .noMemory: throw .memory
    default: return false
    }
    guard json.count <= limit else { throw .limit("the session is larger than max_data") }
    return true
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    try PayloadLayout.check(Payload.rewrite(base, format(of: base), as: json, into: &out))
  }

  static func check(_ status: PayloadStatus) throws(Failure) {
    switch status {
    case .ok: return
    case .noMemory: throw .memory
    case .malformed:
      throw Failure(status: TUILE_E_CORRUPT, message: "what the store has is no session of the layout's")
    case .notRepresentable: throw .type("the layout's format can't say what was set: another name or value has to be")
    case .readOnly: throw .type("a value that JSON can't say was changed in part: it stays, or goes as a whole")
    }
  }
}
