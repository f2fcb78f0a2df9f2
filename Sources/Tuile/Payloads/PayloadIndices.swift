import CSystem

/// A growing row of offsets. An index outside of it reads as 0 and writes nothing.
final class PayloadIndices {
  private var start: UnsafeMutablePointer<Int32>?
  private var capacity = 0
  private(set) var count = 0
  private(set) var failed = false

  deinit { free(start) }

  subscript(index: Int) -> Int {
    get {
      guard let start, UInt(bitPattern: index) < UInt(bitPattern: count) else { return 0 }
      return Int(start[index])
    }
    set {
      guard let start, UInt(bitPattern: index) < UInt(bitPattern: count) else { return }
      start[index] = Int32(truncatingIfNeeded: newValue)
    }
  }

  var last: Int { self[count &- 1] }

  func append(_ value: Int) {
    if count == capacity {
      let wanted = max(32, capacity &* 2)
      guard let grown = realloc(start, wanted &* MemoryLayout<Int32>.stride) else {
        failed = true
        return
      }
      start = grown.assumingMemoryBound(to: Int32.self)
      capacity = wanted
    }
    start.unsafelyUnwrapped[count] = Int32(truncatingIfNeeded: value)
    count &+= 1
  }

  /// Where a part of `whole` begins, and how long it is.
  func append(_ part: Bytes, of whole: Bytes) {
    append(part.start - whole.start)
    append(part.count)
  }

  func truncate(_ size: Int) { count = max(0, min(size, count)) }
}

/// Finds members by their names, which others may have chosen: each name once.
final class PayloadNames {
  private struct Slot {
    var start: UnsafePointer<UInt8>?
    var size: Int
    var value: Int
  }

  private var slots: UnsafeMutablePointer<Slot>
  private var capacity = 16
  private var count = 0
  private var hash: SeededHash?

  init?() {
    guard let room = calloc(capacity, MemoryLayout<Slot>.stride) else { return nil }
    slots = room.assumingMemoryBound(to: Slot.self)
  }

  deinit { free(slots) }

  /// The names stay where they are while this is used. `.readOnly` for one that is there.
  func add(_ name: Bytes, _ value: Int) -> PayloadStatus {
    if count &* 2 >= capacity, !grow() { return .noMemory }
    guard let at = place(name) else { return .noMemory }
    guard slots[at].start == nil else { return .readOnly }
    slots[at] = Slot(start: name.start, size: name.count, value: value)
    count &+= 1
    return .ok
  }

  func find(_ name: Bytes) -> Int? {
    guard count > 0, let at = place(name), slots[at].start != nil else { return nil }
    return slots[at].value
  }

  /// The slot of a name, or where it would be; nil if the system gives no random bytes.
  private func place(_ name: Bytes) -> Int? {
    // Few are compared one by one: the half of the first 16.
    if capacity == 16 {
      var i = 0
      while i < count {
        if let start = slots[i].start, Bytes(start, slots[i].size) == name { return i }
        i &+= 1
      }
      return i
    }
    guard let hash else { return nil }
    var i = Int(truncatingIfNeeded: hash.hash(name)) & (capacity &- 1)
    while let start = slots[i].start, !(Bytes(start, slots[i].size) == name) { i = (i &+ 1) & (capacity &- 1) }
    return i
  }

  private func grow() -> Bool {
    if hash == nil {
      do throws(Failure) { hash = try SeededHash.make() } catch { return false }
    }
    let old = slots
    let size = capacity
    guard let room = calloc(size &* 4, MemoryLayout<Slot>.stride) else { return false }
    slots = room.assumingMemoryBound(to: Slot.self)
    capacity = size &* 4
    for i in Indices(size) {
      if let start = old[i].start, let at = place(Bytes(start, old[i].size)) { slots[at] = old[i] }
    }
    free(old)
    return true
  }
}
