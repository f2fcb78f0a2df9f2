import CTuile

extension PostgreSQLStore {
  private var notDjangos: Failure {
    Failure(
      status: TUILE_E_CORRUPT,
      message: hasLayout
        ? "the table of sessions is not the layout's" : "the table django_session is not Django's")
  }

  /// Makes Django's table if there is none, or connect-pg-simple's, which its documentation
  /// has; and looks whether it is such a table.
  func setUp() throws(Failure) {
    let makes = options.mode.makes && (!hasLayout || statements.table.holds == .json)
    let (made, plain) =
      hasLayout
      ? (statements.layoutTable, statements.layoutTable) : (Schema.sessions.cString, Schema.sessionsPlain.cString)
    if makes, try !hasTable(statements.probe, made, plain) { throw notDjangos }
    switch try run(script: statements.probe) {
    case .answered(let answer) where statements.table.isFound(in: answer): break
    case .refused(.noTable) where hasLayout && !makes && options.mode.makes:
      throw Failure(
        status: TUILE_E_STORE, message: "the layout's table is not there: its framework makes it",
        detail: Failure.Detail(statements.table.bareName.bytes))
    case .refused(.noTable): throw .noTable
    case .refused(let state) where !makes: throw state.failure
    default: throw notDjangos
    }
    // Who reads needs no right to write.
    guard options.mode.writes else { return }
    if case .refused(let state) = try run(script: statements.probeKey) { throw state.failure }
  }

  /// Whether `probe` finds the table, made with `script`, or with `plain` where the
  /// server knows less, if it was not there.
  func hasTable(_ probe: StaticString, _ script: StaticString, _ plain: StaticString) throws(Failure) -> Bool {
    try hasTable(probe.cString, script.cString, plain.cString)
  }

  private func hasTable(
    _ probe: UnsafePointer<CChar>?, _ script: UnsafePointer<CChar>?, _ plain: UnsafePointer<CChar>?
  ) throws(Failure) -> Bool {
    guard case .refused(let missing) = try run(script: probe) else { return true }
    guard missing == .noTable else { throw missing.failure }
    var made = try run(script: script)
    if case .refused(let state) = made, state.isNotThere { made = try run(script: plain) }
    if case .refused(let state) = made, !state.isRaceOfMakers { throw state.failure }
    if case .answered = try run(script: probe) { return true }
    return false
  }
}

extension Failure {
  /// For a table that only `mode=rwc` makes.
  static var noTable: Failure {
    Failure(
      status: TUILE_E_STORE,
      message: "a table that this needs is not there, and the store's URL does not say mode=rwc")
  }
}
