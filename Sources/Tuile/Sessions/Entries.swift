import CSystem

/// What a request did to one key of a session.
enum Change: UInt8 {
  case none
  /// The value is as this request left it.
  case set
  /// `delta` was added to what was there.
  case add
  /// `appended` was put behind what was there.
  case append
  /// The key was there, or may be by now, and goes.
  case remove
}

/// One key of a session. All views live in the session's arena.
struct Entry {
  var name: Bytes
  /// The name as a JSON string, quotes included.
  var rawName: Bytes
  /// JSON text.
  var value: Bytes
  var delta: Int64 = 0
  /// JSON values with ',' between them.
  var appended = Bytes()
  var change: Change
  /// false: removed, and kept only for its change.
  var live = true
  let hash: UInt32
}

/// The keys of a session in the order of Python's dict: the order in which they
/// were added, a removed key that comes back at the end.
struct Entries: ~Copyable {
  private var start: UnsafeMutablePointer<Entry>?
  private var capacity = 0
  private(set) var count = 0
  private(set) var liveCount = 0
  /// Some name starts with '_', as those do that frameworks and this library use.
  private(set) var hasReserved = false
  /// Open addressing by hash, from a size at which walking gets slow; -1 is free.
  private var index: UnsafeMutablePointer<Int32>?
  private var indexSize = 0

  private static let indexedFrom = 16
  /// More keys than this are refused.
  static let most = 1 << 20

  let hashing: SeededHash

  init(hashing: SeededHash) { self.hashing = hashing }

  deinit {
    free(start)
    free(index)
  }

  /// The same entries once more; names and values are where they are.
  func copy() throws(Failure) -> Entries {
    var copy = Entries(hashing: hashing)
    guard let start, count > 0 else { return copy }
    guard let raw = malloc(count &* MemoryLayout<Entry>.stride) else { throw .memory }
    memcpy(raw, start, count &* MemoryLayout<Entry>.stride)
    copy.start = raw.assumingMemoryBound(to: Entry.self)
    copy.capacity = count
    copy.count = count
    copy.liveCount = liveCount
    copy.hasReserved = hasReserved
    if index != nil { try copy.rebuildIndex() }
    return copy
  }

  private func hash(_ name: Bytes) -> UInt32 { UInt32(truncatingIfNeeded: hashing.hash(name)) }

  subscript(i: Int) -> Entry {
    get { start.unsafelyUnwrapped[i] }
    set { start.unsafelyUnwrapped[i] = newValue }
  }

  mutating func removeAll() {
    count = 0
    liveCount = 0
    hasReserved = false
    free(index)
    index = nil
    indexSize = 0
  }

  /// The live entry of that name.
  func find(_ name: Bytes) -> Int? {
    let hash = hash(name)
    guard let index else {
      for i in Indices(count) {
        if self[i].hash == hash, self[i].live, self[i].name == name { return i }
      }
      return nil
    }
    var slot = Int(hash) & (indexSize &- 1)
    while index[slot] >= 0 {
      let i = Int(index[slot])
      if self[i].hash == hash, self[i].live, self[i].name == name { return i }
      slot = (slot &+ 1) & (indexSize &- 1)
    }
    return nil
  }

  /// Appends a live entry whose name no other live entry has.
  mutating func append(name: Bytes, rawName: Bytes, value: Bytes, change: Change) throws(Failure) {
    try grow()
    self.start.unsafelyUnwrapped[count] = Entry(
      name: name, rawName: rawName, value: value, change: change, hash: hash(name))
    count &+= 1
    liveCount &+= 1
    if name[0] == UInt8(ascii: "_") { hasReserved = true }
    if index != nil { insert(count &- 1) }
    if count > indexSize / 2, count > Entries.indexedFrom { try rebuildIndex() }
  }

  /// Marks an entry removed.
  mutating func kill(_ i: Int, change: Change) {
    self[i].live = false
    self[i].change = change
    liveCount &-= 1
  }

  /// Drops all but what ends a session, and its framework's metadata.
  mutating func keepLimits(_ layout: Layout?) {
    for i in Indices(count) {
      let stays = OwnName.limits(self[i].name) || layout?.hides(self[i].name) ?? false
      if self[i].live, !stays { kill(i, change: .none) }
      // What was stored is dropped: what stays is as good as set.
      self[i].change = self[i].live ? .set : .none
    }
  }

  mutating func forgetChanges() {
    for i in Indices(count) {
      forgetChange(i)
    }
  }

  mutating func forgetChange(_ i: Int) {
    self[i].change = .none
    self[i].delta = 0
    self[i].appended = Bytes()
  }

  private mutating func grow() throws(Failure) {
    guard count == capacity else { return }
    guard count < Entries.most else { throw .limit("the session has too many names") }
    let wanted = max(8, capacity &* 2)
    guard let grown = realloc(start, wanted &* MemoryLayout<Entry>.stride) else { throw .memory }
    start = grown.assumingMemoryBound(to: Entry.self)
    capacity = wanted
  }

  private mutating func rebuildIndex() throws(Failure) {
    var size = 64
    while size < count &* 4 { size = size &* 2 }
    guard let table = malloc(size &* MemoryLayout<Int32>.stride) else { throw .memory }
    free(index)
    index = table.assumingMemoryBound(to: Int32.self)
    indexSize = size
    memset(table, 0xFF, size &* MemoryLayout<Int32>.stride)
    for i in Indices(count) {
      if self[i].live { insert(i) }
    }
  }

  private mutating func insert(_ i: Int) {
    guard let index else { return }
    let entry = self[i]
    var slot = Int(entry.hash) & (indexSize &- 1)
    while index[slot] >= 0 {
      let other = self[Int(index[slot])]
      // A removed entry of the same name gives its slot up.
      if !other.live, other.hash == entry.hash, other.name == entry.name { break }
      slot = (slot &+ 1) & (indexSize &- 1)
    }
    index[slot] = Int32(truncatingIfNeeded: i)
  }
}
