import CSystem

/// A script that the server keeps under its SHA-1; sent whole where it does not.
struct RedisScript {
  private let text: StaticString
  private let name: CText

  init(_ text: StaticString) {
    self.text = text
    let room = UnsafeMutablePointer<UInt8>.allocate(capacity: 20)
    defer { room.deallocate() }
    let source = Bytes(text)
    sys_digest_of(SYS_SHA1, source.start, source.count, room)
    var hex = ByteBuffer()
    Hex.encode(Bytes(room, 20), to: &hex)
    name = CText(hex.bytes)
  }

  /// Begins the command, with its one key.
  func add(to connection: RedisConnection, _ whole: Bool, _ key: Bytes) {
    connection.command(whole ? "EVAL" : "EVALSHA")
    connection.add(whole ? Bytes(text) : name.bytes)
    connection.add(1)
    connection.add(key)
  }
}
