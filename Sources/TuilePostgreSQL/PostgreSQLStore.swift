import CPostgreSQL
import CSystem
import CTuile

/// Sessions in Django's own table, or another framework's, in a PostgreSQL database, for many
/// threads, processes and machines.
final class PostgreSQLStore: Store {
  private let settings: OpaquePointer
  let options: PostgreSQLOptions
  private let pool: Pool<Connection>
  /// What is known of our tables, by any thread.
  let owners = OwnTable()
  let records = OwnTable()
  let statements: Statements
  private let recordStatements: Statements

  var trusted: Bool { false }
  var keepsOwners: Bool { true }

  static func open(_ url: Bytes) throws(Failure) -> PostgreSQLStore {
    let store = try PostgreSQLOptions.read(url) { (options, uri) throws(Failure) in
      var memory = false
      let sessions = try SessionTable.of(options.table.bytes, options.columns.bytes, schemas: true)
      let records = try SessionTable.djangos("tuile_session_record")
      guard let settings = pg_settings_read(uri, &memory) else {
        throw memory ? .memory : .syntax("the store's URL is no URI of PostgreSQL's")
      }
      return PostgreSQLStore(settings, options, Statements(sessions), Statements(records))
    }
    try store.setUp()
    return store
  }

  private init(
    _ settings: OpaquePointer, _ options: consuming PostgreSQLOptions, _ statements: Statements,
    _ recordStatements: Statements
  ) {
    self.settings = settings
    self.statements = statements
    self.recordStatements = recordStatements
    pool = Pool(options.limits)
    self.options = options
  }

  /// Another framework's table is behind this store.
  var hasLayout: Bool { statements.table.isLayouts }

  deinit { pg_settings_free(settings) }

  func close() {}

  // MARK: Running commands

  /// How often something may still be tried, and the pauses in between.
  private struct Patience {
    var left: Int
    private var pause: UInt32 = 20_000

    init(_ left: Int) { self.left = left }

    /// false if it was the last time.
    mutating func wait() -> Bool {
      guard left > 0 else { return false }
      left &-= 1
      sys_sleep_microseconds(pause)
      pause = min(pause &* 2, 100_000)
      return true
    }
  }

  private func connect(_ patience: inout Patience) throws(Failure) -> Connection {
    let limit = Int64(options.limits.connect)
    let until = pg_now() &+ limit &* (Int64(patience.left) &+ 1)
    var isAgain = false
    while true {
      do throws(ConnectFailure) {
        // What was lost on the way is sent once more, and then waited for: a server that is
        // busy would have begun in vain each time.
        let left = max(limit, until &- pg_now())
        return try Connection.open(settings, options, isAgain ? left : limit, most: left)
      } catch {
        guard error.mayPass, pg_now() < until, patience.wait() else { throw error.failure }
      }
      isAgain = true
    }
  }

  /// What becomes of a connection after a command.
  private func fate(_ outcome: Outcome, _ connection: Connection) -> PoolFate {
    switch outcome {
    case .answered: return .keep
    case .refused(let state):
      guard state.isReadOnly else { return .keep }
      // The server has become a standby: the next connection may find the one that writes.
      pool.renew()
      return .drop
    case .lost, .notSent: return .drop
    case .timedOut:
      connection.cancel()
      return .park
    }
  }

  /// Runs a command on a connection of the pool, again where that is safe: after
  /// an error of the server, which undid it, and where it was not sent; after a broken
  /// connection if it is `repeatable`, since nobody knows then whether it ran. An error that
  /// no repetition helps against is the answer too.
  func run(repeatable: Bool, _ body: (Connection) throws(Failure) -> Outcome) throws(Failure) -> Outcome {
    var patience = Patience(Int(options.limits.retries))
    let contendedUntil = pg_now() &+ Int64(options.limits.timeout)
    var contended: UInt32 = 0
    var isPreparedAnew = false
    while true {
      var wasFresh = true
      let outcome = try pool.with(open: { () throws(Failure) in try connect(&patience) }) {
        (connection) throws(Failure) in
        wasFresh = connection.isFresh
        let outcome = try body(connection)
        return (outcome, fate(outcome, connection))
      }
      switch outcome {
      case .answered: return outcome
      case .refused(let state):
        if state.isContention {
          guard pg_now() < contendedUntil else { return outcome }
          contended = min(contended &+ 1, 16)
          var noise: UInt16 = 0
          _ = sys_random(&noise, 2)
          sys_sleep_microseconds(UInt32(noise) % 1024 &* contended)
        } else if state.wantsPreparing, !isPreparedAnew {
          isPreparedAnew = true
        } else {
          guard state.wantsPreparing || state.isReadOnly, patience.wait() else { return outcome }
        }
      case .notSent:
        guard patience.wait() else {
          throw Failure(status: TUILE_E_STORE, message: "the session database went away")
        }
      case .lost(let state):
        guard repeatable else {
          throw Failure(
            status: PostgreSQLStore.unknown,
            message: "the session database went away: whether it made the change is unknown", detail: state.detail)
        }
        guard patience.wait() else {
          throw Failure(status: TUILE_E_STORE, message: "the session database went away", detail: state.detail)
        }
      case .timedOut:
        guard repeatable else {
          throw Failure(
            status: PostgreSQLStore.unknown,
            message: "the session database took too long: whether it made the change is unknown")
        }
        // Something on the way may have forgotten the connection, and then others; a server
        // that is slow would be so again.
        guard !wasFresh, patience.wait() else {
          throw Failure(status: TUILE_E_STORE, message: "the session database took too long")
        }
        pool.renew()
      }
    }
  }

  /// For what was sent and got no answer.
  static let unknown = TUILE_E_UNKNOWN

  func run(
    _ statement: Statement, onRecords: Bool = false, _ fill: (inout Parameters) -> Void
  ) throws(Failure) -> Answer {
    switch try attempt(statement, onRecords, fill) {
    case .answered(let answer): return answer
    case .refused(let state): throw state.failure
    case .lost, .notSent, .timedOut: throw SQLState(0).failure
    }
  }

  private func attempt(
    _ statement: Statement, _ onRecords: Bool, _ fill: (inout Parameters) -> Void
  ) throws(Failure) -> Outcome {
    guard statement.isRepeatable || options.mode.writes else { throw .readOnly }
    let statements = onRecords ? recordStatements : statements
    var parameters = Parameters(table: statements.table)
    fill(&parameters)
    guard let sql = statements.sql(statement) else { throw .memory }
    return try run(repeatable: statement.isRepeatable) { (connection) throws(Failure) in
      try connection.run(sql, parameters.all, options)
    }
  }

  /// Runs commands without parameters as one transaction: those that look, and those that
  /// make a table, which may find it made.
  func run(script: StaticString) throws(Failure) -> Outcome { try run(script: script.cString) }

  func run(script: UnsafePointer<CChar>?) throws(Failure) -> Outcome {
    guard let script else { throw .memory }
    return try run(repeatable: true) { (connection) throws(Failure) in try connection.run(script: script, options) }
  }

  // MARK: Store

  /// PostgreSQL's own limit on a value is 1 GiB.
  private static let largest = 1 << 28

  private static func check(_ data: Bytes) throws(Failure) {
    guard data.count <= largest else { throw .limit("a session has at most 256 MiB") }
  }

  /// Whether the key is a record's; false too where there is no table of records, as `isThere` says.
  private func isRecord(_ key: Bytes) throws(Failure) -> (isRecord: Bool, isThere: Bool) {
    guard SessionKey.isRecord(key) else { return (false, true) }
    return (true, try hasRecords())
  }

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let table = try isRecord(key)
    guard table.isThere else { return nil }
    let answer = try run(.load, onRecords: table.isRecord) {
      $0.text(key)
      $0.time(now)
    }
    guard answer.rows > 0 else { return nil }
    data.append(answer.text(0, 0))
    guard !data.failed else { throw .memory }
    return (table.isRecord ? recordStatements : statements).table.end(answer, 0, 1)
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try insert(.create, key, data, expires) == 1
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    _ = try insert(.put, key, data, expires)
  }

  private func insert(
    _ statement: Statement, _ key: Bytes, _ data: Bytes, _ expires: Int64
  ) throws(Failure) -> Int {
    try PostgreSQLStore.check(data)
    guard options.mode.writes else { throw .readOnly }
    let table = try isRecord(key)
    guard table.isThere else { throw .noTable }
    return try run(statement, onRecords: table.isRecord) {
      $0.text(key)
      $0.data(data)
      $0.time(expires)
    }.changed
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try PostgreSQLStore.check(data)
    let table = try isRecord(key)
    guard table.isThere else { return .absent }
    let changed = try run(.replace, onRecords: table.isRecord) {
      $0.text(key)
      $0.data(data)
      $0.time(expires)
      $0.data(expected)
    }.changed
    if changed == 1 { return .replaced }
    return try run(.exists, onRecords: table.isRecord) { $0.text(key) }.rows > 0 ? .conflict : .absent
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    let table = try isRecord(key)
    guard table.isThere else { return false }
    return try run(.touch, onRecords: table.isRecord) {
      $0.text(key)
      $0.time(expires)
    }.changed == 1
  }

  func remove(_ key: Bytes) throws(Failure) {
    let table = try isRecord(key)
    if table.isThere { _ = try run(.remove, onRecords: table.isRecord) { $0.text(key) } }
  }

  /// Records that are needed no longer go as the sessions do.
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    var removed = try sweep(now, limit, onRecords: false)
    guard limit > 0 else { return removed }
    if try has(records, Schema.hasRecords) { removed &+= try sweep(now, limit &- removed, onRecords: true) }
    try sweepOwners()
    return removed
  }

  private func sweep(_ now: Int64, _ limit: Int, onRecords: Bool) throws(Failure) -> Int {
    var removed = 0
    // In small steps, so that nobody waits long for a row.
    while removed < limit {
      let step = min(limit &- removed, 500)
      let gone = try run(.sweep, onRecords: onRecords) {
        $0.time(now)
        $0.number(step)
      }.changed
      removed &+= gone
      if gone < step { break }
    }
    return removed
  }
}
