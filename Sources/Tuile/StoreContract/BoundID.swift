/// The form of a session ID that says its session is bound to a device. The ID itself says it,
/// since data can be written over by whoever saves the session last:
///
///     random ‖ binding ‖ check
///
/// in characters of the alphabet that IDs have. `binding` is the same in all IDs that the
/// session is given, and of no other session's; `check` is made of the rest by SHA-256
/// without a key, so that no change of secrets ever hides what a session is. An ID that is
/// not bound has this form by chance once in 2^40.
struct BoundID {
  private let alphabet: StaticString
  private let randomSize: Int
  /// Characters of a binding: over 2^60 of them.
  let bindingSize: Int
  private let checkSize: Int

  init(_ alphabet: StaticString) {
    self.alphabet = alphabet
    (randomSize, bindingSize, checkSize) = alphabet.count < 32 ? (26, 15, 10) : (20, 12, 8)
  }

  var size: Int { randomSize &+ bindingSize &+ checkSize }

  /// Whether the ID says that its session is bound.
  func contains(_ id: Bytes) -> Bool {
    guard id.count == size else { return false }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Digest.largest) { room in
      guard let start = room.baseAddress else { return false }
      writeCheck(of: id.slice(0, randomSize &+ bindingSize), to: start)
      return Bytes(start, checkSize) == id.dropFirst(randomSize &+ bindingSize)
    }
  }

  /// nil: the ID is not bound.
  func binding(of id: Bytes) -> Bytes? {
    contains(id) ? id.slice(randomSize, randomSize &+ bindingSize) : nil
  }

  /// A new ID with that binding.
  func make(_ binding: Bytes, in arena: inout Arena) throws(Failure) -> Bytes {
    guard binding.count == bindingSize, let room = arena.take(size) else { throw .memory }
    try Random.characters(of: alphabet, room, count: randomSize)
    (room + randomSize).copy(binding)
    writeCheck(of: Bytes(room, randomSize &+ bindingSize), to: room + randomSize + bindingSize)
    return Bytes(room, size)
  }

  /// Writes the binding that a hash of 32 bytes gives.
  func writeBinding(_ digest: Bytes, to room: UnsafeMutablePointer<UInt8>) {
    write(digest, bindingSize, to: room)
  }

  private func writeCheck(of text: Bytes, to room: UnsafeMutablePointer<UInt8>) {
    var named = ByteBuffer()
    named.append("tuile bound session id\0")
    named.append(text)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Digest.largest) { digest in
      guard let start = digest.baseAddress else { return }
      Digest.sha256.hash(named.bytes, to: start)
      write(Bytes(start, Digest.sha256.size), checkSize, to: room)
    }
  }

  /// Two bytes a character: none is likelier than another by more than a thousandth.
  private func write(_ digest: Bytes, _ count: Int, to room: UnsafeMutablePointer<UInt8>) {
    let kinds = max(1, alphabet.count)
    for i in Indices(count) {
      let word = Int(digest[2 &* i]) &<< 8 | Int(digest[2 &* i &+ 1])
      room[i] = alphabet.start[word % kinds]
    }
  }
}
