import CSystem
import CTuile

/// Sessions in Django's own table, or another framework's, in a SQLite file, for many
/// threads and many processes. Each thread that is in the store has a connection of its own;
/// idle ones wait in a list.
///
/// SQLite counts the locks of a process in its memory, which a child of fork()
/// would inherit without having the locks: then the file could change under it.
/// So fork() waits until no thread is in SQLite, and closes the idle connections
/// first; both sides open new ones.
final class SQLiteStore: Store {
  /// Ends with a NUL.
  private let path: ByteBuffer
  let settings: SQLiteSettings

  /// Guards the list of idle connections.
  private var pool = sys_mutex()
  private var idle: SQLiteConnection?
  private var idleCount = 0
  private static let mostIdle = 16
  /// Where the next look for owners' entries without a session begins.
  private var orphansFrom = 0

  /// One writer of this process at a time, which makes the others' changes with its own.
  private let writers: SQLiteWriters

  /// Entered before `writers` are.
  private var gate = sys_fork_gate()
  private let remarks = Remarks()

  var trusted: Bool { false }

  /// `path` ends with a NUL.
  init(path: consuming ByteBuffer, settings: SQLiteSettings) throws(Failure) {
    self.path = path
    self.settings = settings
    writers = SQLiteWriters(waitMilliseconds: settings.busyMilliseconds)
    sys_mutex_init(&pool)
    let empty: @convention(c) (UnsafeMutableRawPointer?) -> Void = { store in
      if let store { Unmanaged<SQLiteStore>.fromOpaque(store).takeUnretainedValue().closeIdle(forFork: true) }
    }
    sys_fork_gate_init(&gate, empty, Unmanaged.passUnretained(self).toOpaque())
    try reading { (connection) throws(Failure) in try connection.checkSchema() }
    if self.path.bytes.withCString({ sys_is_readable_by_all($0) }) {
      remarks.add(.readableByAll)
    }
  }

  func takeRemark() -> StaticString? { remarks.take() }

  deinit {
    sys_fork_gate_destroy(&gate)
    closeIdle(forFork: false)
    sys_mutex_destroy(&pool)
  }

  func close() {}

  // MARK: Connections

  /// While nobody else is inside.
  private func closeIdle(forFork: Bool) {
    while let connection = idle {
      idle = connection.next
      connection.next = nil
      if forFork { connection.keepLog() }
      connection.close()
    }
    idleCount = 0
  }

  private func take() throws(Failure) -> SQLiteConnection {
    sys_mutex_lock(&pool)
    let found = idle
    if let found {
      idle = found.next
      found.next = nil
      idleCount &-= 1
    }
    sys_mutex_unlock(&pool)
    guard let found else { return try open() }
    guard found.hasMoved else { return found }
    // Somebody put another file in its place, or removed it: the other connections see that, too.
    found.close()
    dropIdle()
    remarks.add(.replaced)
    return try open()
  }

  private func dropIdle() {
    sys_mutex_lock(&pool)
    var dropped = idle
    idle = nil
    idleCount = 0
    sys_mutex_unlock(&pool)
    while let connection = dropped {
      dropped = connection.next
      connection.next = nil
      connection.close()
    }
  }

  private func open() throws(Failure) -> SQLiteConnection {
    // Sessions are logins: a file that SQLite made would be readable by all.
    if settings.makes { path.bytes.withCString { sys_create_private_file($0) } }
    return try SQLiteConnection(path: path.bytes, settings: settings)
  }

  private func giveBack(_ connection: SQLiteConnection) {
    sys_mutex_lock(&pool)
    let kept = idleCount < SQLiteStore.mostIdle && !connection.isStill && connection.isOpen
    if kept {
      connection.next = idle
      idle = connection
      idleCount &+= 1
    }
    sys_mutex_unlock(&pool)
    if !kept { connection.close() }
  }

  func using<Answer>(_ body: (SQLiteConnection) throws(Failure) -> Answer) throws(Failure) -> Answer {
    let connection = try take()
    defer { giveBack(connection) }
    return try body(connection)
  }

  func reading<Answer>(_ body: (SQLiteConnection) throws(Failure) -> Answer) throws(Failure) -> Answer {
    sys_fork_gate_enter(&gate)
    defer { sys_fork_gate_leave(&gate) }
    return try using(body)
  }

  /// The body may be run more than once, by another thread while this one waits.
  func writing<Answer>(
    isMany: Bool = false, _ body: (SQLiteConnection) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    guard settings.mode.writes else { throw .readOnly }
    sys_fork_gate_enter(&gate)
    defer { sys_fork_gate_leave(&gate) }
    return try writers.write(on: self, isMany: isMany, body)
  }

  /// Lets `move` set where the next look for orphans begins.
  func orphansFrom(_ move: (Int) -> Int) {
    sys_mutex_lock(&pool)
    orphansFrom = move(orphansFrom)
    sys_mutex_unlock(&pool)
  }

  // MARK: Store

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let expires = try reading { (connection) throws(Failure) in
      try connection.load(key, now: now) { data.append($0) }
    }
    guard !data.failed else { throw .memory }
    return expires
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try insert(.create, key, data, expires) == 1
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    _ = try insert(.put, key, data, expires)
  }

  private func insert(_ statement: SQLiteConnection.Statement, _ key: Bytes, _ data: Bytes, _ expires: Int64)
    throws(Failure) -> Int
  {
    try writing { (connection) throws(Failure) in try connection.insert(statement, key, data, expires) }
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try writing { (connection) throws(Failure) in
      try connection.replace(key, expected: expected, data: data, expires: expires)
    }
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    let isRecord = SessionKey.isRecord(key)
    return try writing { (connection) throws(Failure) in
      guard try connection.isReady(.touch, onRecords: isRecord) else { return 0 }
      return try connection.execute(.touch, onRecords: isRecord) {
        $0.text(1, key)
        $0.time(2, expires)
      }
    } == 1
  }

  func remove(_ key: Bytes) throws(Failure) {
    let isRecord = SessionKey.isRecord(key)
    _ = try writing { (connection) throws(Failure) in
      guard try connection.isReady(.remove, onRecords: isRecord) else { return 0 }
      return try connection.execute(.remove, onRecords: isRecord) { $0.text(1, key) }
    }
  }

  /// Records that are needed no longer go as the sessions do.
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    var removed = try sweepRows(now: now, limit: limit, onRecords: false)
    removed &+= try sweepRows(now: now, limit: limit &- removed, onRecords: true)
    if limit > 0 { try sweepOwners() }
    return removed
  }

  private func sweepRows(now: Int64, limit: Int, onRecords: Bool) throws(Failure) -> Int {
    var removed = 0
    var pace = SweepPace()
    while removed < limit {
      let step = min(limit &- removed, pace.step)
      let began = sys_now_microseconds()
      let gone = try writing { (connection) throws(Failure) in
        guard try connection.isReady(.sweep, onRecords: onRecords) else { return 0 }
        return try connection.execute(.sweep, onRecords: onRecords) {
          $0.time(1, now)
          $0.integer(2, step)
        }
      }
      removed &+= gone
      if gone < step { break }
      pace.pause(after: sys_now_microseconds() &- began)
    }
    return removed
  }
}

extension Failure {
  /// For tables of our own, which `mode=rw` makes none of.
  static var noTable: Failure {
    Failure(
      status: TUILE_E_STORE,
      message: "a table that this needs is not there, and the store's URL does not say mode=rwc")
  }
}

/// How a sweep leaves room for others: no step holds the write lock for long, and
/// after each there is a pause of about its length, since who waits for the lock
/// of another process only looks from time to time.
struct SweepPace {
  private(set) var step = 64
  /// Microseconds that a step should take at most.
  private static let aim: Int64 = 4000
  private static let largest = 512

  mutating func pause(after took: Int64) {
    let took = max(100, min(20_000, took))
    if took > SweepPace.aim { step = max(8, step / 2) }
    if took < SweepPace.aim / 4 { step = min(SweepPace.largest, step &* 2) }
    var spread: UInt32 = 0
    _ = sys_random(&spread, MemoryLayout<UInt32>.size)
    let length = UInt32(truncatingIfNeeded: took)
    sys_sleep_microseconds(length / 2 &+ spread % length)
  }
}
