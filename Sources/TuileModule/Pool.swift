import CSystem
import CTuile

/// What a pool keeps: a connection that one thread uses at a time.
protocol PooledConnection: AnyObject {
  var next: Self? { get set }
  /// False if the other side has closed it, or left something unread, while it was idle.
  func isUsable() -> Bool
  /// In a child of fork(): the descriptor is closed, and nothing is sent, since
  /// the connection is the parent's.
  func abandon()
}

/// The connections to one server: at most so many, opened when they are needed,
/// the newest idle one first. A child of fork() starts with none.
final class Pool<Connection: PooledConnection> {
  private var mutex = sys_mutex()
  private var gate = sys_gate()
  private var idle: Connection?
  private var generation = sys_fork_generation()
  private let size: Int32
  private let waitMilliseconds: Int32

  /// `wait` is how long a caller waits for a connection, in milliseconds.
  init(size: Int32, wait: Int32) {
    self.size = size
    waitMilliseconds = wait
    _ = sys_mutex_init(&mutex)
    _ = sys_gate_init(&gate, UInt32(bitPattern: size))
  }

  deinit {
    _ = leaveParent()
    // One by one: a chain of deinits would go as deep as the list is long.
    while let connection = idle {
      idle = connection.next
      connection.next = nil
    }
    sys_gate_destroy(&gate)
    sys_mutex_destroy(&mutex)
  }

  /// Runs `body` with a connection that nobody else uses, `open`ed if none is idle.
  /// `body` says whether the connection is good for another call.
  func with<Answer>(
    open: () throws(Failure) -> Connection, _ body: (Connection) throws(Failure) -> (answer: Answer, keep: Bool)
  ) throws(Failure) -> Answer {
    let mine = leaveParent()
    guard sys_gate_enter_within(&gate, waitMilliseconds) else {
      throw Failure(status: TUILE_E_BUSY, message: "all connections to the store were in use for too long")
    }
    // A child that came out of a fork() in `body` has a gate of its own.
    defer { if mine == sys_fork_generation() { sys_gate_leave(&gate) } }
    let found = takeIdle()
    let connection: Connection
    if let found { connection = found } else { connection = try open() }
    let (answer, keep) = try body(connection)
    if keep, mine == sys_fork_generation() { giveBack(connection) }
    return answer
  }

  private func takeIdle() -> Connection? {
    while true {
      sys_mutex_lock(&mutex)
      let found = idle
      idle = found?.next
      found?.next = nil
      sys_mutex_unlock(&mutex)
      guard let found else { return nil }
      if found.isUsable() { return found }
    }
  }

  private func giveBack(_ connection: Connection) {
    sys_mutex_lock(&mutex)
    connection.next = idle
    idle = connection
    sys_mutex_unlock(&mutex)
  }

  /// In a child of fork(), once: the parent's connections are left to it. The
  /// number of this process.
  private func leaveParent() -> UInt32 {
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    let present = sys_fork_generation()
    guard generation != present else { return present }
    while let connection = idle {
      idle = connection.next
      connection.next = nil
      connection.abandon()
    }
    _ = sys_gate_init(&gate, UInt32(bitPattern: size))
    generation = present
    return present
  }
}
