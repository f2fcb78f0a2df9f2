/// Writes into memory of a fixed size and keeps counting when that is full, so
/// that one pass says how much room is needed (as snprintf does).
struct ByteWriter {
  let start: UnsafeMutablePointer<UInt8>?
  let capacity: Int
  private(set) var count = 0

  init(_ start: UnsafeMutablePointer<UInt8>?, capacity: Int) {
    self.start = start
    self.capacity = start == nil ? 0 : capacity
  }

  /// Counts only.
  init() { self.init(nil, capacity: 0) }

  var fits: Bool { count <= capacity }

  mutating func append(_ byte: UInt8) {
    if count < capacity { start.unsafelyUnwrapped[count] = byte }
    count &+= 1
  }

  mutating func append(_ bytes: Bytes) {
    if bytes.count <= capacity &- count, let start {
      (start + count).copy(bytes)
    }
    count &+= bytes.count
  }

  /// Inlined, so that the size is known and the copy is a few moves.
  @inline(__always)
  mutating func append(_ text: StaticString) {
    let size = text.count
    if size <= capacity &- count, let start { (start + count).copy(Bytes(text.start, size)) }
    count &+= size
  }

  /// Counts bytes that were written through `start`, or that would not fit.
  mutating func skip(_ bytes: Int) { count &+= bytes }

  /// What has been written; only when it `fits`.
  var written: Bytes {
    guard let start, fits else { return Bytes() }
    return Bytes(UnsafePointer(start), count)
  }
}
