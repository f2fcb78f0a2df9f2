import CPostgreSQL

/// Walks in pages, each a command of its own that holds nothing afterwards.
extension PostgreSQLStore {
  static let page = 500

  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    try pages(.keys) { answer, row in
      let (key, expires) = (answer.text(row, 0), statements.table.end(answer, row, 1))
      // Which of another framework's keys are sessions' is its layout's question.
      return expires <= now || !hasLayout && !SessionKey.isValid(key) || each(key, expires)
    }
  }

  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    guard try hasOwners() else { return }
    try pages(.owners) { answer, row in each(answer.text(row, 0)) }
  }

  /// Each row of a statement that goes on behind the first column of its last row.
  private func pages(_ statement: Statement, _ each: (Answer, Int) -> Bool) throws(Failure) {
    var last = ByteBuffer()
    while true {
      let answer = try run(statement) {
        $0.text(last.bytes)
        $0.number(PostgreSQLStore.page)
      }
      let rows = answer.rows
      for row in Indices(rows) {
        guard each(answer, row) else { return }
      }
      guard rows == PostgreSQLStore.page else { return }
      last.removeAll()
      last.append(answer.text(rows &- 1, 0))
      guard !last.failed else { throw .memory }
    }
  }
}
