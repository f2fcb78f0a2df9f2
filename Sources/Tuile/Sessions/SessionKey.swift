/// A session's key, Django's: 32 characters of a-z and 0-9 when made here.
enum SessionKey {
  static let size = 32

  /// What a client may send: 8 characters, as in Django, to 40, as in its table,
  /// of the alphabet alone, so that nothing else ever reaches a store.
  static func isValid(_ key: Bytes) -> Bool {
    guard key.count >= 8, key.count <= 40 else { return false }
    var i = 0
    while i < key.count {
      guard key[i] &- 0x61 < 26 || key[i] &- 0x30 < 10 else { return false }
      i &+= 1
    }
    return true
  }

  static func make(in arena: inout Arena) throws(Failure) -> Bytes {
    guard let room = arena.take(size) else { throw .memory }
    try fill(room)
    return Bytes(room, size)
  }

  static func fill(_ room: UnsafeMutablePointer<UInt8>) throws(Failure) {
    try Random.characters(of: "abcdefghijklmnopqrstuvwxyz0123456789", room, count: size)
  }
}
