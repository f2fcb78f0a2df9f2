import CPostgreSQL
import CSystem
import CTuile

/// Sessions in Django's own table in a PostgreSQL database, for many threads,
/// processes and machines.
final class PostgreSQLStore: Store {
  private let settings: OpaquePointer
  private let options: Options
  private let pool: Pool<Connection>
  /// What is known of the table of owners, by any thread.
  let owners = OwnerTable()

  var trusted: Bool { false }
  var keepsOwners: Bool { true }

  static func open(_ url: Bytes) throws(Failure) -> PostgreSQLStore {
    let store = try Options.read(url) { (options, uri) throws(Failure) in
      var memory = false
      guard let settings = pg_settings_read(uri, &memory) else {
        throw memory ? .memory : .syntax("the store's URL is no URI of PostgreSQL's")
      }
      return PostgreSQLStore(settings, options)
    }
    try store.setUp()
    return store
  }

  private init(_ settings: OpaquePointer, _ options: Options) {
    self.settings = settings
    self.options = options
    pool = Pool(size: options.limits.pool, wait: options.limits.wait)
  }

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
    while true {
      do throws(ConnectFailure) {
        return try Connection.open(settings, options)
      } catch {
        guard error.wasRefused, patience.wait() else { throw error.failure }
      }
    }
  }

  /// A server that has the connection but can't use it: its next one may be better.
  private static func isWorthKeeping(_ outcome: Outcome) -> Bool {
    switch outcome {
    case .answered: return true
    case .refused(let state): return !state.isReadOnly
    case .lost, .timedOut: return false
    }
  }

  /// Runs a command on a connection of the pool, again where that is safe: after
  /// an error of the server, which undid it, and after a broken connection if it
  /// is `repeatable`. An error that no repetition helps against is the answer too.
  func run(repeatable: Bool, _ body: (Connection) throws(Failure) -> Outcome) throws(Failure) -> Outcome {
    var patience = Patience(Int(options.limits.retries))
    let contendedUntil = pg_now() &+ Int64(options.limits.timeout)
    var contended: UInt32 = 0
    while true {
      let outcome = try pool.with(open: { () throws(Failure) in try connect(&patience) }) {
        (connection) throws(Failure) in
        let outcome = try body(connection)
        return (outcome, PostgreSQLStore.isWorthKeeping(outcome))
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
        } else {
          guard state.wantsPreparing || state.isReadOnly, patience.wait() else { return outcome }
        }
      case .lost(let state):
        guard repeatable else {
          throw Failure(
            status: TUILE_E_STORE, message: "the session database went away: whether it made the change is unknown",
            detail: state.detail)
        }
        guard patience.wait() else {
          throw Failure(status: TUILE_E_STORE, message: "the session database went away", detail: state.detail)
        }
      case .timedOut:
        throw Failure(
          status: TUILE_E_STORE,
          message: repeatable
            ? "the session database took too long"
            : "the session database took too long: whether it made the change is unknown")
      }
    }
  }

  func run(_ statement: Statement, _ fill: (inout pg_parameters) -> Void) throws(Failure) -> Answer {
    switch try attempt(statement, fill) {
    case .answered(let answer): return answer
    case .refused(let state): throw state.failure
    case .lost, .timedOut: throw SQLState(0).failure
    }
  }

  private func attempt(_ statement: Statement, _ fill: (inout pg_parameters) -> Void) throws(Failure) -> Outcome {
    var parameters = pg_parameters()
    fill(&parameters)
    return try run(repeatable: statement.isRepeatable) { (connection) throws(Failure) in
      try connection.run(statement.sql, parameters, options)
    }
  }

  /// Runs commands without parameters as one transaction.
  func run(script: StaticString) throws(Failure) -> Outcome {
    try run(repeatable: true) { (connection) throws(Failure) in try connection.run(script: script, options) }
  }

  // MARK: Store

  /// PostgreSQL's own limit on a value is 1 GiB.
  private static let largest = 1 << 28

  private static func check(_ data: Bytes) throws(Failure) {
    guard data.count <= largest else { throw .limit("a session has at most 256 MiB") }
  }

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let answer = try run(.load) {
      $0.text(key)
      $0.time(now)
    }
    guard answer.rows > 0 else { return nil }
    data.append(answer.text(0, 0))
    guard !data.failed else { throw .memory }
    return answer.time(0, 1)
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try PostgreSQLStore.check(data)
    return try run(.create) {
      $0.text(key)
      $0.text(data)
      $0.time(expires)
    }.changed == 1
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try PostgreSQLStore.check(data)
    let changed = try run(.replace) {
      $0.text(key)
      $0.text(data)
      $0.time(expires)
      $0.text(expected)
    }.changed
    if changed == 1 { return .replaced }
    return try run(.exists) { $0.text(key) }.rows > 0 ? .conflict : .absent
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    try run(.touch) {
      $0.text(key)
      $0.time(expires)
    }.changed == 1
  }

  func remove(_ key: Bytes) throws(Failure) { _ = try run(.remove) { $0.text(key) } }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    try PostgreSQLStore.check(data)
    _ = try run(.put) {
      $0.text(key)
      $0.text(data)
      $0.time(expires)
    }
  }

  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    var removed = 0
    // In small steps, so that nobody waits long for a row.
    while removed < limit {
      let step = min(limit &- removed, 500)
      let gone = try run(.sweep) {
        $0.time(now)
        $0.number(step)
      }.changed
      removed &+= gone
      if gone < step { break }
    }
    if limit > 0 { try sweepOwners() }
    return removed
  }
}
