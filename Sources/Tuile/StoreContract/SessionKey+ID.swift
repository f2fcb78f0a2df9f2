extension SessionKey {
  static let idSize = 32

  /// Hex digits that tell sessions apart and nothing of their keys; how many.
  static func writeID(of key: Bytes, to room: UnsafeMutablePointer<UInt8>) -> Int {
    var text = ByteBuffer()
    text.append("tuile session id\0")
    text.append(key)
    var hex = ByteBuffer()
    let digest = UnsafeMutablePointer<UInt8>.allocate(capacity: Digest.largest)
    defer { digest.deallocate() }
    Digest.sha256.hash(text.bytes, to: digest)
    Hex.encode(Bytes(digest, idSize / 2), to: &hex)
    room.copy(hex.bytes)
    return idSize
  }
}
