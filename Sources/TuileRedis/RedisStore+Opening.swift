import CRedis
import CSockets
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
    let deadline = cs_now() &+ (Int64(limits.retries) &+ 1) &* once
    var failures: Int32 = 0
    while true {
      do throws(Failure) {
        return try askOnce(deadline)
      } catch {
        failures &+= 1
        guard error.status == TUILE_E_STORE, failures <= limits.retries, cs_now() < deadline else { throw error }
        Limits.pause(failures)
      }
    }
  }

  /// The server, the Sentinels' master, or one of a cluster's masters: without the others
  /// the cluster serves the rest of its slots.
  private func askOnce(_ deadline: Int64) throws(Failure) {
    let masters = try runner.servers.masters(deadline, whole: false)
    var last: Failure?
    var i = 0
    while let node = masters.at(i), last == nil || cs_now() < deadline {
      do throws(Failure) {
        return try ask(node)
      } catch {
        last = error.about(node.address)
      }
      i &+= 1
    }
    throw last ?? RedisConnection.failure(CS_TIMED_OUT)
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
        guard reply.view.isNil || reply.view.text != nil else { throw RedisConnection.failure(CS_PROTOCOL) }
      }
    }
  }
}
