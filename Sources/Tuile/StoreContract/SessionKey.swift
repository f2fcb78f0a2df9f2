/// A session's key, Django's: 32 characters of a-z and 0-9 when made here.
enum SessionKey {
  static let size = 32
  static let alphabet: StaticString = "abcdefghijklmnopqrstuvwxyz0123456789"

  /// What a client may send: 8 characters, as in Django, to 40, as in its table,
  /// of the alphabet alone, so that nothing else ever reaches a store.
  static func isValid(_ key: Bytes) -> Bool {
    key.count >= 8 && key.count <= 40 && isText(key)
  }

  /// What any layout's key may be: it can stand in a name of a file, in a command and in a
  /// cookie, and is no record's.
  static func isSafe(_ key: Bytes) -> Bool {
    guard !key.isEmpty, key.count <= longest else { return false }
    var i = 0
    while i < key.count {
      let c = key[i]
      guard c &- 0x61 < 26 || c &- 0x41 < 26 || c &- 0x30 < 11 || c == 0x2D || c == 0x5F || c == 0x2C else {
        return false
      }
      i &+= 1
    }
    return true
  }

  static let longest = 256

  private static func isText(_ key: Bytes) -> Bool {
    for i in Indices(key.count) {
      guard key[i] &- UInt8(ascii: "a") < 26 || key[i] &- UInt8(ascii: "0") < 10 else { return false }
    }
    return true
  }

  /// The key of a record: what is ours and is no session, such as that one was revoked.
  /// `~` and 7 to 39 characters more, so that no ID of a session spells it. Stores
  /// keep records apart from sessions, and give none of them in a walk.
  static func isRecord(_ key: Bytes) -> Bool {
    key[0] == UInt8(ascii: "~") && key.count >= 8 && key.count <= 40 && isText(key.dropFirst(1))
  }

  static func make(in arena: inout Arena) throws(Failure) -> Bytes {
    guard let room = arena.take(size) else { throw .memory }
    try fill(room)
    return Bytes(room, size)
  }

  static func fill(_ room: UnsafeMutablePointer<UInt8>) throws(Failure) {
    try Random.characters(of: alphabet, room, count: size)
  }
}
