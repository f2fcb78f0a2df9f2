import CSystem
import CTuile

/// One connection to the database of sessions with its statements prepared, for
/// one thread at a time. Never closed in another process than the one that
/// opened it: that would drop the locks of the parent.
final class SQLiteConnection {
  enum Statement: Int { case load, create, replace, exists, touch, remove, sweep }

  /// Django's table and index, as its migration for SQLite makes them.
  private static let schema: StaticString = """
    CREATE TABLE IF NOT EXISTS "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, \
    "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
    CREATE INDEX IF NOT EXISTS "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
    """

  private static func sql(_ statement: Statement) -> StaticString {
    switch statement {
    case .load: return "SELECT session_data, expire_date FROM django_session WHERE session_key = ? AND expire_date > ?"
    case .create:
      return
        "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"
    case .replace:
      return
        "UPDATE django_session SET session_data = ?2, expire_date = ?3 WHERE session_key = ?1 AND session_data = ?4"
    case .exists: return "SELECT 1 FROM django_session WHERE session_key = ?"
    case .touch: return "UPDATE django_session SET expire_date = ?2 WHERE session_key = ?1"
    case .remove: return "DELETE FROM django_session WHERE session_key = ?"
    case .sweep:
      return """
        DELETE FROM django_session WHERE session_key IN \
        (SELECT session_key FROM django_session WHERE expire_date < ?1 ORDER BY expire_date LIMIT ?2)
        """
    }
  }

  private var database: OpaquePointer?
  private var statements:
    (OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?)
  let generation = sys_fork_generation()
  var next: SQLiteConnection?
  /// What the busy handler reads, for as long as the connection is open.
  private let busyLimit: UnsafeMutablePointer<Int32>

  init(path: UnsafePointer<CChar>, options: SQLiteOptions) throws(Failure) {
    statements = (nil, nil, nil, nil, nil, nil, nil)
    busyLimit = .allocate(capacity: 1)
    busyLimit.initialize(to: options.busyMilliseconds)
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    let result = sqlite3_open_v2(path, &database, flags, nil)
    guard result == SQLITE_OK else { throw failure(result, "the session database cannot be opened") }
    sys_sqlite_set_busy_limit(database, busyLimit)
    guard sqlite3_db_readonly(database, "main") == 0 else {
      throw Failure(status: TUILE_E_STORE, message: "the session database is read-only")
    }
    // Readers and the writer do not wait for each other. Where the file system
    // has no shared memory SQLite keeps its rollback journal, which is right too.
    try run("PRAGMA journal_mode=WAL")
    try run(options.synchronousFull ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL")
    try run(SQLiteConnection.schema)
    try prepare(.load, &statements.0)
    try prepare(.create, &statements.1)
    try prepare(.replace, &statements.2)
    try prepare(.exists, &statements.3)
    try prepare(.touch, &statements.4)
    try prepare(.remove, &statements.5)
    try prepare(.sweep, &statements.6)
  }

  deinit {
    guard generation == sys_fork_generation() else { return }
    sqlite3_finalize(statements.0)
    sqlite3_finalize(statements.1)
    sqlite3_finalize(statements.2)
    sqlite3_finalize(statements.3)
    sqlite3_finalize(statements.4)
    sqlite3_finalize(statements.5)
    sqlite3_finalize(statements.6)
    sqlite3_close_v2(database)
    busyLimit.deallocate()
  }

  private func run(_ sql: StaticString) throws(Failure) {
    let text = UnsafeRawPointer(sql.utf8Start).assumingMemoryBound(to: CChar.self)
    let result = sqlite3_exec(database, text, nil, nil, nil)
    guard result == SQLITE_OK else { throw failure(result, "the session database cannot be set up") }
  }

  private func prepare(_ statement: Statement, _ prepared: inout OpaquePointer?) throws(Failure) {
    let sql = SQLiteConnection.sql(statement)
    let text = UnsafeRawPointer(sql.utf8Start).assumingMemoryBound(to: CChar.self)
    let result = sqlite3_prepare_v3(
      database, text, Int32(sql.utf8CodeUnitCount), UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
    if result == SQLITE_ERROR {
      throw Failure(
        status: TUILE_E_CORRUPT, message: "the table django_session is not Django's",
        detail: Failure.Detail(sqlite3_errmsg(database)))
    }
    guard result == SQLITE_OK else { throw failure(result, "the session database cannot be read") }
  }

  private func prepared(_ statement: Statement) -> OpaquePointer? {
    switch statement {
    case .load: return statements.0
    case .create: return statements.1
    case .replace: return statements.2
    case .exists: return statements.3
    case .touch: return statements.4
    case .remove: return statements.5
    case .sweep: return statements.6
    }
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

  /// Runs a statement: binds, steps once, lets `row` read the row if there is
  /// one, and leaves the statement ready for the next run. The number of rows
  /// that it changed, or that it found.
  func execute(
    _ statement: Statement, bind: (Binder) -> Void, row: (Columns) -> Void = { _ in }
  ) throws(Failure) -> Int {
    let handle = prepared(statement)
    bind(Binder(statement: handle))
    defer {
      sqlite3_reset(handle)
      sqlite3_clear_bindings(handle)
    }
    let result = sqlite3_step(handle)
    switch result {
    case SQLITE_ROW:
      row(Columns(statement: handle))
      return 1
    case SQLITE_DONE:
      return statement == .load || statement == .exists ? 0 : Int(sqlite3_changes(database))
    default:
      throw failure(result, "the session database failed")
    }
  }

  struct Binder {
    let statement: OpaquePointer?
    /// The bytes must outlive the run.
    func text(_ index: Int32, _ bytes: Bytes) { _ = sys_sqlite_bind_text(statement, index, bytes.start, bytes.count) }
    func integer(_ index: Int32, _ number: Int) { sqlite3_bind_int64(statement, index, Int64(number)) }
  }

  struct Columns {
    let statement: OpaquePointer?
    /// Valid until the run ends.
    func text(_ index: Int32) -> Bytes {
      guard let start = sqlite3_column_text(statement, index) else { return Bytes() }
      return Bytes(start, Int(sqlite3_column_bytes(statement, index)))
    }
  }
}
