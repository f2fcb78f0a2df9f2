import CSystem
import CTuile

/// Bytes that belong to someone else: the one view that every parser reads through.
///
/// Reading past either end gives NUL, so that no index from hostile input can
/// trap or leave the memory; that makes this file the only one with unchecked
/// loads. Whoever makes a view keeps the memory alive while it is used.
struct Bytes {
  let start: UnsafePointer<UInt8>
  let count: Int

  init(_ start: UnsafePointer<UInt8>, _ count: Int) {
    self.start = start
    self.count = count
  }

  init() { self.init(("" as StaticString).start, 0) }

  init(_ text: StaticString) { self.init(text.start, text.count) }

  /// Of a C string that stays; NULL is empty.
  init(cString text: UnsafePointer<CChar>?) {
    guard let text else {
      self.init()
      return
    }
    self.init(UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), strlen(text))
  }

  /// What a caller of the C interface gave; nil if it can't be bytes: NULL with
  /// a size, or a size that no object has.
  init?(_ bytes: tuile_bytes) {
    guard bytes.size > 0 else {
      guard bytes.size == 0 else { return nil }
      self.init()
      return
    }
    guard let data = bytes.data else { return nil }
    self.init(data.assumingMemoryBound(to: UInt8.self), bytes.size)
  }

  /// For the system's functions.
  var lent: sys_bytes { sys_bytes(start: start, size: count) }
  var c: tuile_bytes { tuile_bytes(data: UnsafeRawPointer(start), size: count) }
  var isEmpty: Bool { count == 0 }
  var end: UnsafePointer<UInt8> { start + count }

  subscript(index: Int) -> UInt8 {
    UInt(bitPattern: index) < UInt(bitPattern: count) ? start[index] : 0
  }

  /// The bytes from `from` up to `to`, both clamped to the view.
  func slice(_ from: Int, _ to: Int) -> Bytes {
    let low = max(0, min(from, count))
    let high = max(low, min(to, count))
    return Bytes(start + low, high &- low)
  }

  func dropFirst(_ n: Int) -> Bytes { slice(n, count) }

  /// The offset of the first `byte` at or after `from`, or `count`.
  func find(_ byte: UInt8, from: Int = 0) -> Int {
    let low = max(0, from)
    guard low < count, let found = memchr(start + low, Int32(byte), count &- low) else { return count }
    return UnsafeRawPointer(found) - UnsafeRawPointer(start)
  }

  /// The offset of the last `byte`, or nil.
  func findLast(_ byte: UInt8) -> Int? {
    var i = count
    while i > 0 {
      i &-= 1
      if start[i] == byte { return i }
    }
    return nil
  }

  /// The offset of the first two `byte`s in a row, or `count`.
  func findPair(_ byte: UInt8) -> Int {
    var i = find(byte)
    while i < count, self[i &+ 1] != byte { i = find(byte, from: i &+ 1) }
    return i
  }

  func contains(_ byte: UInt8) -> Bool { find(byte) < count }

  static func == (a: Bytes, b: Bytes) -> Bool {
    a.count == b.count && memcmp(a.start, b.start, a.count) == 0
  }

  /// Without the spaces and tabs around it.
  var trimmed: Bytes { trimmed(0, count) }

  /// The slice without the spaces and tabs around it; empty if `from` is behind `to`.
  @inline(__always)
  func trimmed(_ from: Int, _ to: Int) -> Bytes {
    // Clamped once: from here on low and high only move towards each other.
    var low = max(0, from)
    var high = min(to, count)
    guard low < high else { return Bytes(start, 0) }
    while start[low] == UInt8(ascii: " ") || start[low] == UInt8(ascii: "\t") {
      low &+= 1
      if low == high { return Bytes(start + low, 0) }
    }
    while start[high &- 1] == UInt8(ascii: " ") || start[high &- 1] == UInt8(ascii: "\t") { high &-= 1 }
    return Bytes(start + low, high &- low)
  }

  func hasPrefix(_ prefix: Bytes) -> Bool { slice(0, prefix.count) == prefix }

  /// ASCII letters compare without case; `lowercase` is in lower case already.
  func hasPrefix(ignoringCase lowercase: StaticString) -> Bool {
    let prefix = Bytes(lowercase)
    guard count >= prefix.count else { return false }
    for i in Indices(prefix.count) {
      let byte = start[i]
      let lower = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
      if lower != prefix.start[i] { return false }
    }
    return true
  }

  /// ASCII letters compare without case; `lowercase` is in lower case already.
  func equals(ignoringCase lowercase: StaticString) -> Bool {
    count == lowercase.count && hasPrefix(ignoringCase: lowercase)
  }
}

extension UnsafeMutablePointer<UInt8> {
  /// Copies all of `bytes` here, where there is room for them and no overlap.
  /// `update(from:count:)` becomes a loop over single bytes in Embedded Swift.
  func copy(_ bytes: Bytes) { memcpy(self, bytes.start, bytes.count) }
}
