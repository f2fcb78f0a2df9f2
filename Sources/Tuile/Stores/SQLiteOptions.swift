/// What a URL sqlite:///path?options says.
struct SQLiteOptions: ~Copyable, StoreOptions {
  /// How long a call waits for other writers: `busy`, in milliseconds.
  var busyMilliseconds: Int32 = 5000
  /// `synchronous=full`: a commit survives power loss; else only kill -9.
  var synchronousFull = false
  /// `mode`: what opening may do to the file.
  var mode = StoreMode.unsaid
  /// A layout's table and columns; empty: Django's.
  var table = ByteBuffer()
  var columns = ByteBuffer()

  static let known: StaticString = "busy, synchronous (normal, full), mode (ro, rw, rwc)"

  mutating func take(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("busy") {
      busyMilliseconds = Int32(truncatingIfNeeded: try option.number(0...600_000))
    } else if option.name == Bytes("synchronous"), option.value == Bytes("full") || option.value == Bytes("normal") {
      synchronousFull = option.value == Bytes("full")
    } else if let said = StoreMode(option) {
      mode = said
    } else if option.name == Bytes("table") {
      table.removeAll()
      try URLText.decode(option.value, to: &table)
    } else if option.name == Bytes("columns") {
      columns.removeAll()
      try URLText.decode(option.value, to: &columns)
    } else {
      return false
    }
    return true
  }
}

extension SQLiteStore {
  static let scheme: StaticString = "sqlite://"

  static func open(_ url: Bytes) throws(Failure) -> SQLiteStore {
    var path = ByteBuffer()
    let query = try StoreURL.path(url, after: scheme, to: &path)
    var options = SQLiteOptions()
    try options.read(query, at: url.count &- query.count)
    let sessions = try SessionTable.of(options.table.bytes, options.columns.bytes, schemas: false)
    let records = try SessionTable.djangos("tuile_session_record")
    if options.mode == .unsaid, StoreURL.isInRoot(path.bytes) {
      throw .syntax(
        "the path of a store's URL begins at /, and this one names a file in / itself: write the whole path, or add mode=rwc",
        at: scheme.count)
    }
    try Forks.prepare()
    let settings = SQLiteSettings(
      busyMilliseconds: options.busyMilliseconds, synchronousFull: options.synchronousFull, mode: options.mode,
      sessions: sessions, records: records)
    return try SQLiteStore(path: path, settings: settings)
  }
}

/// What the connections of a store share.
final class SQLiteSettings {
  let busyMilliseconds: Int32
  let synchronousFull: Bool
  let mode: StoreMode
  let sessions: SessionTable
  /// Of records, beside them.
  let records: SessionTable

  init(
    busyMilliseconds: Int32, synchronousFull: Bool, mode: StoreMode, sessions: SessionTable, records: SessionTable
  ) {
    self.busyMilliseconds = busyMilliseconds
    self.synchronousFull = synchronousFull
    self.mode = mode
    self.sessions = sessions
    self.records = records
  }

  func table(onRecords: Bool) -> SessionTable { onRecords ? records : sessions }
  /// Whether opening makes the file and Django's table, and sets the file up for them.
  var makes: Bool { mode.makes && !sessions.isLayouts }
}
