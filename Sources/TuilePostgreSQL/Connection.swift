import CPostgreSQL
import CSystem
import CTuile

/// How a command ended.
enum Outcome {
  case answered(Answer)
  /// The server is ready for the next command, and undid this one.
  case refused(SQLState)
  /// The connection broke, perhaps after the command was executed.
  case lost(SQLState)
  /// It broke before the command was sent.
  case notSent
  case timedOut
}

/// One connection, for one thread at a time.
final class Connection: PooledConnection {
  private let link: OpaquePointer
  var next: Connection?
  var since: Int64 = 0
  private let generation = sys_fork_generation()
  private var isAbandoned = false
  private let timeout: Int32
  private var cancelledAt: Int64 = 0
  /// Nobody has used it yet.
  private(set) var isFresh = true

  private init(_ link: OpaquePointer, timeout: Int32) {
    self.link = link
    self.timeout = timeout
  }

  deinit {
    guard !isAbandoned else { return }
    generation == sys_fork_generation() ? pg_link_close(link) : pg_link_abandon(link)
  }

  func isUsable() -> Bool { pg_link_is_quiet(link) }
  func answers() -> Bool { pg_link_answers(link, timeout) }

  /// Has the server end what was given up.
  func cancel() {
    cancelledAt = pg_now()
    pg_link_cancel(link)
  }

  /// A request to cancel that reaches the server before the command does is lost: it is made
  /// again each second.
  func isSettled() -> Bool {
    if pg_link_is_settled(link) { return true }
    if pg_now() &- cancelledAt > 1000 { cancel() }
    return false
  }

  func abandon() {
    isAbandoned = true
    pg_link_abandon(link)
  }

  /// Connects to the first server that answers within `limit` milliseconds; within `most`, if
  /// there is one server, and it is on this machine, where nothing can be lost on the way.
  static func open(
    _ settings: OpaquePointer, _ options: borrowing PostgreSQLOptions, _ limit: Int64, most: Int64
  ) throws(ConnectFailure) -> Connection {
    var last = ConnectFailure(failure: .memory, mayPass: false)
    let servers = pg_settings_servers(settings)
    for server in Indices(servers) {
      do throws(ConnectFailure) {
        return try open(settings, server, options, limit, servers == 1 ? most : limit)
      } catch {
        last = error
      }
    }
    throw last
  }

  private static func open(
    _ settings: OpaquePointer, _ server: Int, _ options: borrowing PostgreSQLOptions, _ limit: Int64, _ most: Int64
  ) throws(ConnectFailure) -> Connection {
    var link: OpaquePointer?
    var failure = Failure.memory
    var outcome = PG_MEMORY
    let began = pg_now()
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PG_MESSAGE)) { message in
      guard let start = message.baseAddress else { return }
      outcome = pg_link_open(settings, server, Int32(clamping: limit), Int32(clamping: most), &link, start)
      if outcome == PG_TIMED_OUT {
        failure = Connection.late
      } else if outcome == PG_LOST {
        failure = Failure(
          status: TUILE_E_STORE, message: "the session database can't be reached", detail: Failure.Detail(start))
      }
    }
    guard outcome == PG_DONE, let link else { throw ConnectFailure(failure: failure, mayPass: outcome != PG_MEMORY) }
    let connection = Connection(link, timeout: options.limits.timeout)
    try connection.limitCommands(options, until: began &+ most)
    return connection
  }

  /// Lets the server give up a little before we do, so that what it had no time
  /// for is undone and does not happen later. Not behind a pooler, where the
  /// setting would stay with others.
  private func limitCommands(_ options: borrowing PostgreSQLOptions, until: Int64) throws(ConnectFailure) {
    guard options.prepare else { return }
    var sql = ByteBuffer()
    sql.append("SET statement_timeout = ")
    Numbers.writeDecimal(max(1, Int64(options.limits.timeout) &- Int64(options.limits.timeout) / 8), to: &sql)
    sql.append(0)
    guard !sql.failed else { throw ConnectFailure(failure: .memory, mayPass: false) }
    let start = UnsafeRawPointer(sql.bytes.start).assumingMemoryBound(to: CChar.self)
    var answer: OpaquePointer?
    let outcome = pg_run_script(link, start, Int32(truncatingIfNeeded: until &- pg_now()), &answer)
    pg_answer_free(answer)
    guard outcome == PG_DONE || outcome == PG_REFUSED else {
      throw ConnectFailure(
        failure: Connection.late, mayPass: outcome != PG_MEMORY)
    }
  }

  private static var late: Failure {
    Failure(status: TUILE_E_STORE, message: "connecting to the session database: no answer in time")
  }

  /// The text ends with a NUL.
  func run(
    _ sql: UnsafePointer<CChar>, _ parameters: pg_parameters, _ options: borrowing PostgreSQLOptions
  ) throws(Failure) -> Outcome {
    var parameters = parameters
    var answer: OpaquePointer?
    defer { isFresh = false }
    return try outcome(
      pg_run(link, sql, &parameters, options.prepare, options.limits.timeout, &answer), answer)
  }

  func run(script: UnsafePointer<CChar>, _ options: borrowing PostgreSQLOptions) throws(Failure) -> Outcome {
    var answer: OpaquePointer?
    defer { isFresh = false }
    return try outcome(pg_run_script(link, script, options.limits.timeout, &answer), answer)
  }

  private func outcome(_ outcome: pg_outcome, _ pointer: OpaquePointer?) throws(Failure) -> Outcome {
    let answer = pointer.map { Answer($0) }
    switch outcome {
    case PG_DONE:
      guard let answer else { return .lost(SQLState(0)) }
      return .answered(answer)
    case PG_REFUSED:
      // An error of libpq's own, such as that memory ran out for the answer, has no state.
      guard let state = answer?.state, state.code != 0 else { return .lost(SQLState(0)) }
      return .refused(state)
    case PG_NOT_SENT: return .notSent
    case PG_TIMED_OUT: return .timedOut
    case PG_MEMORY: throw .memory
    default: return .lost(answer?.state ?? SQLState(0))
    }
  }
}

/// Why there is no connection, and whether trying again soon makes sense.
struct ConnectFailure: Error {
  let failure: Failure
  let mayPass: Bool
}
