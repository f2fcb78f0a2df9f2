/// What a browser's session is called: all that a refresh has to know, sealed, so that the
/// server keeps nothing and what the browser stores gives no session ID away.
///
///     version 1 ‖ algorithm 1 ‖ size 2 ‖ ID before ‖ size 2 ‖ ID ‖ key
struct DeviceIdentifier {
  private static let version: UInt8 = 1

  /// The ID that the session had until it was bound. Whoever has that has nothing.
  let before: Bytes
  /// The one that it was given then.
  let id: Bytes
  let key: DeviceKey
  /// When it was bound, in Unix seconds.
  var time: Int64 = 0

  init(before: Bytes, id: Bytes, key: DeviceKey) {
    self.before = before
    self.id = id
    self.key = key
  }

  func write(_ secrets: DeviceSecrets, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    text.append(DeviceIdentifier.version)
    text.append(key.algorithm.rawValue)
    DeviceIdentifier.append(before, to: &text)
    DeviceIdentifier.append(id, to: &text)
    text.append(key.form)
    guard !text.failed else { throw .memory }
    try secrets.seal(text.bytes, now: now, to: &out)
  }

  /// Reads one; what it holds is in `room`. nil: it is none of ours.
  init?(_ text: Bytes, _ secrets: DeviceSecrets, in room: inout ByteBuffer) throws(Failure) {
    room.removeAll()
    guard let time = try secrets.open(text, to: &room) else { return nil }
    let plain = room.bytes
    guard plain[0] == DeviceIdentifier.version, let algorithm = DeviceKey.Algorithm(rawValue: plain[1]) else {
      return nil
    }
    let before = DeviceIdentifier.part(plain, at: 2)
    let id = DeviceIdentifier.part(plain, at: 4 &+ before.count)
    let rest = plain.dropFirst(6 &+ before.count &+ id.count)
    self.init(before: before, id: id, key: DeviceKey(algorithm, form: rest))
    self.time = time
  }

  private static func append(_ part: Bytes, to out: inout ByteBuffer) {
    out.append(UInt8(truncatingIfNeeded: part.count &>> 8))
    out.append(UInt8(truncatingIfNeeded: part.count))
    out.append(part)
  }

  private static func part(_ text: Bytes, at from: Int) -> Bytes {
    let size = Int(text[from]) &<< 8 | Int(text[from &+ 1])
    return text.slice(from &+ 2, from &+ 2 &+ size)
  }
}
