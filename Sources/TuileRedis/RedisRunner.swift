import CRedis
import CSystem
import CTuile

/// What a server answered to one or two commands about one key.
struct RedisReplies {
  let first: RedisReply
  let second: RedisReply?
  /// Whether the server tells the time of an expiry, or only how long is left.
  let isPrecise: Bool
}

/// Sends commands to where their key is: follows redirections, and tries again
/// what can't have been done, or may be done twice.
final class RedisRunner {
  private static let mostRedirections = 5

  let servers: RedisServers
  private let limits: Limits

  init(_ settings: RedisSettings) {
    servers = RedisServers(settings)
    limits = settings.limits
  }

  /// Runs the commands that `build` adds, one or two; it is told whether a script
  /// has to be sent whole. The first is answered with what is `expected`, the second
  /// with an integer. With `repeatable` they may be sent again although they may
  /// have been executed. What took too long is not tried again: it would again.
  func run(
    _ key: Bytes, _ expected: RedisExpected, repeatable: Bool,
    _ build: (_ connection: RedisConnection, _ whole: Bool) -> Int
  ) throws(Failure) -> RedisReplies {
    let attempt = Int64(limits.connect) &+ Int64(limits.timeout)
    let patience = Int64(min(limits.connect, limits.timeout))
    let deadline = cr_now() &+ (Int64(limits.retries) &+ 1) &* attempt
    var target: RedisNode?
    var failures: Int32 = 0
    var redirections = 0
    var whole = false
    var asking = false
    while true {
      var sent = false
      var trouble: Failure
      let began = cr_now()
      var answered = false
      do throws(Failure) {
        let node: RedisNode
        if let known = target { node = known } else { node = try servers.node(for: key, deadline) }
        target = node
        let replies = try exchange(node, deadline, asking, expected, &sent) { build($0, whole) }
        defer { withExtendedLifetime(replies) {} }
        guard let error = replies.first.view.error ?? replies.second?.view.error else { return replies }
        sent = false
        answered = true
        switch RedisAnswer.meaning(error) {
        case .failed(let failure): throw failure
        case .noScript:
          guard !whole else { throw RedisConnection.failure(CR_PROTOCOL) }
          whole = true
          continue
        case .moved(let slot, let host, let port):
          target = try follow(host, port, from: node, slot: slot, &redirections)
          asking = false
          continue
        case .ask(let host, let port):
          target = try follow(host, port, from: node, slot: nil, &redirections)
          asking = true
          continue
        case .demoted:
          trouble = Failure(status: TUILE_E_STORE, message: "the Redis server is a replica, which can't be written to")
        case .again(let failure): trouble = failure
        }
      } catch {
        guard target != nil, !answered, error.status == TUILE_E_STORE else { throw error }
        trouble = error
      }
      if let node = target { servers.distrust(node) }
      target = nil
      asking = false
      guard !sent || repeatable else { throw RedisRunner.unknown(trouble) }
      failures &+= 1
      let now = cr_now()
      guard failures <= limits.retries, now < deadline, now &- began < patience else { throw trouble }
      RedisRunner.pause(failures)
    }
  }

  private func exchange(
    _ node: RedisNode, _ deadline: Int64, _ asking: Bool, _ expected: RedisExpected, _ sent: inout Bool,
    _ build: (RedisConnection) -> Int
  ) throws(Failure) -> RedisReplies {
    var begun = false
    defer { sent = begun }
    return try node.pool.with { () throws(Failure) in
      try self.servers.connect(node, deadline)
    } _: { (connection) throws(Failure) in
      connection.asking = asking
      defer { connection.asking = false }
      let count = build(connection)
      let until = min(deadline, cr_now() &+ Int64(self.limits.timeout))
      begun = true
      try connection.send(until)
      let first = try connection.receive(until)
      let second = count > 1 ? try connection.receive(until) : nil
      guard first.view.isError(or: expected), second?.view.isError(or: .integer) ?? true else {
        throw RedisConnection.failure(CR_PROTOCOL)
      }
      return (RedisReplies(first: first, second: second, isPrecise: connection.isPrecise), true)
    }
  }

  /// Sends the commands that `build` adds, as many as it says, to one server, and
  /// gives each answer to `take`, errors too. Nothing is tried again.
  func run(
    on node: RedisNode, _ build: (RedisConnection) -> Int,
    _ take: (RedisReply, _ isPrecise: Bool) throws(Failure) -> Void
  ) throws(Failure) {
    let deadline = cr_now() &+ Int64(limits.connect) &+ Int64(limits.timeout)
    try node.pool.with { () throws(Failure) in
      try self.servers.connect(node, deadline)
    } _: { (connection) throws(Failure) in
      var left = build(connection)
      let until = min(deadline, cr_now() &+ Int64(self.limits.timeout))
      try connection.send(until)
      while left > 0 {
        try take(try connection.receive(until), connection.isPrecise)
        left &-= 1
      }
      return ((), true)
    }
  }

  private func follow(
    _ host: Bytes, _ port: Int32, from node: RedisNode, slot: Int32?, _ redirections: inout Int
  ) throws(Failure) -> RedisNode {
    redirections &+= 1
    guard redirections <= RedisRunner.mostRedirections else {
      throw Failure(status: TUILE_E_STORE, message: "the Redis cluster sends from node to node")
    }
    guard let found = servers.node(at: host, port, from: node, slot: slot) else {
      throw RedisServers.clusterBySocket
    }
    return found
  }

  /// For what must not be sent again: an addition would count twice.
  private static func unknown(_ cause: Failure) -> Failure {
    Failure(
      status: TUILE_E_STORE, message: "whether the change was made is not known",
      detail: Failure.Detail(Bytes(cause.message)))
  }

  /// Short, growing, and not the same for everybody.
  private static func pause(_ failures: Int32) {
    var spread: UInt32 = 0
    _ = sys_random(&spread, MemoryLayout<UInt32>.size)
    let most: UInt32 = 10_000 &<< UInt32(bitPattern: min(failures, 4))
    sys_sleep_microseconds(most / 2 &+ spread % max(1, most))
  }
}
