import CTuile

/// The statements on one session, or record.
extension SQLiteConnection {
  /// Lends `take` the data; the expiry, or nil.
  func load(_ key: Bytes, now: Int64, _ take: (Bytes) -> Void) throws(Failure) -> Int64? {
    let isRecord = SessionKey.isRecord(key)
    guard try isReady(.load, onRecords: isRecord) else { return nil }
    var expires: Int64?
    _ = try execute(.load, onRecords: isRecord) {
      $0.text(1, key)
      $0.time(2, now)
    } row: { columns in
      take(columns.data(0))
      expires = columns.end(1) ?? now
    }
    return expires
  }

  /// `.create` or `.put`; how many rows were written.
  func insert(_ statement: Statement, _ key: Bytes, _ data: Bytes, _ expires: Int64) throws(Failure) -> Int {
    let isRecord = SessionKey.isRecord(key)
    if isRecord {
      guard try hasRecords(statement, make: true) else { throw .noTable }
    }
    return try execute(statement, onRecords: isRecord) {
      $0.text(1, key)
      $0.data(2, data)
      $0.time(3, expires)
    }
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    let isRecord = SessionKey.isRecord(key)
    guard try isReady(.replace, onRecords: isRecord), try isReady(.exists, onRecords: isRecord) else { return .absent }
    let changed = try execute(.replace, onRecords: isRecord) {
      $0.text(1, key)
      $0.data(2, data)
      $0.time(3, expires)
      $0.data(4, expected)
    }
    if changed == 1 { return .replaced }
    return try execute(.exists, onRecords: isRecord) { $0.text(1, key) } == 1 ? .conflict : .absent
  }
}
