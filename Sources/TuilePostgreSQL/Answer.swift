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
  /// Whether the columns are those of Django's table.
  var isSessions: Bool { pg_answer_is_sessions(pointer) }

  /// Borrowed from the answer; empty where there is none.
  func text(_ row: Int, _ column: Int32) -> Bytes {
    var size = 0
    guard row < rows, let start = pg_answer_text(pointer, Int32(truncatingIfNeeded: row), column, &size)
    else { return Bytes() }
    return Bytes(start, size)
  }

  func time(_ row: Int, _ column: Int32) -> Int64 { pg_answer_time(pointer, Int32(truncatingIfNeeded: row), column) }
}

extension pg_parameters {
  mutating func text(_ bytes: Bytes) { pg_add_text(&self, bytes.start, bytes.count) }
  mutating func time(_ microseconds: Int64) { pg_add_time(&self, microseconds) }
  mutating func number(_ number: Int) { pg_add_number(&self, Int64(number)) }
}
