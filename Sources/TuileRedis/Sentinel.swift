import CRedis
import CSockets
import CTuile

/// Asking Sentinels which server is the master
/// (redis.io/docs/reference/sentinel-clients).
extension RedisServers {
  /// For so long, in milliseconds, what the Sentinels said counts.
  private static let fresh: Int64 = 1000

  func findMaster(_ deadline: Int64) throws(Failure) -> RedisNode {
    let (known, isDue) = locked { servers -> (RedisNode?, Bool) in
      let now = cs_now()
      guard let master = servers.master else { return (nil, true) }
      guard now &- servers.masterAsked >= RedisServers.fresh else { return (master, false) }
      // One call asks, the others go on meanwhile.
      servers.masterAsked = now
      return (master, true)
    }
    if let known, !isDue { return known }
    do throws(Failure) {
      return try askForMaster(deadline)
    } catch {
      // Without any Sentinel the master that was known is the best there is.
      guard let known else { throw error }
      return known
    }
  }

  /// Throws if a Sentinel names another master than this one.
  func confirmMaster(_ node: RedisNode, _ deadline: Int64) throws(Failure) {
    let named: RedisNode
    do throws(Failure) {
      named = try askForMaster(deadline)
    } catch {
      return
    }
    guard named.address.isSame(node.address.host.bytes, node.address.port) else {
      throw Failure(status: TUILE_E_STORE, message: "the server that Sentinel named is no master any more")
    }
  }

  private func askForMaster(_ deadline: Int64) throws(Failure) -> RedisNode {
    let first = locked { $0.firstSentinel }
    var last: Failure?
    var i = 0
    while i < options.seeds.count, cs_now() < deadline {
      let index = (first &+ i) % max(1, options.seeds.count)
      guard let seed = options.seeds.at(index) else { break }
      do throws(Failure) {
        if let address = try ask(seed, deadline) {
          return locked { servers in
            servers.firstSentinel = index
            servers.masterAsked = cs_now()
            if let master = servers.master, master.address.isSame(address.host.bytes, address.port) { return master }
            let found = RedisNode(address, servers.options.limits)
            servers.master = found
            return found
          }
        }
        last = Failure(status: TUILE_E_STORE, message: "the Sentinel knows no master of that name").about(seed)
      } catch {
        last = error.about(seed)
      }
      i &+= 1
    }
    throw last ?? RedisConnection.failure(CS_TIMED_OUT)
  }

  /// nil if that Sentinel knows no such master.
  private func ask(_ sentinel: ServerAddress, _ deadline: Int64) throws(Failure) -> ServerAddress? {
    let until = min(deadline, cs_now() &+ Int64(options.limits.connect))
    let connection = try RedisConnection.connect(sentinel, options, tls: try secured(), until)
    let first = connection.addLogin(options.sentinelUser, options.sentinelPassword)
    connection.command("SENTINEL")
    connection.add("get-master-addr-by-name")
    connection.add(options.sentinel?.bytes ?? Bytes())
    connection.end()
    try connection.send(until)
    if first { try connection.expectSuccess(or: "the Sentinel refused the password", until) }
    let reply = try connection.receive(until)
    defer { withExtendedLifetime(reply) {} }
    if let error = reply.view.error { throw RedisConnection.refusal(error) }
    guard let host = reply.view[0]?.text, let digits = reply.view[1]?.text else { return nil }
    guard !host.isEmpty, RedisAnswer.isHost(host), let port = Numbers.read(digits, base: 10), port > 0, port < 65536
    else { throw RedisConnection.failure(CS_PROTOCOL) }
    return ServerAddress(CText(host), port: Int32(truncatingIfNeeded: port))
  }
}
