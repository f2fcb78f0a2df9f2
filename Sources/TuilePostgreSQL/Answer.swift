import CPostgreSQL
import CTuile

/// What a command answered, whether or not its connection is still there.
final class Answer {
  private let pointer: OpaquePointer

  init(_ pointer: OpaquePointer) { self.pointer = pointer }

  deinit { pg_answer_free(pointer) }

  var state: SQLState { SQLState(pg_answer_state(pointer)) }
  var rows: Int { Int(pg_answer_rows(pointer)) }
  var changed: Int { Int(pg_answer_changed(pointer)) }
  /// Whether the columns are a key, data and times in such forms.
  func isSessions(_ data: pg_form, _ times: pg_form) -> Bool { pg_answer_is_sessions(pointer, data, times) }

  /// Borrowed from the answer; empty where there is none.
  func text(_ row: Int, _ column: Int32) -> Bytes {
    var size = 0
    guard row < rows, let start = pg_answer_text(pointer, Int32(truncatingIfNeeded: row), column, &size)
    else { return Bytes() }
    return Bytes(start, size)
  }

  func number(_ row: Int, _ column: Int32) -> Int64 {
    pg_answer_number(pointer, Int32(truncatingIfNeeded: row), column)
  }

  func time(_ row: Int, _ column: Int32) -> Int64 { pg_answer_time(pointer, Int32(truncatingIfNeeded: row), column) }
}

/// What a statement on a table of sessions gets.
struct Parameters {
  let table: SessionTable
  private(set) var all = pg_parameters()

  init(table: SessionTable) { self.table = table }

  mutating func text(_ bytes: Bytes) { pg_add_text(&all, bytes.start, bytes.count) }
  mutating func number(_ number: Int) { pg_add_number(&all, Int64(number)) }

  mutating func data(_ bytes: Bytes) {
    if table.holds == .bytes {
      pg_add_bytes(&all, bytes.start, bytes.count)
    } else {
      text(bytes)
    }
  }

  /// Unix microseconds, to be compared with the column of the expiry, or stored in it.
  mutating func time(_ microseconds: Int64) {
    let stored = table.stored(microseconds)
    switch table.form {
    case PG_NUMBER: pg_add_number(&all, stored / 1_000_000)
    case PG_TIME: pg_add_time(&all, stored)
    default: pg_add_zoned_time(&all, stored)
    }
  }
}
