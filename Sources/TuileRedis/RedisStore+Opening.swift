import CRedis
import CTuile

/// What opening asks, so that a server that is not there, refuses the password or is none
/// shows when the program starts.
extension RedisStore {
  /// No session has this key: whether it may be read is what is asked.
  private static let nobody: StaticString = "tuileasksatopening"

  /// Asks what a first request would ask, and as often.
  func ask() throws(Failure) {
    let limits = options.limits
    let once = Int64(limits.connect) &+ Int64(limits.timeout)
    let deadline = cr_now() &+ (Int64(limits.retries) &+ 1) &* once
    var failures: Int32 = 0
    while true {
      do throws(Failure) {
        return try askOnce(deadline)
      } catch {
        failures &+= 1
        guard error.status == TUILE_E_STORE, failures <= limits.retries, cr_now() < deadline else { throw error }
        RedisRunner.pause(failures)
      }
    }
  }

  /// The server, the Sentinels' master, or one of a cluster's masters: without the others
  /// the cluster serves the rest of its slots.
  private func askOnce(_ deadline: Int64) throws(Failure) {
    let masters = try runner.servers.masters(deadline, whole: false)
    var last: Failure?
    var i = 0
    while let node = masters.at(i), last == nil || cr_now() < deadline {
      do throws(Failure) {
        return try ask(node)
      } catch {
        last = error.about(node.address)
      }
      i &+= 1
    }
    throw last ?? RedisConnection.failure(CR_TIMED_OUT)
  }

  private func ask(_ node: RedisNode) throws(Failure) {
    try named(Bytes(RedisStore.nobody)) { (key) throws(Failure) in
      try runner.run(on: node) { connection in
        connection.command("GET")
        connection.add(key)
        connection.end()
        return 1
      } _: { (reply, _) throws(Failure) in
        defer { withExtendedLifetime(reply) {} }
        if let error = reply.view.error {
          switch RedisAnswer.meaning(error) {
          // It is another node's key, which a user has to be allowed to read, too.
          case .moved, .ask: return
          default: throw RedisConnection.refusal(error)
          }
        }
        guard reply.view.isNil || reply.view.text != nil else { throw RedisConnection.failure(CR_PROTOCOL) }
      }
    }
  }
}

extension Failure {
  /// The same, with the server that it is about in front: no part of a URL that may be a secret.
  func about(_ address: RedisAddress) -> Failure {
    guard status == TUILE_E_STORE, !Bytes(message).isEmpty else { return self }
    var text = ByteBuffer()
    Failure.append(address, to: &text)
    text.append(": ")
    text.append(Bytes(message))
    if let detail {
      text.append(": ")
      text.append(detail.text.bytes)
    }
    guard !text.failed else { return .memory }
    return Failure(status: status, message: "", detail: Detail(text.bytes))
  }

  /// What is long is cut, so that the reason has room behind it, and a line stays one.
  private static func append(_ address: RedisAddress, to text: inout ByteBuffer) {
    let host = address.host.bytes
    let isNumeric = address.port != 0 && host.contains(UInt8(ascii: ":"))
    if isNumeric { text.append("[") }
    var i = 0
    while i < min(host.count, 108) {
      let byte = host[i]
      text.append(byte > 0x20 && byte < 0x7F ? byte : UInt8(ascii: "?"))
      i &+= 1
    }
    if isNumeric { text.append("]") }
    guard address.port != 0 else { return }
    text.append(":")
    Numbers.writeDecimal(Int64(address.port), to: &text)
  }
}
