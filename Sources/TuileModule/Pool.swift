import CSystem
import CTuile

/// What a pool keeps: a connection that one thread uses at a time.
protocol PooledConnection: AnyObject {
  var next: Self? { get set }
  /// When it was last used, by the clock that nobody sets, in microseconds.
  var since: Int64 { get set }
  /// False if the other side has closed it, or left something unread, while it was idle.
  func isUsable() -> Bool
  /// Asks the other side whether it is still there.
  func answers() -> Bool
  /// For one whose command was given up: whether the other side has ended that by now.
  func isSettled() -> Bool
  /// In a child of fork(): the descriptor is closed, and nothing is sent, since
  /// the connection is the parent's.
  func abandon()
}

/// What becomes of a connection after a call.
enum PoolFate {
  case keep, drop
  /// The other side may still be at work on what was given up: until that has ended it
  /// counts as one of the pool's, or the other side would get more and more of them.
  case park
}

/// The connections to one server: at most so many, opened when they are needed and a few
/// at a time, the newest idle one first. A child of fork() starts with none.
final class Pool<Connection: PooledConnection> {
  /// Connections that are opened at once: a server that many processes come to at the same
  /// moment would have all of them wait too long.
  private static var opening: UInt32 { 4 }
  /// How often a call that waits looks whether something was settled, in microseconds.
  private static var glance: Int64 { 20_000 }

  private var mutex = sys_mutex()
  private var gate = sys_gate()
  private var openers = sys_gate()
  private var idle: Connection?
  /// Each of them has a place in the gate.
  private var parked: Connection?
  private var generation = sys_fork_generation()
  private let limits: Limits

  init(_ limits: Limits) {
    self.limits = limits
    sys_mutex_init(&mutex)
    makeGates()
  }

  private func makeGates() {
    sys_gate_init(&gate, UInt32(bitPattern: limits.pool))
    sys_gate_init(&openers, Pool.opening)
  }

  deinit {
    _ = leaveParent()
    Pool.release(idle)
    Pool.release(parked)
    sys_gate_destroy(&openers)
    sys_gate_destroy(&gate)
    sys_mutex_destroy(&mutex)
  }

  /// One by one: a chain of deinits would go as deep as the list is long.
  private static func release(_ list: Connection?) {
    var list = list
    while let connection = list {
      list = connection.next
      connection.next = nil
    }
  }

  private static func abandon(_ list: Connection?) {
    var list = list
    while let connection = list {
      list = connection.next
      connection.next = nil
      connection.abandon()
    }
  }

  /// Runs `body` with a connection that nobody else uses, `open`ed if none is idle.
  /// `body` says what becomes of it; it is dropped if `body` throws.
  func with<Answer>(
    open: () throws(Failure) -> Connection, _ body: (Connection) throws(Failure) -> (answer: Answer, fate: PoolFate)
  ) throws(Failure) -> Answer {
    let mine = leaveParent()
    let until = sys_monotonic_microseconds() &+ Int64(limits.wait) &* 1000
    settle()
    guard enter(opening: false, until) else {
      throw Failure(status: TUILE_E_BUSY, message: "all connections to the store were in use for too long")
    }
    var isParked = false
    // A child that came out of a fork() in `body` has a gate of its own.
    defer { if !isParked, mine == sys_fork_generation() { sys_gate_leave(&gate) } }
    let connection = try take(until, mine, open)
    let (answer, fate) = try body(connection)
    guard fate != .drop, mine == sys_fork_generation() else { return answer }
    isParked = fate == .park
    giveBack(connection, isParked: isParked)
    return answer
  }

  private func enter(opening: Bool, _ until: Int64) -> Bool {
    while true {
      let left = max(0, until &- sys_monotonic_microseconds())
      // Also while nothing is parked: who has a place may park at any time, and nobody but those that wait looks.
      let step = min(left, hasParked ? Pool.glance : 5 &* Pool.glance)
      let milliseconds = Int32(truncatingIfNeeded: (step &+ 999) / 1000)
      if opening ? sys_gate_enter_within(&openers, milliseconds) : sys_gate_enter_within(&gate, milliseconds) {
        return true
      }
      guard left > 0 else { return false }
      settle()
    }
  }

  private func take(
    _ until: Int64, _ mine: UInt32, _ open: () throws(Failure) -> Connection
  ) throws(Failure) -> Connection {
    if let found = takeIdle() { return found }
    guard enter(opening: true, until) else {
      throw Failure(status: TUILE_E_BUSY, message: "connecting to the store: others were connecting for too long")
    }
    defer { if mine == sys_fork_generation() { sys_gate_leave(&openers) } }
    // Somebody may have given one back meanwhile.
    if let found = takeIdle() { return found }
    return try open()
  }

  private func takeIdle() -> Connection? {
    while true {
      sys_mutex_lock(&mutex)
      let found = idle
      idle = found?.next
      found?.next = nil
      sys_mutex_unlock(&mutex)
      guard let found else { return nil }
      guard found.isUsable() else { continue }
      let unused = sys_monotonic_microseconds() &- found.since
      if unused < Int64(limits.idle) &* 1000 || found.answers() { return found }
      // Something on the way has forgotten it, and those that are idle for longer.
      renew()
    }
  }

  /// Drops the idle connections: the next calls open new ones.
  func renew() {
    sys_mutex_lock(&mutex)
    let dropped = idle
    idle = nil
    sys_mutex_unlock(&mutex)
    Pool.release(dropped)
  }

  private func giveBack(_ connection: Connection, isParked: Bool) {
    connection.since = sys_monotonic_microseconds()
    sys_mutex_lock(&mutex)
    if isParked {
      connection.next = parked
      parked = connection
    } else {
      connection.next = idle
      idle = connection
    }
    sys_mutex_unlock(&mutex)
  }

  // MARK: What was given up

  private var hasParked: Bool {
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    return parked != nil
  }

  /// Drops the parked connections that are settled, and frees their places.
  private func settle() {
    sys_mutex_lock(&mutex)
    var left = parked
    parked = nil
    sys_mutex_unlock(&mutex)
    while let connection = left {
      left = connection.next
      connection.next = nil
      if connection.isSettled() {
        sys_gate_leave(&gate)
      } else {
        sys_mutex_lock(&mutex)
        connection.next = parked
        parked = connection
        sys_mutex_unlock(&mutex)
      }
    }
  }

  /// In a child of fork(), once: the parent's connections are left to it. The
  /// number of this process.
  private func leaveParent() -> UInt32 {
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    let present = sys_fork_generation()
    guard generation != present else { return present }
    Pool.abandon(idle)
    Pool.abandon(parked)
    idle = nil
    parked = nil
    makeGates()
    generation = present
    return present
  }
}
