import CTuile

/// An error's code (PostgreSQL's documentation, appendix A): five characters,
/// the first in the highest byte, 0 for none.
struct SQLState: Equatable {
  let code: UInt64

  init(_ code: UInt64) { self.code = code }

  init(_ text: StaticString) {
    var code: UInt64 = 0
    for i in Indices(text.count) {
      code = code &<< 8 | UInt64(text.start[i])
    }
    self.code = code
  }

  private func isIn(_ classes: StaticString) -> Bool {
    let known = Bytes(classes)
    var i = 0
    while i < known.count {
      if UInt64(known[i]) == code &>> 32, UInt64(known[i &+ 1]) == code &>> 24 & 0xFF { return true }
      i &+= 3
    }
    return false
  }

  static let tableExists = SQLState("42P07")
  static let noTable = SQLState("42P01")

  /// Another transaction was in the way: serialization failure, deadlock.
  var isContention: Bool { self == SQLState("40001") || self == SQLState("40P01") }

  /// The server's plan of a command is no good any more: it was dropped, made for
  /// another server behind a pooler, or the table has changed.
  var wantsPreparing: Bool {
    self == SQLState("26000") || self == SQLState("0A000") || self == SQLState("42P05")
  }

  /// A standby, or a server that has become one: the next connection may find
  /// the one that writes.
  var isReadOnly: Bool { self == SQLState("25006") }

  /// Somebody else was making the same table.
  var isRaceOfMakers: Bool {
    self == .tableExists || self == SQLState("42710") || self == SQLState("23505") || isContention
  }

  /// A feature or a class of operators that this server has not.
  var isNotThere: Bool { self == SQLState("0A000") || self == SQLState("42704") || self == SQLState("42601") }

  var failure: Failure {
    let status: tuile_status
    let message: StaticString
    if self == SQLState("57014") {
      (status, message) = (TUILE_E_STORE, "the session database took too long, and undid the command")
    } else if self == SQLState("40003") {
      (status, message) = (TUILE_E_UNKNOWN, "the session database does not know whether it made the change")
    } else if isContention || self == SQLState("55P03") {
      (status, message) = (TUILE_E_BUSY, "other transactions of the session database were in the way for too long")
    } else if wantsPreparing {
      (status, message) = (
        TUILE_E_STORE, "prepared commands get lost: behind a pooler of transactions the URL needs prepare=off"
      )
    } else if self == SQLState("42501") {
      (status, message) = (TUILE_E_STORE, "the user of the session database has not the right")
    } else if isIn("22:") && self != SQLState("22001") {
      (status, message) = (TUILE_E_STORE, "the session database refused the data: it is no text")
    } else if isIn("42:23:22:XX") {
      (status, message) = (TUILE_E_CORRUPT, "the table of sessions is damaged or not Django's")
    } else if isIn("54:") {
      (status, message) = (TUILE_E_LIMIT, "the session is too large for the database")
    } else {
      (status, message) = (TUILE_E_STORE, "the session database failed")
    }
    return Failure(status: status, message: message, detail: detail)
  }

  /// "SQLSTATE 53100": the database's own message may quote data.
  var detail: Failure.Detail? {
    guard code != 0 else { return nil }
    var text = ByteBuffer()
    text.append("SQLSTATE ")
    var shift: UInt64 = 40
    while shift > 0 {
      shift &-= 8
      text.append(UInt8(truncatingIfNeeded: code &>> shift))
    }
    return Failure.Detail(text.bytes)
  }
}
