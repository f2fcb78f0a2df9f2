import CMemcached
import CSockets
import CSystem
import CTuile

/// A connection to one server, for one thread at a time.
final class MemcachedConnection: PooledConnection {
  var next: MemcachedConnection?
  var since: Int64 = 0
  /// Nobody has used it yet.
  private(set) var isFresh = true
  private let timeout: Int32
  let handle: OpaquePointer
  private let generation = sys_fork_generation()

  private init(_ handle: OpaquePointer, timeout: Int32) {
    self.handle = handle
    self.timeout = timeout
  }

  deinit {
    // It may be one that this thread used when it forked.
    if generation == sys_fork_generation() { cm_close(handle) } else { cm_abandon(handle) }
  }

  func isUsable() -> Bool { cm_is_idle(handle) }

  /// Any answer will do.
  func answers() -> Bool {
    var call = cm_call()
    call.deadline = cs_now() &+ Int64(timeout)
    return cm_ask(handle, &call) == CS_OK
  }

  /// A server notices at once that a connection is closed, and a command never waits there.
  func isSettled() -> Bool { true }

  func noteUse() { isFresh = false }

  /// The deinit sees that it is in a child.
  func abandon() {}

  // MARK: Opening

  static func open(
    _ address: ServerAddress, _ options: MemcachedOptions, tls: OpaquePointer?, _ deadline: Int64
  ) throws(Failure) -> MemcachedConnection {
    let connection = try connect(address, options, tls: tls, deadline)
    guard let user = options.user, let password = options.password else { return connection }
    var call = cm_call()
    call.deadline = deadline
    let result = cm_login(connection.handle, user.start, password.start, &call)
    guard result == CS_OK else { throw result == CS_TIMED_OUT ? late : failure(result) }
    // A server without SASL, or without an auth file, knows the command not, or stores what it says.
    guard call.answer == CM_DONE else { throw refusal(call.answer) }
    return connection
  }

  private static func connect(
    _ address: ServerAddress, _ options: MemcachedOptions, tls: OpaquePointer?, _ deadline: Int64
  ) throws(Failure) -> MemcachedConnection {
    var result = CS_OK
    var to = cs_address(
      path: address.port == 0 ? address.host.start : nil, host: address.host.start, port: address.port, tls: tls,
      name: (options.security.serverName ?? address.host).start)
    return try withScratch(Int(CS_WHY)) { (room) throws(Failure) in
      room[0] = 0
      let why = UnsafeMutableRawPointer(room).assumingMemoryBound(to: CChar.self)
      guard let handle = cm_open(&to, options.isBinary, deadline, &result, why) else {
        if result == CS_TIMED_OUT { throw late }
        guard result == CS_CLOSED else { throw failure(result) }
        throw Failure(
          status: TUILE_E_STORE, message: "the memcached server can't be reached", detail: Failure.Detail(why))
      }
      return MemcachedConnection(handle, timeout: options.limits.timeout)
    }
  }

  /// The most bytes of an item, notes and all; nil: the server does not tell.
  func limit(_ deadline: Int64) throws(Failure) -> Int? {
    var call = cm_call()
    call.deadline = deadline
    var found: UInt64 = 0
    let result = cm_limit(handle, &call, &found)
    guard result == CS_OK else {
      throw result == CS_TIMED_OUT ? MemcachedConnection.late : MemcachedConnection.failure(result)
    }
    // What it says to the first request that it does not care for tells what is wrong.
    guard call.answer == CM_DONE || call.answer == CM_UNKNOWN_COMMAND else {
      throw MemcachedConnection.refusal(call.answer)
    }
    return found == 0 ? nil : Int(clamping: found)
  }

  // MARK: What goes wrong

  private static var late: Failure {
    Failure(status: TUILE_E_STORE, message: "connecting to the memcached server: no answer in time")
  }

  static func failure(_ result: cs_result) -> Failure {
    switch result {
    case CS_TIMED_OUT: return Failure(status: TUILE_E_STORE, message: "the memcached server did not answer in time")
    case CS_PROTOCOL: return Failure(status: TUILE_E_STORE, message: "what answered is no memcached server")
    case CS_LIMIT: return .limit("the memcached server's answer is too large")
    case CS_MEMORY: return .memory
    default: return Failure(status: TUILE_E_STORE, message: "the connection to the memcached server broke")
    }
  }

  /// For an answer that no request here is content with.
  static func refusal(_ answer: cm_answer) -> Failure {
    switch answer {
    case CM_TOO_LARGE: return .limit("the session is larger than the memcached server takes")
    case CM_FULL: return Failure(status: TUILE_E_STORE, message: "the memcached server's memory is full")
    case CM_REFUSED:
      return Failure(status: TUILE_E_STORE, message: "the memcached server knows no such user and password")
    case CM_UNAUTHORIZED: return Failure(status: TUILE_E_STORE, message: "the memcached server wants a password")
    case CM_UNKNOWN_COMMAND:
      return Failure(
        status: TUILE_E_STORE,
        message: "the memcached server lacks a command: it is older than 1.6, or has no SASL for a user to log in by")
    case CM_BUSY: return Failure(status: TUILE_E_BUSY, message: "the memcached server is busy")
    default: return Failure(status: TUILE_E_STORE, message: "the memcached server answered with an error")
    }
  }
}
