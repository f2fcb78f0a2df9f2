import CMemcached
import CSockets
import CSystem
import CTuile
import Synchronization

/// A server with its connections.
final class MemcachedNode {
  let address: ServerAddress
  let pool: Pool<MemcachedConnection>
  /// The most bytes of an item, notes and all; 0: not asked yet. A server that is sent more
  /// drops what it has under the key, so it is never sent more.
  private let limit = Atomic<Int>(0)

  /// Bytes that a value may have.
  var largest: Int {
    let known = limit.load(ordering: .relaxed)
    return (known == 0 ? 1 &<< 20 : known) &- 512
  }

  /// What a new connection asks, once.
  func learn(_ connection: MemcachedConnection, _ deadline: Int64) throws(Failure) {
    guard limit.load(ordering: .relaxed) == 0 else { return }
    let found = try connection.limit(deadline) ?? 1 &<< 20
    limit.store(max(1024, min(found, Int(CM_LARGEST))), ordering: .relaxed)
  }

  init(_ address: ServerAddress, _ limits: Limits) {
    self.address = address
    pool = Pool(limits)
  }
}

/// The name of an item, and what of it says on which server it is.
struct MemcachedName {
  let whole: Bytes
  let hashed: Bytes
}

/// Finds the server of a key, sends it requests, and tries again what can't have been carried
/// out, or may be twice.
final class MemcachedServers {
  private let options: MemcachedOptions
  private let limits: Limits
  private let ring: OpaquePointer
  private let tls = TLSKeeper()
  private(set) var nodes: [MemcachedNode] = []

  static func make(_ options: MemcachedOptions) throws(Failure) -> MemcachedServers {
    guard let ring = cm_ring_new(options.distribution) else { throw .memory }
    let made = MemcachedServers(options, ring)
    var i = 0
    while let address = options.servers.at(i) {
      guard cm_ring_add(ring, address.host.start, address.port, address.weight) else { throw .memory }
      made.nodes.append(MemcachedNode(address, options.limits))
      i &+= 1
    }
    guard cm_ring_finish(ring, options.hash?.start, options.ringHash?.start) else {
      throw .syntax("the store's URL has a hash or ring_hash that there is not, or not for this distribution")
    }
    if options.tls { _ = try made.tls.secured(options.security) }
    return made
  }

  private init(_ options: MemcachedOptions, _ ring: OpaquePointer) {
    self.options = options
    limits = options.limits
    self.ring = ring
  }

  deinit { cm_ring_free(ring) }

  func node(of name: MemcachedName) -> MemcachedNode? {
    let number = UnsafeRawPointer(name.hashed.start).withMemoryRebound(to: CChar.self, capacity: name.hashed.count) {
      cm_ring_find(ring, $0, name.hashed.count)
    }
    return nodes.at(Int(number))
  }

  enum Kind { case read, write }

  private struct Attempt {
    /// Something of it may have been carried out.
    var wasSent = false
    /// On a connection that was used before.
    var wasReused = false
    let began = cs_now()
  }

  /// Until when a call may take, all attempts together.
  func deadline() -> Int64 {
    cs_now() &+ (Int64(limits.retries) &+ 1) &* (Int64(limits.connect) &+ Int64(limits.timeout))
  }

  /// `size`: bytes that the server is to store. A `write` that may have been carried out is never sent again: the first copy may come
  /// late, and undo what others wrote after the second.
  func run(
    _ name: MemcachedName, _ kind: Kind, size: Int = 0, _ body: (OpaquePointer, inout cm_call) -> cs_result
  ) throws(Failure) -> cm_answer {
    guard kind == .read || options.mode.writes else { throw .readOnly }
    guard let node = node(of: name) else { throw .memory }
    return try run(node, name.whole, kind, size: size, body)
  }

  func run(
    _ node: MemcachedNode, _ key: Bytes, _ kind: Kind, size: Int = 0,
    _ body: (OpaquePointer, inout cm_call) -> cs_result
  ) throws(Failure) -> cm_answer {
    let deadline = deadline()
    var failures: Int32 = 0
    while true {
      var attempt = Attempt()
      let trouble: Failure
      do throws(Failure) {
        return try exchange(node, key, deadline, size, &attempt, body)
      } catch {
        guard kind == .read || !attempt.wasSent else { throw MemcachedServers.unknown(error) }
        guard error.status == TUILE_E_STORE else { throw error }
        trouble = error
      }
      // Something on the way may have forgotten the connection, and then others.
      if attempt.wasSent, attempt.wasReused { node.pool.renew() }
      failures &+= 1
      let now = cs_now()
      // A server that is slow would be so again.
      let isSlow = attempt.wasSent && !attempt.wasReused && now &- attempt.began >= Int64(limits.timeout)
      guard failures <= limits.retries, now < deadline, !isSlow else { throw trouble }
      Limits.pause(failures)
    }
  }

  private func exchange(
    _ node: MemcachedNode, _ key: Bytes, _ deadline: Int64, _ size: Int, _ attempt: inout Attempt,
    _ body: (OpaquePointer, inout cm_call) -> cs_result
  ) throws(Failure) -> cm_answer {
    var (sent, reused) = (false, false)
    defer { (attempt.wasSent, attempt.wasReused) = (sent, reused) }
    return try node.pool.with { () throws(Failure) in
      try self.connect(node, deadline)
    } _: { (connection) throws(Failure) in
      guard size <= node.largest else { throw .limit("the session is larger than the memcached server takes") }
      reused = !connection.isFresh
      connection.noteUse()
      var call = cm_call()
      call.key = UnsafeRawPointer(key.start).assumingMemoryBound(to: CChar.self)
      call.key_size = key.count
      call.deadline = min(deadline, cs_now() &+ Int64(self.limits.timeout))
      let result = body(connection.handle, &call)
      sent = call.sent
      guard result == CS_OK else { throw MemcachedConnection.failure(result) }
      // Behind an error there may be more that is of it.
      return (call.answer, call.answer == CM_ERROR || call.answer == CM_UNKNOWN_COMMAND ? .drop : .keep)
    }
  }

  private func connect(_ node: MemcachedNode, _ deadline: Int64) throws(Failure) -> MemcachedConnection {
    let tls = options.tls ? try tls.secured(options.security) : nil
    do throws(Failure) {
      let until = min(deadline, cs_now() &+ Int64(limits.connect))
      let connection = try MemcachedConnection.open(node.address, options, tls: tls, until)
      try node.learn(connection, until)
      return connection
    } catch {
      throw error.about(node.address)
    }
  }

  /// For what was sent and got no answer.
  private static func unknown(_ cause: Failure) -> Failure {
    Failure(
      status: TUILE_E_UNKNOWN, message: "whether the change was made is not known",
      detail: Failure.Detail(Bytes(cause.message)))
  }

  /// What a first request would ask: a server that is not there, refuses the password or is
  /// none shows when the program starts. One of several is enough, since the others serve the
  /// rest of the keys.
  func ask() throws(Failure) {
    var last: Failure?
    var i = 0
    while let node = nodes.at(i) {
      do throws(Failure) {
        let answer = try run(node, Bytes(), .read) { connection, call in cm_ask(connection, &call) }
        guard answer == CM_DONE else { throw MemcachedConnection.refusal(answer).about(node.address) }
        return
      } catch {
        last = error
      }
      i &+= 1
    }
    throw last ?? .memory
  }
}
