import CRedis
import CTuile

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
    var text: Bytes? { read { $0.type == CR_STRING || $0.type == CR_STATUS ? text($0) : nil } }
    var error: Bytes? { read { $0.type == CR_ERROR ? text($0) : nil } }
    var integer: Int64? { read { $0.type == CR_INTEGER ? $0.integer : nil } }
    /// 0 for what is no array.
    var count: Int { read { $0.type == CR_ARRAY ? Int(clamping: $0.size) : 0 } }

    subscript(index: Int) -> View? {
      guard index >= 0, index < count else { return nil }
      return read { $0.part?[index].map { View(owner: owner, reply: UnsafePointer($0)) } }
    }
  }
}
