import CRedis
import CTuile

/// What a command is answered with, where it is no error.
enum RedisExpected { case text, textOrNil, doneOrNil, integer, list }

/// What a server answered. Reading a part that is not there gives nil. Whoever
/// reads text of it keeps the object alive.
final class RedisReply {
  private let reply: UnsafeMutablePointer<cr_reply>

  init(_ reply: UnsafeMutablePointer<cr_reply>) { self.reply = reply }

  deinit { cr_reply_free(reply) }

  var view: View { View(owner: self, reply: UnsafePointer(reply)) }

  /// The reply, or a part of it.
  struct View {
    fileprivate let owner: RedisReply
    fileprivate let reply: UnsafePointer<cr_reply>

    private func read<Answer>(_ body: (cr_reply) -> Answer) -> Answer {
      // The optimizer sees no connection between the pointer and its owner.
      withExtendedLifetime(owner) { body(reply.pointee) }
    }

    private func text(_ reply: cr_reply) -> Bytes {
      let start = UnsafeRawPointer(self.reply) + MemoryLayout<cr_reply>.size
      return Bytes(start.assumingMemoryBound(to: UInt8.self), Int(clamping: reply.size))
    }

    var isNil: Bool { read { $0.type == CR_NIL } }
    var text: Bytes? { read { $0.type == CR_STRING ? text($0) : nil } }
    var error: Bytes? { read { $0.type == CR_ERROR ? text($0) : nil } }
    var integer: Int64? { read { $0.type == CR_INTEGER ? $0.integer : nil } }
    /// 0 for what is no array.
    var count: Int { read { $0.type == CR_ARRAY ? Int(clamping: $0.size) : 0 } }

    /// A reply of another kind is none to the command that was sent.
    func isError(or expected: RedisExpected) -> Bool {
      let type = read { $0.type }
      if type == CR_ERROR { return true }
      switch expected {
      case .text: return type == CR_STRING
      case .textOrNil: return type == CR_STRING || type == CR_NIL
      case .doneOrNil: return type == CR_STATUS || type == CR_NIL
      case .integer: return type == CR_INTEGER
      case .list: return type == CR_ARRAY
      }
    }

    subscript(index: Int) -> View? {
      guard index >= 0, index < count else { return nil }
      return read { $0.part?[index].map { View(owner: owner, reply: UnsafePointer($0)) } }
    }
  }
}
