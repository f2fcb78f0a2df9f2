import CTuile

/// An error on its way to a `tuile_error`. Ordinary answers (absent, expired,
/// conflict) are return values and never come this way, but for one, which every call
/// of a session gives: that it is bound to another device.
struct Failure: Error {
  let status: tuile_status
  let message: StaticString
  var offset = 0
  /// What a system below said, appended to the message.
  var detail: Detail?

  /// Complete before it is thrown and only read after: threads may pass it on.
  final class Detail: @unchecked Sendable {
    private(set) var text = ByteBuffer()
    init(_ bytes: Bytes) { text.append(bytes) }
    convenience init(_ string: UnsafePointer<CChar>?) {
      guard let string else {
        self.init(Bytes())
        return
      }
      var size = 0
      while size < 200, string[size] != 0 { size &+= 1 }
      self.init(Bytes(UnsafeRawPointer(string).assumingMemoryBound(to: UInt8.self), size))
    }
  }

  static var memory: Failure { Failure(status: TUILE_E_MEMORY, message: "memory ran out") }
  static var random: Failure { Failure(status: TUILE_E_RANDOM, message: "the system gave no random bytes") }
  static var unbound: Failure {
    Failure(status: TUILE_UNBOUND, message: "the session is bound to a device, and its bound cookie did not come")
  }
  static func argument(_ message: StaticString) -> Failure { Failure(status: TUILE_E_ARGUMENT, message: message) }
  static func limit(_ message: StaticString) -> Failure { Failure(status: TUILE_E_LIMIT, message: message) }
  static func syntax(_ message: StaticString, at offset: Int = 0) -> Failure {
    Failure(status: TUILE_E_SYNTAX, message: message, offset: offset)
  }
  static func rule(_ message: StaticString) -> Failure { Failure(status: TUILE_E_RULE, message: message) }
}

extension Failure {
  static func range(_ message: StaticString) -> Failure { Failure(status: TUILE_E_RANGE, message: message) }
  static func type(_ message: StaticString) -> Failure { Failure(status: TUILE_E_TYPE, message: message) }
}
