import CPostgreSQL
import CTuile

/// A table of sessions: its name and its columns, quoted where they have to be.
struct SessionTable: ~Copyable {
  var name = ByteBuffer()
  /// Without quotes and schema.
  var bareName = ByteBuffer()
  var key = ByteBuffer()
  var data = ByteBuffer()
  var expires = ByteBuffer()
  /// The data is of type json, and the expiry a timestamp without time zone, which means
  /// what the connection's TimeZone says.
  var isLayouts = false

  static func djangos(_ table: StaticString) -> SessionTable {
    var made = SessionTable()
    made.name.append(table)
    made.key.append("session_key")
    made.data.append("session_data")
    made.expires.append("expire_date")
    return made
  }

  /// `name`, perhaps behind a schema and a dot, and `columns`, three with ',' between them.
  /// false: that can't be.
  mutating func takeLayouts(_ table: Bytes, _ columns: Bytes) -> Bool {
    isLayouts = true
    let dot = table.find(0x2E)
    let bare = dot < table.count ? table.dropFirst(dot &+ 1) : table
    if dot < table.count {
      guard SessionTable.quote(table.slice(0, dot), to: &name) else { return false }
      name.append(".")
    }
    bareName.append(bare)
    let first = columns.find(0x2C)
    let second = columns.find(0x2C, from: first &+ 1)
    return SessionTable.quote(bare, to: &name) && SessionTable.quote(columns.slice(0, first), to: &key)
      && SessionTable.quote(columns.slice(first &+ 1, second), to: &data)
      && SessionTable.quote(columns.dropFirst(second &+ 1), to: &expires)
  }

  /// A-Z, a-z, 0-9, _ and - alone, so that a name never ends its quotes.
  private static func quote(_ text: Bytes, to out: inout ByteBuffer) -> Bool {
    guard !text.isEmpty, text.count <= 63 else { return false }
    var i = 0
    while i < text.count {
      let c = text[i]
      guard c &- 0x61 < 26 || c &- 0x41 < 26 || c &- 0x30 < 10 || c == 0x5F || c == 0x2D else { return false }
      i &+= 1
    }
    out.append(0x22)
    out.append(text)
    out.append(0x22)
    return true
  }

  /// Appends a template of a statement with this table's names, and a NUL.
  func write(_ template: Bytes, to out: inout ByteBuffer) {
    var i = 0
    while i < template.count {
      guard template[i] == 0x23 else {
        out.append(template[i])
        i &+= 1
        continue
      }
      switch template[i &+ 1] {
      case 0x74: out.append(name.bytes)
      case 0x6E: out.append(bareName.bytes)
      case 0x6B: out.append(key.bytes)
      case 0x64: out.append(data.bytes)
      case 0x65: out.append(expires.bytes)
      case 0x72:
        out.append(data.bytes)
        if isLayouts { out.append("::text") }
      case 0x78:
        out.append(expires.bytes)
        if isLayouts { out.append("::timestamptz") }
      default: out.append(isLayouts ? "$2::json" : "$2")
      }
      i &+= 2
    }
    out.append(0)
  }
}

/// All statements on one table: each ends with a NUL.
final class Statements {
  private var text = ByteBuffer()
  /// Where each begins, by its number; behind them the scripts.
  private let starts: UnsafeMutablePointer<Int>
  private static let count = Statement.owners.rawValue &+ 1

  init(_ table: borrowing SessionTable) {
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
