import CRedis
import CSockets
import CSystem
import CTuile

/// What a server answered to one or two commands about one key.
struct RedisReplies {
  let first: RedisReply
  let second: RedisReply?
  let time: RedisTime
  let node: RedisNode
}

/// How the expiry that a server tells is read: whether it is a time, or how long is left,
/// and by how many milliseconds the server's clock is ahead.
typealias RedisTime = (isPrecise: Bool, skew: Int64)

/// Sends commands to where their key is: follows redirections, and tries again
/// what can't have been done, or may be done twice.
final class RedisRunner {
  private static let mostRedirections = 5

  let servers: RedisServers
  private let options: RedisOptions
  private let limits: Limits

  init(_ options: RedisOptions) {
    servers = RedisServers(options)
    self.options = options
    limits = options.limits
  }

  enum Kind { case read, write }

  /// What an attempt came to, as far as it matters for the next one.
  private struct Attempt {
    /// Something of it may have been executed.
    var wasSent = false
    /// On a connection that was used before.
    var wasReused = false
    var wasAnswered = false
    let began = cs_now()
    /// When all attempts together have to be done.
    let deadline: Int64
    /// Behind ASKING.
    let asking: Bool
  }

  /// Runs the commands that `build` adds, one or two; it is told whether a script
  /// has to be sent whole. The first is answered with what is `expected`, the second
  /// with an integer. A `write` that may have been executed is never sent again: the
  /// first copy may come late, and undo what others wrote after the second.
  func run(
    _ key: Bytes, _ expected: RedisExpected, _ kind: Kind,
    _ build: (_ connection: RedisConnection, _ whole: Bool) -> Int
  ) throws(Failure) -> RedisReplies {
    guard kind == .read || options.mode.writes else { throw .readOnly }
    let once = Int64(limits.connect) &+ Int64(limits.timeout)
    let deadline = cs_now() &+ (Int64(limits.retries) &+ 1) &* once
    var target: RedisNode?
    var failures: Int32 = 0
    var redirections = 0
    var whole = false
    var asking = false
    while true {
      var attempt = Attempt(deadline: deadline, asking: asking)
      var trouble: Failure
      do throws(Failure) {
        let node: RedisNode
        if let known = target { node = known } else { node = try servers.node(for: key, deadline) }
        target = node
        if kind == .write { _ = try compareClocks(node) }
        let replies = try exchange(node, expected, kind, &attempt) { build($0, whole) }
        defer { withExtendedLifetime(replies) {} }
        guard let error = replies.first.view.error ?? replies.second?.view.error else { return replies }
        attempt.wasSent = false
        attempt.wasAnswered = true
        switch RedisAnswer.meaning(error) {
        case .failed(let failure): throw failure
        case .noScript:
          guard !whole else { throw RedisConnection.failure(CS_PROTOCOL) }
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
          // Another server may have its name by now, and the other connections lead here, too.
          node.pool.renew()
          trouble = Failure(status: TUILE_E_STORE, message: "the Redis server is a replica, which can't be written to")
        case .again(let failure): trouble = failure
        }
      } catch {
        // Once it was sent, nothing that goes wrong tells whether it was done.
        guard kind == .read || !attempt.wasSent else { throw RedisRunner.unknown(error) }
        guard target != nil, !attempt.wasAnswered, error.status == TUILE_E_STORE else { throw error }
        trouble = error
      }
      if let node = target {
        servers.distrust(node)
        // Something on the way may have forgotten the connection, and then others.
        if attempt.wasSent, attempt.wasReused { node.pool.renew() }
      }
      target = nil
      asking = false
      failures &+= 1
      let now = cs_now()
      // A server that is slow would be so again.
      let isSlow = attempt.wasSent && !attempt.wasReused && now &- attempt.began >= Int64(limits.timeout)
      guard failures <= limits.retries, now < deadline, !isSlow else { throw trouble }
      Limits.pause(failures)
    }
  }

  private func exchange(
    _ node: RedisNode, _ expected: RedisExpected, _ kind: Kind, _ attempt: inout Attempt,
    _ build: (RedisConnection) -> Int
  ) throws(Failure) -> RedisReplies {
    let (deadline, asking) = (attempt.deadline, attempt.asking)
    var (sent, reused) = (false, false)
    defer { (attempt.wasSent, attempt.wasReused) = (sent, reused) }
    return try node.pool.with { () throws(Failure) in
      try self.servers.connect(node, deadline)
    } _: { (connection) throws(Failure) in
      connection.asking = asking
      defer { connection.asking = false }
      reused = !connection.isFresh
      connection.noteUse()
      connection.skew = node.clock.skew
      let count = build(connection)
      let until = min(deadline, cs_now() &+ Int64(self.limits.timeout))
      let replicas = kind == .write ? self.options.replicas : 0
      if replicas > 0 { self.wait(connection, replicas, until) }
      try connection.send(until, sent: &sent)
      let first = try connection.receive(until)
      let second = count > 1 ? try connection.receive(until) : nil
      let third = replicas > 0 ? try connection.receive(until) : nil
      guard first.view.isError(or: expected), second?.view.isError(or: .integer) ?? true else {
        throw RedisConnection.failure(CS_PROTOCOL)
      }
      if let third, first.view.error == nil { try RedisRunner.check(third, replicas) }
      let replies = RedisReplies(
        first: first, second: second, time: (connection.isPrecise, connection.skew), node: node)
      defer { withExtendedLifetime(first) {} }
      if let error = first.view.error, case .demoted = RedisAnswer.meaning(error) { return (replies, .drop) }
      return (replies, .keep)
    }
  }

  /// Has the server wait for its replicas, a little less than we wait for it.
  func wait(_ connection: RedisConnection, _ replicas: Int64, _ until: Int64) {
    let left = max(1, until &- cs_now())
    connection.command("WAIT")
    connection.add(replicas)
    connection.add(max(1, left &- left / 4))
    connection.end()
  }

  static func check(_ reply: RedisReply, _ replicas: Int64) throws(Failure) {
    defer { withExtendedLifetime(reply) {} }
    if let error = reply.view.error { throw RedisConnection.refusal(error) }
    guard let reached = reply.view.integer else { throw RedisConnection.failure(CS_PROTOCOL) }
    guard reached >= replicas else {
      throw Failure(status: TUILE_E_STORE, message: "fewer replicas have the change than the URL asks for")
    }
  }

  /// Sends the commands that `build` adds, as many as it says, to one server, and
  /// gives each answer to `take`, errors too. Nothing is tried again.
  func run(
    on node: RedisNode, _ build: (RedisConnection) -> Int,
    _ take: (RedisReply, RedisTime) throws(Failure) -> Void
  ) throws(Failure) {
    let deadline = cs_now() &+ Int64(limits.connect) &+ Int64(limits.timeout)
    try node.pool.with { () throws(Failure) in
      try self.servers.connect(node, deadline)
    } _: { (connection) throws(Failure) in
      connection.noteUse()
      var left = build(connection)
      let until = min(deadline, cs_now() &+ Int64(self.limits.timeout))
      try connection.send(until)
      while left > 0 {
        try take(try connection.receive(until), (connection.isPrecise, node.clock.skew))
        left &-= 1
      }
      return ((), .keep)
    }
  }

  /// Asks for the server's time, if that is due; false if it was not. A user who may not
  /// ask gets the server's clock for ours.
  func compareClocks(_ node: RedisNode) throws(Failure) -> Bool {
    guard node.clock.isDue() else { return false }
    var began: Int64 = 0
    try run(on: node) { connection in
      began = sys_now_microseconds()
      connection.command("TIME")
      connection.end()
      return 1
    } _: { (reply, _) throws(Failure) in
      node.clock.take(reply, began: began)
    }
    return true
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

  /// For what was sent and got no answer.
  static func unknown(_ cause: Failure) -> Failure {
    Failure(
      status: TUILE_E_UNKNOWN, message: "whether the change was made is not known",
      detail: Failure.Detail(Bytes(cause.message)))
  }
}
