import CRedis
import CSockets
import CSystem
import CTuile

/// A connection to one server, for one thread at a time.
final class RedisConnection: PooledConnection {
  var next: RedisConnection?
  var since: Int64 = 0
  /// Nobody has used it yet.
  private(set) var isFresh = true
  /// Who is there is not said yet.
  private var isConnecting = true
  private let timeout: Int32
  private let handle: OpaquePointer
  private let generation = sys_fork_generation()
  /// The server knows PEXPIRETIME and SET's PXAT (Redis 7): times are exact.
  /// Older ones are told, and tell, how long a key has left.
  private(set) var isPrecise = true

  private init(_ handle: OpaquePointer, timeout: Int32) {
    self.handle = handle
    self.timeout = timeout
  }

  deinit {
    // It may be one that this thread used when it forked.
    if generation == sys_fork_generation() { cr_close(handle) } else { cr_abandon(handle) }
  }

  func isUsable() -> Bool { cr_is_idle(handle) }

  /// Any answer will do: the user may not be allowed to ask.
  func answers() -> Bool {
    let deadline = cs_now() &+ Int64(timeout)
    command("PING")
    end()
    do throws(Failure) {
      try send(deadline)
      _ = try receive(deadline)
      return true
    } catch {
      return false
    }
  }

  /// A server notices at once that a connection is closed, and a command never waits there.
  func isSettled() -> Bool { true }

  func noteUse() { isFresh = false }

  /// The deinit sees that it is in a child.
  func abandon() {}

  // MARK: Commands

  /// How far its server's clock is ahead of ours, in milliseconds.
  var skew: Int64 = 0

  /// A time of ours as the server's clock will show it; servers count from 1.
  func milliseconds(_ time: Int64) -> Int64 { max(1, time / 1000 &+ skew) }

  /// A cluster's node that is taking a slot over serves only commands behind an ASKING.
  var asking = false

  /// Begins a command; `end` ends it.
  func command(_ name: StaticString) {
    if asking {
      add("ASKING")
      end()
    }
    add(name)
  }

  func add(_ bytes: Bytes) { cr_argument(handle, bytes.start, bytes.count) }
  func add(_ text: StaticString) { add(Bytes(text)) }
  func add(_ number: Int64) { cr_argument_number(handle, number) }
  func end() { cr_command_end(handle) }

  func send(_ deadline: Int64) throws(Failure) {
    let result = cr_send(handle, deadline)
    guard result == CS_OK else { throw failed(result) }
  }

  /// The same; `sent` is whether something of it may be executed, whatever it throws.
  func send(_ deadline: Int64, sent: inout Bool) throws(Failure) {
    sent = true
    do throws(Failure) {
      try send(deadline)
    } catch {
      // Only before the first byte.
      if error.status == TUILE_E_MEMORY { sent = false }
      throw error
    }
  }

  /// The answer to the next command.
  func receive(_ deadline: Int64) throws(Failure) -> RedisReply {
    if asking { _ = try receiveAny(deadline) }
    return try receiveAny(deadline)
  }

  private func receiveAny(_ deadline: Int64) throws(Failure) -> RedisReply {
    var reply: UnsafeMutablePointer<cr_reply>?
    let result = cr_receive(handle, deadline, &reply)
    guard result == CS_OK, let reply else { throw failed(result) }
    return RedisReply(reply)
  }

  private func failed(_ result: cs_result) -> Failure {
    result == CS_TIMED_OUT && isConnecting ? RedisConnection.lateConnect : RedisConnection.failure(result)
  }

  private static var lateConnect: Failure {
    Failure(status: TUILE_E_STORE, message: "connecting to the Redis server: no answer in time")
  }

  static func failure(_ result: cs_result) -> Failure {
    switch result {
    case CS_TIMED_OUT: return Failure(status: TUILE_E_STORE, message: "the Redis server did not answer in time")
    case CS_PROTOCOL: return Failure(status: TUILE_E_STORE, message: "what answered is no Redis server")
    case CS_LIMIT: return .limit("the Redis server's answer is too large")
    case CS_MEMORY: return .memory
    default: return Failure(status: TUILE_E_STORE, message: "the connection to the Redis server broke")
    }
  }

  // MARK: Opening

  /// Connects, and says who is there and which database is meant.
  static func open(
    _ address: ServerAddress, _ options: RedisOptions, tls: OpaquePointer?, asMaster: Bool, _ deadline: Int64
  ) throws(Failure) -> RedisConnection {
    let connection = try connect(address, options, tls: tls, deadline)
    let first = connection.addLogin(options.user, options.password)
    if options.database > 0 {
      connection.command("SELECT")
      connection.add(options.database)
      connection.end()
    }
    connection.command("PEXPIRETIME")
    connection.add(options.probe.bytes)
    connection.end()
    if asMaster {
      connection.command("ROLE")
      connection.end()
    }
    try connection.send(deadline)
    if first { try connection.expectSuccess(or: "the Redis server refused the password", deadline) }
    if options.database > 0 {
      try connection.expectSuccess(or: "the Redis server has no database of that number", deadline)
    }
    try connection.takePrecision(try connection.receive(deadline))
    if asMaster { try RedisConnection.checkMaster(try connection.receive(deadline)) }
    connection.isConnecting = false
    return connection
  }

  static func connect(
    _ address: ServerAddress, _ options: RedisOptions, tls: OpaquePointer?, _ deadline: Int64
  ) throws(Failure) -> RedisConnection {
    var result = CS_OK
    var to = cs_address(
      path: address.port == 0 ? address.host.start : nil, host: address.host.start, port: address.port, tls: tls,
      name: (options.security.serverName ?? address.host).start)
    return try withScratch(Int(CS_WHY)) { (room) throws(Failure) in
      room[0] = 0
      let why = UnsafeMutableRawPointer(room).assumingMemoryBound(to: CChar.self)
      guard let handle = cr_open(&to, deadline, &result, why) else {
        if result == CS_TIMED_OUT {
          throw lateConnect
        }
        guard result == CS_CLOSED else { throw failure(result) }
        throw Failure(
          status: TUILE_E_STORE, message: "the Redis server can't be reached", detail: Failure.Detail(why))
      }
      return RedisConnection(handle, timeout: options.limits.timeout)
    }
  }

  /// true if there is a password, and so an answer to come.
  func addLogin(_ user: CText?, _ password: CText?) -> Bool {
    guard let password else { return false }
    command("AUTH")
    if let user { add(user.bytes) }
    add(password.bytes)
    end()
    return true
  }

  /// `message` is for an error that says no more than ERR.
  func expectSuccess(or message: StaticString, _ deadline: Int64) throws(Failure) {
    let reply = try receive(deadline)
    defer { withExtendedLifetime(reply) {} }
    guard let error = reply.view.error else { return }
    guard error.slice(0, error.find(0x20)) == Bytes("ERR") else { throw RedisConnection.refusal(error) }
    throw Failure(status: TUILE_E_STORE, message: message, detail: Failure.Detail(Bytes("ERR")))
  }

  static func refusal(_ error: Bytes) -> Failure {
    switch RedisAnswer.meaning(error) {
    case .failed(let failure), .again(let failure): return failure
    default: return Failure(status: TUILE_E_STORE, message: "the Redis server refused the connection")
    }
  }

  /// What a cluster answers for a key of another node is as good as an answer: it
  /// comes from a server that knows the command.
  private func takePrecision(_ reply: RedisReply) throws(Failure) {
    defer { withExtendedLifetime(reply) {} }
    guard let error = reply.view.error else { return }
    let code = error.slice(0, error.find(UInt8(ascii: " ")))
    if code == Bytes("ERR") || code == Bytes("NOPERM") {
      isPrecise = false
    } else if !(code == Bytes("MOVED") || code == Bytes("ASK") || code == Bytes("CLUSTERDOWN")
      || code == Bytes("MASTERDOWN"))
    {
      throw RedisConnection.refusal(error)
    }
  }

  private static func checkMaster(_ reply: RedisReply) throws(Failure) {
    defer { withExtendedLifetime(reply) {} }
    if let error = reply.view.error { throw refusal(error) }
    guard let role = reply.view[0]?.text, role == Bytes("master") else {
      throw Failure(status: TUILE_E_STORE, message: "the server that Sentinel named is no master")
    }
  }
}
