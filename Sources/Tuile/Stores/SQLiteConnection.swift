import CSystem
import CTuile

/// One connection to the database of sessions with its statements prepared, for
/// one thread at a time, in the process that opened it.
final class SQLiteConnection {
  enum Statement: Int {
    case load, create, replace, exists, touch, remove, sweep, put
    // From here on when the table of owners is there.
    case own, owned, ownedRecord, disown, orphans, removeOrphans
    // Prepared when they are first run.
    case keys, owners
    static let count = 16
  }

  private var database: OpaquePointer?
  /// One for each `Statement`, and behind them one for each of those that records have
  /// too; nil until it is prepared.
  private let statements: UnsafeMutablePointer<OpaquePointer?>
  private static let rooms = Statement.count &+ Statement.put.rawValue &+ 1
  private let settings: SQLiteSettings
  /// The file can't change while it is read: nothing is looked at but its pages.
  private(set) var isStill = false
  let generation = sys_fork_generation()
  var next: SQLiteConnection?
  /// What the busy handler reads, for as long as the connection is open.
  private let busyLimit: UnsafeMutablePointer<Int32>
  /// The time that a statement has got.
  private let timeText: UnsafeMutablePointer<UInt8>
  private static let longestTime = 32

  init(path: Bytes, settings: SQLiteSettings) throws(Failure) {
    statements = .allocate(capacity: SQLiteConnection.rooms)
    statements.initialize(repeating: nil, count: SQLiteConnection.rooms)
    timeText = .allocate(capacity: SQLiteConnection.longestTime)
    busyLimit = .allocate(capacity: 1)
    busyLimit.initialize(to: settings.busyMilliseconds)
    self.settings = settings
    guard settings.mode.writes else {
      try openToRead(path)
      return
    }
    let create = settings.makes ? SQLITE_OPEN_CREATE : 0
    try open(path, SQLITE_OPEN_READWRITE | create)
    guard sqlite3_db_readonly(database, "main") == 0 else {
      throw Failure(status: TUILE_E_STORE, message: "the session database is read-only: mode=ro is for that")
    }
    try patiently { () throws(Failure) in try setUp() }
  }

  private func open(_ path: Bytes, _ flags: Int32) throws(Failure) {
    var opened: OpaquePointer?
    let result = path.withCString { sqlite3_open_v2($0, &opened, flags | SQLITE_OPEN_NOMUTEX, nil) }
    database = opened
    guard result == SQLITE_OK else { throw failure(result, "the session database cannot be opened") }
    sys_sqlite_set_busy_limit(database, busyLimit)
  }

  private func setUp() throws(Failure) {
    // Readers and the writer do not wait for each other. Where the file system
    // has no shared memory SQLite keeps its rollback journal, which is right too.
    if settings.makes { try run("PRAGMA journal_mode=WAL") }
    if settings.synchronousFull {
      try run("PRAGMA synchronous=FULL")
    } else if !settings.sessions.isLayouts {
      try run("PRAGMA synchronous=NORMAL")
    }
    if settings.makes { try run(SQLiteSchema.sessions) }
    try prepare(from: .load, to: .put)
  }

  /// Opens the file so that nothing of it, or beside it, is written. Where the folder
  /// can't be written SQLite needs the log's index for that, which is there while
  /// somebody has the log open; where nobody has, the pages alone are all of it.
  private func openToRead(_ path: Bytes) throws(Failure) {
    do throws(Failure) {
      try open(path, SQLITE_OPEN_READONLY)
      try patiently { () throws(Failure) in try prepare(from: .load, to: .load) }
    } catch {
      guard error.status == TUILE_E_STORE, !path.withCString({ sys_sqlite_has_log($0) }) else { throw error }
      close()
      var name = ByteBuffer()
      name.append("file://")
      URLText.encode(path.slice(0, path.count &- 1), to: &name)
      name.append("?immutable=1")
      name.append(0)
      guard !name.failed else { throw .memory }
      try open(name.bytes, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
      isStill = true
      try prepare(from: .load, to: .load)
    }
  }

  /// Until it goes well, or others were in the way for too long: SQLite asks nobody to wait
  /// where it would be a deadlock, as when several switch a new file to its log at once.
  private func patiently(_ body: () throws(Failure) -> Void) throws(Failure) {
    let until = sys_monotonic_microseconds() &+ Int64(settings.busyMilliseconds) &* 1000
    while true {
      do throws(Failure) {
        return try body()
      } catch {
        guard error.status == TUILE_E_BUSY, sys_monotonic_microseconds() < until else { throw error }
        var spread: UInt32 = 0
        _ = sys_random(&spread, MemoryLayout<UInt32>.size)
        sys_sleep_microseconds(500 &+ spread % 2000)
      }
    }
  }

  /// Whether the path leads to another file by now, or to none.
  var hasMoved: Bool {
    var moved: Int32 = 0
    return !isStill && isOpen && sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK
      && moved != 0
  }

  deinit {
    close()
    statements.deallocate()
    busyLimit.deallocate()
    timeText.deallocate()
  }

  var isOpen: Bool { database != nil }

  /// Nothing is run on it afterwards. More than once is fine.
  func close() {
    // Came here by a fork() that asked nobody: it stays the parent's.
    guard generation == sys_fork_generation() else { return }
    for i in Indices(SQLiteConnection.rooms) {
      sqlite3_finalize(statements[i])
      statements[i] = nil
    }
    sqlite3_close_v2(database)
    database = nil
  }

  /// Throws unless the table is Django's, or the layout's, as far as it matters.
  func checkSchema() throws(Failure) {
    var sql = ByteBuffer()
    settings.sessions.writeSQLite(SQLiteSchema.check, to: &sql)
    guard !sql.failed else { throw .memory }
    let broken: StaticString
    switch try number(sql.bytes) {
    case 0: return
    case 1: broken = "the table of sessions has not the columns that it needs"
    case 2: broken = "the column of the keys is not unique in the table of sessions"
    default: broken = "the table of sessions has a column of its own that needs a value"
    }
    throw Failure(
      status: TUILE_E_CORRUPT, message: broken, detail: Failure.Detail(settings.sessions.bareName.bytes))
  }

  /// It is opened again soon: not worth a checkpoint.
  func keepLog() { sys_sqlite_keep_log(database) }

  private func run(_ sql: StaticString) throws(Failure) {
    let result = sqlite3_exec(database, sql.cString, nil, nil, nil)
    guard result == SQLITE_OK else { throw failure(result, "the session database cannot be set up") }
  }

  private func prepare(from first: Statement, to last: Statement) throws(Failure) {
    var i = first.rawValue
    while i <= last.rawValue, let statement = Statement(rawValue: i) {
      // Some may be ready from an attempt that failed halfway.
      if statements[i] == nil { try prepare(statement, settings.sessions, &statements[i]) }
      i &+= 1
    }
  }

  private func prepare(
    _ statement: Statement, _ table: SessionTable, _ prepared: inout OpaquePointer?
  ) throws(Failure) {
    var sql = ByteBuffer()
    table.writeSQLite(statement.template, to: &sql)
    guard !sql.failed else { throw .memory }
    try prepare(sql.bytes, &prepared)
  }

  private func prepare(_ sql: Bytes, _ prepared: inout OpaquePointer?) throws(Failure) {
    let result = sqlite3_prepare_v3(
      database, UnsafeRawPointer(sql.start).assumingMemoryBound(to: CChar.self), Int32(truncatingIfNeeded: sql.count),
      UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    if result == SQLITE_ERROR {
      throw Failure(
        status: TUILE_E_CORRUPT,
        message: settings.sessions.isLayouts
          ? "the layout's table is not there or not such a one: its framework makes it"
          : "the tables of sessions are not Django's and Tuile's",
        detail: Failure.Detail(sqlite3_errmsg(database)))
    }
    guard result == SQLITE_OK else { throw failure(result, "the session database cannot be read") }
  }

  /// A number that a query of one row gives.
  func number(_ sql: StaticString) throws(Failure) -> Int { try number(Bytes(sql)) }

  private func number(_ sql: Bytes) throws(Failure) -> Int {
    var handle: OpaquePointer?
    try prepare(sql, &handle)
    defer { sqlite3_finalize(handle) }
    let result = sqlite3_step(handle)
    guard result == SQLITE_ROW else { throw failure(result, "the session database cannot be read") }
    return Int(sqlite3_column_int64(handle, 0))
  }

  /// Several changes as one: all that the body ran is there when this ends, or nothing of it.
  /// It is closed where nothing is, since what it knows of tables may be wrong then.
  func together(_ body: () -> Void) throws(Failure) {
    try control("BEGIN IMMEDIATE")
    body()
    // A full disk, or memory, may have ended it.
    guard sqlite3_get_autocommit(database) == 0 else {
      close()
      throw Failure(status: TUILE_E_STORE, message: "the session database failed")
    }
    do throws(Failure) {
      try control("COMMIT")
    } catch {
      close()
      throw error
    }
  }

  /// Several reads of one state.
  func readTogether(_ body: () -> Void) throws(Failure) {
    try control("BEGIN")
    body()
    // Of a transaction that only read: if anything is left of it, then for nobody else.
    do throws(Failure) { try control("COMMIT") } catch { close() }
  }

  private func control(_ sql: StaticString) throws(Failure) {
    let result = sqlite3_exec(database, sql.cString, nil, nil, nil)
    guard result == SQLITE_OK else { throw failure(result, "the session database failed") }
  }

  /// Whether the table of owners is there; then its statements are ready.
  func hasOwners(make: Bool) throws(Failure) -> Bool {
    if statements[Statement.removeOrphans.rawValue] != nil { return true }
    if make, settings.mode.makes { try run(SQLiteSchema.owners) }
    guard try number(SQLiteSchema.hasOwners) == 1 else { return false }
    if settings.mode.writes { try prepare(from: .own, to: .removeOrphans) }
    return true
  }

  /// Whether the table of records is there, made if it should be; then a `statement` on it is ready.
  func hasRecords(_ statement: Statement, make: Bool) throws(Failure) -> Bool {
    let place = Statement.count &+ statement.rawValue
    if statements[place] != nil { return true }
    if make, settings.mode.makes { try run(SQLiteSchema.records) }
    guard try number(SQLiteSchema.hasRecords) == 1 else { return false }
    try prepare(statement, settings.records, &statements[place])
    return true
  }

  /// false if the statement is about records, and there is no table of them.
  func isReady(_ statement: Statement, onRecords: Bool) throws(Failure) -> Bool {
    guard onRecords else { return true }
    return try hasRecords(statement, make: false)
  }

  /// SQLite's result codes (sqlite.org/rescode.html) as ours; the detail is
  /// SQLite's fixed text for the code, which holds no data.
  private func failure(_ result: Int32, _ message: StaticString) -> Failure {
    let status: tuile_status
    switch result & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED: status = TUILE_E_BUSY
    case SQLITE_CORRUPT, SQLITE_NOTADB: status = TUILE_E_CORRUPT
    case SQLITE_NOMEM: status = TUILE_E_MEMORY
    case SQLITE_TOOBIG: status = TUILE_E_LIMIT
    default: status = TUILE_E_STORE
    }
    return Failure(status: status, message: message, detail: Failure.Detail(sqlite3_errstr(result)))
  }

  /// Runs a statement: binds, lets `row` read each row, and leaves the statement
  /// ready for the next run. The number of rows that it found, or that it changed.
  func execute(
    _ statement: Statement, onRecords: Bool = false, bind: (Binder) -> Void, row: (Columns) -> Void = { _ in }
  ) throws(Failure) -> Int {
    // Owners' statements are missing where another connection found their table.
    if !onRecords, statements[statement.rawValue] == nil { try prepare(from: statement, to: statement) }
    let handle = statements[onRecords ? Statement.count &+ statement.rawValue : statement.rawValue]
    let table = settings.table(onRecords: onRecords)
    bind(Binder(statement: handle, table: table, room: timeText))
    defer {
      sqlite3_reset(handle)
      sqlite3_clear_bindings(handle)
    }
    var rows = 0
    var result = sqlite3_step(handle)
    while result == SQLITE_ROW {
      row(Columns(statement: handle, table: table))
      rows &+= 1
      // A key has one row: a second step would only find that.
      if statement == .load || statement == .exists { return rows }
      result = sqlite3_step(handle)
    }
    guard result == SQLITE_DONE else { throw failure(result, "the session database failed") }
    return statement.reads ? rows : Int(sqlite3_changes(database))
  }

  struct Binder {
    let statement: OpaquePointer?
    let table: SessionTable
    /// Where the one time of a statement is written.
    let room: UnsafeMutablePointer<UInt8>
    /// The bytes must outlive the run.
    func text(_ index: Int32, _ bytes: Bytes) { _ = sys_sqlite_bind_text(statement, index, bytes.start, bytes.count) }
    func integer(_ index: Int32, _ number: Int) { sqlite3_bind_int64(statement, index, Int64(number)) }

    /// As text does.
    func data(_ index: Int32, _ bytes: Bytes) {
      if table.holds == .bytes {
        _ = sys_sqlite_bind_blob(statement, index, bytes.start, bytes.count)
      } else {
        text(index, bytes)
      }
    }

    /// Unix microseconds, to be compared with the column of the expiry, or stored in it.
    func time(_ index: Int32, _ microseconds: Int64) {
      let stored = table.stored(microseconds)
      guard table.time != .seconds else { return integer(index, Int(stored / 1_000_000)) }
      var writer = ByteWriter(room, capacity: SQLiteConnection.longestTime)
      Date.writeSQLite(microseconds: stored, digits: table.time == .utc, to: &writer)
      text(index, writer.written)
    }
  }

  struct Columns {
    let statement: OpaquePointer?
    let table: SessionTable
    /// Valid until the run ends.
    func text(_ index: Int32) -> Bytes {
      guard let start = sqlite3_column_text(statement, index) else { return Bytes() }
      return Bytes(start, Int(sqlite3_column_bytes(statement, index)))
    }
    func integer(_ index: Int32) -> Int { Int(sqlite3_column_int64(statement, index)) }

    /// As text is.
    func data(_ index: Int32) -> Bytes {
      guard table.holds == .bytes else { return text(index) }
      guard let start = sqlite3_column_blob(statement, index) else { return Bytes() }
      return Bytes(start.assumingMemoryBound(to: UInt8.self), Int(sqlite3_column_bytes(statement, index)))
    }

    /// The end of the session; nil if it can't be read.
    func end(_ index: Int32) -> Int64? {
      guard table.time == .seconds else { return Date.readISO(text(index)).map { table.end($0) } }
      let (microseconds, overflow) = sqlite3_column_int64(statement, index).multipliedReportingOverflow(by: 1_000_000)
      return overflow ? .max : table.end(microseconds)
    }
  }
}
