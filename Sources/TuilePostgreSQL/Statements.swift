import CPostgreSQL
import CTuile

extension SessionTable {
  /// Appends a template of a statement with this table's names, and a NUL. #r and #x are data
  /// and expiry as they are read, #v data as it is written, #0 any expiry.
  func write(_ template: Bytes, to out: inout ByteBuffer) {
    let now: StaticString
    switch time {
    case .zoned, .local: now = "clock_timestamp()"
    case .whole: now = "date_trunc('second', clock_timestamp())"
    case .utc: now = "(clock_timestamp() AT TIME ZONE 'UTC')"
    case .seconds: now = "floor(extract(epoch FROM clock_timestamp()))::bigint"
    }
    write(template, now: Bytes(now), to: &out) { mark, out in
      switch mark {
      case 0x72:
        out.append(data.bytes)
        if holds == .json { out.append("::text") }
      case 0x78:
        out.append(expires.bytes)
        if time == .local { out.append("::timestamptz") }
        if time == .seconds { out.append("::bigint") }
      case 0x30: out.append(time == .seconds ? "0" : "CURRENT_TIMESTAMP")
      default: out.append(holds == .json ? "$2::json" : "$2")
      }
    }
    out.append(0)
  }

  /// Whether the columns that `probe` found are such.
  func isFound(in answer: Answer) -> Bool {
    answer.isSessions(holds == .bytes ? PG_BYTES : PG_TEXT, form)
  }

  /// How times come and go.
  var form: pg_form {
    switch time {
    case .zoned, .whole, .local: return PG_ZONED_TIME
    case .utc: return PG_TIME
    case .seconds: return PG_NUMBER
    }
  }

  /// The end of the session of a row.
  func end(_ answer: Answer, _ row: Int, _ column: Int32) -> Int64 {
    guard time == .seconds else { return end(answer.time(row, column)) }
    let (microseconds, overflow) = answer.number(row, column).multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .max : end(microseconds)
  }
}

/// All statements on one table: each ends with a NUL.
final class Statements {
  private var text = ByteBuffer()
  /// Where each begins, by its number; behind them the scripts.
  private let starts: UnsafeMutablePointer<Int>
  private static let count = Statement.owners.rawValue &+ 1
  let table: SessionTable

  init(_ table: SessionTable) {
    self.table = table
    starts = .allocate(capacity: Statements.count &+ 3)
    var i = 0
    while i < Statements.count {
      starts[i] = text.count
      if let statement = Statement(rawValue: i) { table.write(Bytes(statement.template), to: &text) }
      i &+= 1
    }
    starts[i] = text.count
    table.write(Bytes(Schema.probe), to: &text)
    starts[i &+ 1] = text.count
    table.write(Bytes(Schema.probeKey), to: &text)
    starts[i &+ 2] = text.count
    table.write(Bytes(Schema.layoutTable), to: &text)
  }

  deinit { starts.deallocate() }

  private func at(_ place: Int) -> UnsafePointer<CChar>? {
    guard !text.failed else { return nil }
    return UnsafeRawPointer(text.bytes.dropFirst(starts[place]).start).assumingMemoryBound(to: CChar.self)
  }

  /// nil without memory.
  func sql(_ statement: Statement) -> UnsafePointer<CChar>? { at(statement.rawValue) }
  var probe: UnsafePointer<CChar>? { at(Statements.count) }
  var probeKey: UnsafePointer<CChar>? { at(Statements.count &+ 1) }
  var layoutTable: UnsafePointer<CChar>? { at(Statements.count &+ 2) }
}
