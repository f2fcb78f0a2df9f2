import CSystem

/// Growing memory with one owner. Running out of memory, or past `limit`, is
/// remembered in `failed` and looked at once, at the end.
struct ByteBuffer: ~Copyable {
  private var start: UnsafeMutablePointer<UInt8>?
  private var capacity = 0
  private(set) var count = 0
  private(set) var failed = false

  init() {}

  deinit { free(start) }

  var bytes: Bytes {
    guard let start else { return Bytes() }
    return Bytes(UnsafePointer(start), count)
  }

  mutating func removeAll() {
    count = 0
    failed = false
  }

  /// Drops what stands behind the first `size` bytes.
  mutating func truncate(_ size: Int) { count = max(0, min(size, count)) }

  /// Makes room for `more` bytes; false if there is none.
  mutating func reserve(_ more: Int) -> Bool {
    guard more > capacity &- count else { return !failed }
    let (needed, overflow) = count.addingReportingOverflow(more)
    guard !failed, !overflow, needed < 1 << 40 else {
      failed = true
      return false
    }
    let wanted = max(needed, max(256, capacity &* 2))
    guard let grown = realloc(start, wanted) else {
      failed = true
      return false
    }
    start = grown.assumingMemoryBound(to: UInt8.self)
    capacity = wanted
    return true
  }

  mutating func append(_ byte: UInt8) {
    guard reserve(1), let start else { return }
    start[count] = byte
    count &+= 1
  }

  mutating func append(_ bytes: Bytes) {
    guard bytes.count > 0, reserve(bytes.count), let start else { return }
    (start + count).copy(bytes)
    count &+= bytes.count
  }

  /// `bytes` between quotes.
  mutating func appendQuoted(_ bytes: Bytes) {
    guard reserve(bytes.count &+ 2), let start else { return }
    let end = start + count
    end[0] = 0x22
    (end + 1).copy(bytes)
    end[bytes.count &+ 1] = 0x22
    count &+= bytes.count &+ 2
  }

  mutating func append(_ text: StaticString) { append(Bytes(text)) }

  /// Appends a text with another word in each place of one.
  mutating func append(_ text: Bytes, replacing word: StaticString, with other: StaticString) {
    let word = Bytes(word)
    var i = 0
    while i < text.count {
      if text.dropFirst(i).hasPrefix(word) {
        append(other)
        i &+= word.count
      } else {
        append(text[i])
        i &+= 1
      }
    }
  }

  /// Lets `body` write at most `room` bytes at the end and keeps as many as it
  /// says; nil if there is no memory.
  mutating func fill(_ room: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) -> Bool {
    guard room >= 0, reserve(max(room, 1)), let start else { return false }
    count &+= max(0, min(room, body(start + count)))
    return true
  }

  func wipe() {
    guard let start else { return }
    sys_wipe(start, capacity)
  }
}
