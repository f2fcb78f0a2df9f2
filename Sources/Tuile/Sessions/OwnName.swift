/// The names in a session's data that are the library's own: hosts are not shown
/// them, so that data which is carried to another session takes none along, and do
/// not set them. `_session_expiry` is Django's and shows, as it does there.
enum OwnName {
  static func contains(_ name: Bytes) -> Bool {
    guard name[0] == UInt8(ascii: "_") else { return false }
    return limits(name) || name == Bytes(Session.ownerName) || name == Bytes(Session.issuedName)
      || name == Bytes(Session.pointer) || name == Bytes(Session.until)
  }

  /// What ends a session whatever its host does with the data: when, and by which name
  /// its copies are revoked. Clearing the data leaves it.
  static func limits(_ name: Bytes) -> Bool {
    name == Bytes(Session.endsName) || name == Bytes(Session.idName) || name == Bytes(Session.sinceName)
  }

}

extension SessionData {
  /// Whether a name is the library's own, or of the framework whose session this is.
  func hides(_ name: Bytes) -> Bool { OwnName.contains(name) || layout?.hides(name) ?? false }

  func refuse(_ name: Bytes) throws(Failure) {
    guard !OwnName.contains(name) else { throw .argument("a name that the library keeps for itself can't be set") }
    guard !(layout?.hides(name) ?? false) else {
      throw .argument("a name that the layout's framework keeps for itself can't be set")
    }
  }

  /// No name here is hidden, as in most sessions.
  var hidesNothing: Bool { !entries.hasReserved && layout == nil }

  /// The value of a name that is the host's.
  func shown(_ name: Bytes) -> Bytes? {
    guard hidesNothing || !hides(name) else { return nil }
    return value(of: name)
  }

  /// How many values are the host's.
  var shownCount: Int {
    var count = entries.liveCount
    guard !hidesNothing else { return count }
    for i in Indices(entries.count) {
      if entries[i].live, hides(entries[i].name) { count &-= 1 }
    }
    return count
  }
}
