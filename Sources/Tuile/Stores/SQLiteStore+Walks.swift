/// Walks in pages: between two of them nothing of the file is held, so that writers
/// go on and the log is emptied.
extension SQLiteStore {
  private static let page = 500

  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    var last = ByteBuffer()
    var rows = SQLiteStore.page
    while rows == SQLiteStore.page {
      var copies = OwnedCopies()
      rows = try reading { (connection) throws(Failure) in
        try connection.execute(.keys) {
          $0.text(1, last.bytes)
          $0.time(2, now)
          $0.integer(3, SQLiteStore.page)
        } row: { columns in
          // Expired ones too: the next page begins behind the last row.
          let lives = columns.integer(2) != 0
          copies.append(columns.text(0), Bytes(), lives ? columns.end(1) ?? now : .min)
        }
      }
      guard !copies.text.failed else { throw .memory }
      let goOn = copies.all { key, _, expires in
        last.removeAll()
        last.append(key)
        // Which of another framework's keys are sessions' is its layout's question.
        let isSession = settings.sessions.isLayouts || SessionKey.isValid(key)
        return expires == .min || !isSession || each(key, expires)
      }
      guard !last.failed else { throw .memory }
      guard goOn else { return }
    }
  }

  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    var last = Int.min
    var rows = SQLiteStore.page
    while rows == SQLiteStore.page {
      var copies = OwnedCopies()
      rows = try reading { (connection) throws(Failure) in
        guard try connection.hasOwners(make: false) else { return 0 }
        return try connection.execute(.owners) {
          $0.integer(1, last)
          $0.integer(2, SQLiteStore.page)
        } row: { columns in
          last = columns.integer(1)
          if columns.integer(2) == 0 { copies.append(columns.text(0), Bytes(), 0) }
        }
      }
      guard !copies.text.failed else { throw .memory }
      guard copies.all({ owner, _, _ in !Owner.isValid(owner) || each(owner) }) else { return }
    }
  }
}
