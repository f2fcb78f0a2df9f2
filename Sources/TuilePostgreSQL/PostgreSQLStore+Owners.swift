import CPostgreSQL
import CSystem
import CTuile

extension PostgreSQLStore {
  /// Whether there is a table of owners.
  func hasOwners() throws(Failure) -> Bool { try has(owners, Schema.hasOwners) }

  /// Whether there is a table of records. It is made before the first look, so that looking
  /// for a record is one command from then on, and no error in the server's log.
  func hasRecords() throws(Failure) -> Bool {
    if try has(records, Schema.hasRecords) { return true }
    if options.mode.makes { records.isKnown = try hasTable(Schema.probeRecords, Schema.records, Schema.records) }
    return records.isKnown
  }

  func has(_ table: OwnTable, _ query: StaticString) throws(Failure) -> Bool {
    if table.isKnown { return true }
    guard case .answered(let answer) = try run(script: query), answer.rows > 0 else { return false }
    table.isKnown = true
    return true
  }

  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    if !owners.isKnown {
      owners.isKnown =
        try options.mode.makes ? hasTable(Schema.probeOwners, Schema.owners, Schema.owners) : hasOwners()
      guard owners.isKnown else { throw .noTable }
    }
    _ = try run(.own) {
      $0.text(key)
      $0.text(owner)
      $0.text(record)
    }
  }

  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    guard try hasOwners() else { return }
    var last = ByteBuffer()
    while true {
      let answer = try run(.owned) {
        $0.text(owner)
        $0.time(now)
        $0.text(last.bytes)
        $0.number(PostgreSQLStore.page)
      }
      let rows = answer.rows
      for row in Indices(rows) {
        each(answer.text(row, 0), answer.text(row, 1), statements.table.end(answer, row, 2))
      }
      guard rows == PostgreSQLStore.page else { return }
      last.removeAll()
      last.append(answer.text(rows &- 1, 0))
      guard !last.failed else { throw .memory }
    }
  }

  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    guard try hasOwners() else { return false }
    let answer = try run(.ownedRecord) {
      $0.text(key)
      $0.text(owner)
    }
    guard answer.rows > 0 else { return false }
    record.append(answer.text(0, 0))
    guard !record.failed else { throw .memory }
    return true
  }

  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) {
    guard try hasOwners() else { return }
    _ = try run(.disown) {
      $0.text(key)
      $0.text(owner)
    }
  }

  /// Looks at the next entries, and removes those whose sessions are gone: each
  /// call goes on where the last one stopped, and starts again behind the end.
  func sweepOwners() throws(Failure) {
    guard try hasOwners() else { return }
    var from = ByteBuffer()
    owners.copyPosition(to: &from)
    let next = try run(.nextOwners) {
      $0.text(from.bytes)
      $0.number(PostgreSQLStore.page)
    }
    let rows = next.rows
    guard rows > 0 else { return owners.move(to: Bytes()) }
    let to = next.text(rows &- 1, 0)
    _ = try run(.sweepOwners) {
      $0.text(from.bytes)
      $0.text(to)
    }
    owners.move(to: rows == PostgreSQLStore.page ? to : Bytes())
  }
}
