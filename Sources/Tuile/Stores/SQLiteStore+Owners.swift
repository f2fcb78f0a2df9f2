import CSystem

/// Lists of owners in a table of our own beside Django's. A row counts only
/// while its session is there; sweeps remove the others.
extension SQLiteStore {
  var keepsOwners: Bool { true }

  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    try writing { (connection) throws(Failure) in
      guard try connection.hasOwners(make: true) else { throw .noTable }
      _ = try connection.execute(.own) {
        $0.text(1, key)
        $0.text(2, owner)
        $0.text(3, record)
      }
    }
  }

  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    var copies = OwnedCopies()
    try reading { (connection) throws(Failure) in
      guard try connection.hasOwners(make: false) else { return }
      _ = try connection.execute(.owned) {
        $0.text(1, owner)
        $0.time(2, now)
      } row: { columns in
        copies.append(columns.text(0), columns.text(1), columns.end(2) ?? now)
      }
    }
    guard !copies.text.failed else { throw .memory }
    copies.each(each)
  }

  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    var copy = ByteBuffer()
    var rows = 0
    try reading { (connection) throws(Failure) in
      guard try connection.hasOwners(make: false) else { return }
      rows = try connection.execute(.ownedRecord) {
        $0.text(1, key)
        $0.text(2, owner)
      } row: { columns in
        copy.append(columns.text(0))
      }
    }
    record.append(copy.bytes)
    guard !copy.failed, !record.failed else { throw .memory }
    return rows > 0
  }

  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) {
    try writing { (connection) throws(Failure) in
      guard try connection.hasOwners(make: false) else { return }
      _ = try connection.execute(.disown) {
        $0.text(1, key)
        $0.text(2, owner)
      }
    }
  }

  /// Rows that one step looks at, and steps of one sweep.
  private static let orphansStep = 500
  private static let orphansSteps = 16

  /// Looks at the next rows and removes those without a session.
  func sweepOwners() throws(Failure) {
    var from = 0
    orphansFrom {
      from = $0
      return $0
    }
    var pace = SweepPace()
    var steps = 0
    while steps < SQLiteStore.orphansSteps {
      let (last, gone) = try orphans(from: from)
      if gone > 0 {
        let began = sys_now_microseconds()
        try writing { (connection) throws(Failure) in
          _ = try connection.execute(.removeOrphans) {
            $0.integer(1, from)
            $0.integer(2, last)
          }
        }
        pace.pause(after: sys_now_microseconds() &- began)
      }
      from = last
      steps &+= 1
      // The end of the table.
      if last == 0 { break }
    }
    orphansFrom { _ in from }
  }

  /// The last of the next rows, 0 if there is none, and how many have no session.
  private func orphans(from: Int) throws(Failure) -> (last: Int, gone: Int) {
    var found = (last: 0, gone: 0)
    try reading { (connection) throws(Failure) in
      guard try connection.hasOwners(make: false) else { return }
      _ = try connection.execute(.orphans) {
        $0.integer(1, from)
        $0.integer(2, SQLiteStore.orphansStep)
      } row: { columns in
        found = (columns.integer(0), columns.integer(1))
      }
    }
    return found
  }
}
