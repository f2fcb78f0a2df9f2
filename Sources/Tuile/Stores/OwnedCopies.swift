/// Keys that were found under a lock, to be given after it, each with the record of
/// an owner's list or none, and its expiry.
struct OwnedCopies: ~Copyable {
  private(set) var text = ByteBuffer()

  mutating func append(_ key: Bytes, _ record: Bytes, _ expires: Int64) {
    append(UInt64(bitPattern: expires))
    append(UInt64(truncatingIfNeeded: key.count) | UInt64(truncatingIfNeeded: record.count) &<< 32)
    text.append(key)
    text.append(record)
  }

  private mutating func append(_ word: UInt64) {
    withUnsafeBytes(of: word) { raw in
      guard let start = raw.baseAddress else { return }
      text.append(Bytes(start.assumingMemoryBound(to: UInt8.self), raw.count))
    }
  }

  func each(_ body: (Bytes, Bytes, Int64) -> Void) {
    _ = all { key, record, expires in
      body(key, record, expires)
      return true
    }
  }

  /// false if `body` wanted no more.
  func all(_ body: (Bytes, Bytes, Int64) -> Bool) -> Bool {
    let all = text.bytes
    var i = 0
    while i &+ 16 <= all.count {
      let raw = UnsafeRawPointer(all.start + i)
      let expires = Int64(bitPattern: raw.loadUnaligned(as: UInt64.self))
      let sizes = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
      let key = i &+ 16
      let record = key &+ Int(sizes & 0xFFFF_FFFF)
      i = record &+ Int(sizes &>> 32)
      guard body(all.slice(key, record), all.slice(record, i), expires) else { return false }
    }
    return true
  }
}
