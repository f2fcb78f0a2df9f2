import CSystem

/// What every entry of a table begins with.
struct MemoryLink {
  var next: UnsafeMutablePointer<MemoryLink>?
  /// As many bits as a table has buckets at most.
  var hash: UInt32
}

/// A hash table with chains that grows and shrinks by one bucket at a time
/// (Litwin's linear hashing), so that no call ever moves more than one chain. Its
/// buckets lie in segments, each as large as all before it, that never move.
struct MemoryTable {
  typealias Entry = UnsafeMutablePointer<MemoryLink>

  private static let smallest = 16
  private static let segmentCount = 29
  private var segments: UnsafeMutablePointer<UnsafeMutablePointer<Entry?>?>?
  /// Buckets: `half`, a power of two, and those that were split off it already.
  private(set) var size = 0
  private var half = 0
  private(set) var count = 0
  /// What the buckets take.
  private(set) var allocated = 0

  // MARK: Buckets

  /// The segment of a bucket, and where in it: segment k > 0 begins at bucket 8·2^k.
  private func place(_ bucket: Int) -> (segment: Int, offset: Int) {
    guard bucket >= MemoryTable.smallest else { return (0, bucket) }
    let segment = 60 &- bucket.leadingZeroBitCount
    return (segment, bucket &- 8 &<< segment)
  }

  private func bucket(_ index: Int) -> UnsafeMutablePointer<Entry?> {
    let (segment, offset) = place(index)
    return segments.unsafelyUnwrapped[segment].unsafelyUnwrapped + offset
  }

  private func index(_ hash: UInt32) -> Int {
    let wide = Int(hash) & (half &* 2 &- 1)
    return wide < size ? wide : wide & (half &- 1)
  }

  /// The chain of a bucket below `size`.
  func chain(_ index: Int) -> Entry? { bucket(index).pointee }

  /// The chain that an entry with this hash would be in.
  func chain(of hash: UInt32) -> Entry? { size == 0 ? nil : bucket(index(hash)).pointee }

  // MARK: Walks

  /// A walk is a place in the order of hashes with their bits turned around: in
  /// that order a bucket is one stretch, however many there are, so that the walk
  /// stays right while buckets are split and merged. It begins at 0 and ends here.
  static let end: UInt64 = 1 << 32

  /// Gives the entries from `place` to the end of its bucket; where the next begins.
  func visit(_ place: UInt64, _ body: (Entry) -> Void) -> UInt64 {
    guard size > 0 else { return MemoryTable.end }
    let index = index(MemoryTable.turned(UInt32(truncatingIfNeeded: place)))
    var next = chain(index)
    while let entry = next {
      next = entry.pointee.next
      if UInt64(MemoryTable.turned(entry.pointee.hash)) >= place { body(entry) }
    }
    // A bucket that was split has one bit of the hash more than the others.
    let wasSplit = index < size &- half || index >= half
    let bits = half.trailingZeroBitCount &+ (wasSplit ? 1 : 0)
    let width = MemoryTable.end &>> UInt64(truncatingIfNeeded: bits)
    return (place & ~(width &- 1)) &+ width
  }

  private static func turned(_ hash: UInt32) -> UInt32 {
    var bits = hash.byteSwapped
    bits = (bits & 0x0F0F_0F0F) &<< 4 | (bits &>> 4) & 0x0F0F_0F0F
    bits = (bits & 0x3333_3333) &<< 2 | (bits &>> 2) & 0x3333_3333
    return (bits & 0x5555_5555) &<< 1 | (bits &>> 1) & 0x5555_5555
  }

  private mutating func addSegment(_ segment: Int) -> Bool {
    let buckets = segment == 0 ? MemoryTable.smallest : 8 &<< segment
    guard segment < MemoryTable.segmentCount, let raw = calloc(buckets, MemoryLayout<Entry?>.stride) else {
      return false
    }
    segments.unsafelyUnwrapped[segment] = raw.assumingMemoryBound(to: Entry?.self)
    allocated &+= buckets &* MemoryLayout<Entry?>.stride
    return true
  }

  /// Makes the first buckets; false without memory.
  mutating func prepare() -> Bool {
    guard size == 0 else { return true }
    if segments == nil {
      guard let raw = calloc(MemoryTable.segmentCount, MemoryLayout<UnsafeMutableRawPointer>.stride) else {
        return false
      }
      segments = raw.assumingMemoryBound(to: UnsafeMutablePointer<Entry?>?.self)
      allocated &+= MemoryTable.segmentCount &* MemoryLayout<UnsafeMutableRawPointer>.stride
    }
    guard addSegment(0) else { return false }
    size = MemoryTable.smallest
    half = size
    return true
  }

  /// Gives the buckets back; `release` gets each entry.
  mutating func free(_ release: (Entry) -> Void) {
    var i = 0
    while i < size {
      var next = chain(i)
      while let entry = next {
        next = entry.pointee.next
        release(entry)
      }
      i &+= 1
    }
    guard let segments else { return }
    i = 0
    while i < MemoryTable.segmentCount {
      CSystem.free(segments[i])
      i &+= 1
    }
    CSystem.free(segments)
    self = MemoryTable()
  }

  // MARK: Entries

  /// Adds an entry whose hash is set. The table is prepared.
  mutating func insert(_ entry: Entry) {
    push(entry, to: index(entry.pointee.hash))
    count &+= 1
    // Twice at most.
    while count &* 4 > size &* 3, split() {}
  }

  private func push(_ entry: Entry, to index: Int) {
    let head = bucket(index)
    entry.pointee.next = head.pointee
    head.pointee = entry
  }

  /// Takes an entry out that is in here.
  mutating func remove(_ entry: Entry) {
    let head = bucket(index(entry.pointee.hash))
    if head.pointee == entry {
      head.pointee = entry.pointee.next
    } else {
      var before = head.pointee
      while let here = before, here.pointee.next != entry { before = here.pointee.next }
      guard let before else { return }
      before.pointee.next = entry.pointee.next
    }
    count &-= 1
    if size > MemoryTable.smallest, count &* 6 < size { merge() }
  }

  /// Splits the next bucket; false without memory: then the chains only get longer.
  private mutating func split() -> Bool {
    if size == half {
      let (segment, offset) = place(size)
      guard offset == 0, addSegment(segment) else { return false }
    }
    let fresh = size
    let old = fresh &- half
    size &+= 1
    var next = chain(old)
    bucket(old).pointee = nil
    while let entry = next {
      next = entry.pointee.next
      push(entry, to: Int(entry.pointee.hash) & (half &* 2 &- 1) == fresh ? fresh : old)
    }
    if size == half &* 2 { half = size }
    return true
  }

  /// Undoes the last split.
  private mutating func merge() {
    if size == half { half /= 2 }
    let last = size &- 1
    var next = chain(last)
    bucket(last).pointee = nil
    size = last
    while let entry = next {
      next = entry.pointee.next
      push(entry, to: last &- half)
    }
    let (segment, offset) = place(last)
    guard offset == 0, segment > 0, let segments else { return }
    CSystem.free(segments[segment])
    segments[segment] = nil
    allocated &-= 8 &<< segment &* MemoryLayout<Entry?>.stride
  }
}
