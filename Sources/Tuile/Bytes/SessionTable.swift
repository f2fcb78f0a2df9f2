import CTuile

/// How a table of sessions looks: Django's, or another framework's, as the options `table`
/// and `columns` of the store's URL say, which a layout writes:
///
///     columns=session_id:key,payload:text,last_activity:seconds-7200,made_at:made
///
/// Each column has a name and what it holds. The expiry, less a lifetime in seconds where it
/// says when the session was last used, is one of `Time`; `written` is the time of each
/// write, `made` that of the first, both in the expiry's form.
final class SessionTable {
  enum Data { case text, bytes, json }

  enum Time {
    /// With time zone, as Django has it; `whole` in whole seconds.
    case zoned, whole
    /// Without: what the connection's TimeZone says, or UTC with six digits.
    case local, utc
    /// Unix time.
    case seconds
  }

  /// All names are quoted where they have to be.
  private(set) var name = ByteBuffer()
  /// Without quotes and schema.
  private(set) var bareName = ByteBuffer()
  private(set) var key = ByteBuffer()
  private(set) var data = ByteBuffer()
  private(set) var expires = ByteBuffer()
  /// Empty: there is none.
  private(set) var written = ByteBuffer()
  private(set) var made = ByteBuffer()
  private(set) var holds = Data.text
  private(set) var time = Time.zoned
  /// Microseconds between what the column of the expiry says and the end of the session.
  private(set) var lifetime: Int64 = 0
  private(set) var isLayouts = false

  static func djangos(_ table: StaticString) throws(Failure) -> SessionTable {
    let made = SessionTable()
    made.name.append(table)
    made.bareName.append(table)
    made.key.append("session_key")
    made.data.append("session_data")
    made.expires.append("expire_date")
    guard !made.isOutOfMemory else { throw .memory }
    return made
  }

  /// As the options of a store's URL say; without them Django's.
  static func of(_ table: Bytes, _ columns: Bytes, schemas: Bool) throws(Failure) -> SessionTable {
    guard !table.isEmpty || !columns.isEmpty else { return try djangos("django_session") }
    let made = SessionTable()
    let isKnown = made.take(table, columns, schemas: schemas)
    guard !made.isOutOfMemory else { throw .memory }
    guard isKnown else {
      throw .syntax("the table of the store's URL has no name that a layout's table has: A-Z, a-z, 0-9, _ and -")
    }
    return made
  }

  /// A name that lacks would make another statement.
  private var isOutOfMemory: Bool {
    name.failed || bareName.failed || key.failed || data.failed || expires.failed || written.failed || made.failed
  }

  /// `table` may have a schema and a dot in front if there are `schemas`; false: that can't be.
  private func take(_ table: Bytes, _ columns: Bytes, schemas: Bool) -> Bool {
    isLayouts = true
    let dot = schemas ? table.find(0x2E) : table.count
    let bare = dot < table.count ? table.dropFirst(dot &+ 1) : table
    if dot < table.count {
      guard SessionTable.quote(table.slice(0, dot), to: &name) else { return false }
      name.append(".")
    }
    bareName.append(bare)
    guard SessionTable.quote(bare, to: &name) else { return false }
    var from = 0
    while from < columns.count {
      let end = min(columns.find(0x2C, from: from), columns.count)
      guard take(columns.slice(from, end)) else { return false }
      from = end &+ 1
    }
    return key.count > 0 && data.count > 0 && expires.count > 0
  }

  /// NAME:WHAT or NAME:TIME-LIFETIME.
  private func take(_ column: Bytes) -> Bool {
    let colon = column.find(0x3A)
    guard colon < column.count else { return false }
    let name = column.slice(0, colon)
    let said = column.dropFirst(colon &+ 1)
    let dash = min(said.find(0x2D), said.count)
    let what = said.slice(0, dash)
    switch what {
    case _ where what == Bytes("key"): return SessionTable.quote(name, to: &key)
    case _ where what == Bytes("written"): return SessionTable.quote(name, to: &written)
    case _ where what == Bytes("made"): return SessionTable.quote(name, to: &made)
    case _ where what == Bytes("text"): holds = .text
    case _ where what == Bytes("bytes"): holds = .bytes
    case _ where what == Bytes("json"): holds = .json
    case _ where what == Bytes("zoned"): time = .zoned
    case _ where what == Bytes("whole"): time = .whole
    case _ where what == Bytes("local"): time = .local
    case _ where what == Bytes("utc"): time = .utc
    case _ where what == Bytes("seconds"): time = .seconds
    default: return false
    }
    if what == Bytes("text") || what == Bytes("bytes") || what == Bytes("json") {
      return SessionTable.quote(name, to: &data)
    }
    if dash < said.count {
      guard let seconds = Numbers.read(said.dropFirst(dash &+ 1), base: 10), seconds >= 0, seconds < 1 << 40 else {
        return false
      }
      lifetime = seconds &* 1_000_000
    }
    return SessionTable.quote(name, to: &expires)
  }

  /// A-Z, a-z, 0-9, _ and - alone, so that a name never ends its quotes; each column is said once.
  private static func quote(_ text: Bytes, to out: inout ByteBuffer) -> Bool {
    guard !text.isEmpty, text.count <= 63, out.count == 0 || out.bytes[out.count &- 1] == 0x2E else { return false }
    var i = 0
    while i < text.count {
      let c = text[i]
      guard c &- 0x61 < 26 || c &- 0x41 < 26 || c &- 0x30 < 10 || c == 0x5F || c == 0x2D else { return false }
      i &+= 1
    }
    out.append(0x22)
    out.append(text)
    out.append(0x22)
    return !out.failed
  }

  // MARK: Times

  /// What the column has for an end, in Unix microseconds: whole seconds where it has no others.
  func stored(_ expires: Int64) -> Int64 {
    let (used, overflow) = expires.subtractingReportingOverflow(lifetime)
    guard !overflow else { return .min }
    guard time == .seconds || time == .whole else { return used }
    let seconds = SessionTable.seconds(used)
    // What the frameworks' columns hold: 32 bits.
    return (time == .seconds ? max(Int64(Int32.min), min(Int64(Int32.max), seconds)) : seconds) &* 1_000_000
  }

  /// The end for what the column has.
  func end(_ stored: Int64) -> Int64 {
    let (end, overflow) = stored.addingReportingOverflow(lifetime)
    return overflow ? .max : end
  }

  /// Rounded down.
  static func seconds(_ microseconds: Int64) -> Int64 {
    microseconds / 1_000_000 &- (microseconds % 1_000_000 < 0 ? 1 : 0)
  }

  // MARK: Statements

  /// Appends a template of a statement with this table's names: #t is the table, #n its name
  /// without quotes, #k, #d and #e its columns of keys, data and expiries. #m and #w stand
  /// behind the names of columns to insert, and their values; #u behind what an update sets.
  /// All other marks are the database's, and `other` appends them.
  func write(_ template: Bytes, now: Bytes, to out: inout ByteBuffer, other: (UInt8, inout ByteBuffer) -> Void) {
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
      case 0x6D:
        writeListed(written.bytes, written.count, to: &out)
        writeListed(made.bytes, made.count, to: &out)
      case 0x77:
        writeListed(now, written.count, to: &out)
        writeListed(now, made.count, to: &out)
      case 0x75:
        writeListed(written.bytes, written.count, to: &out)
        if written.count > 0 {
          out.append(" = ")
          out.append(now)
        }
      default: other(template[i &+ 1], &out)
      }
      i &+= 2
    }
  }

  private func writeListed(_ text: Bytes, _ count: Int, to out: inout ByteBuffer) {
    guard count > 0 else { return }
    out.append(", ")
    out.append(text)
  }
}
