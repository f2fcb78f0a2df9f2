import CSystem
import CTuile

/// Sessions in this process's memory, in shards that lock apart. Nothing stops
/// the world: expired sessions go a few at a time, whenever one is created, and
/// no lock is held for more than some buckets.
final class MemoryStore: Store {
  static let scheme: StaticString = "memory:"
  private static let mostShards = 64
  /// What a shard itself takes, and the allocator for its tables' segments.
  private static let fixed = 1024
  let shards: UnsafeMutablePointer<MemoryShard>
  /// A power of two.
  let shardCount: Int
  private let hashing: SeededHash
  /// Where the next sweep begins.
  private var sweeping = sys_mutex()
  private var nextShard = 0

  var trusted: Bool { true }
  var isInstant: Bool { true }

  /// Of memory:?max_bytes=N.
  static func open(_ url: Bytes) throws(Failure) -> MemoryStore {
    let rest = url.dropFirst(scheme.count)
    guard rest.isEmpty || rest[0] == UInt8(ascii: "?") else {
      throw .syntax("memory: has no path", at: scheme.count)
    }
    var options = MemoryOptions()
    try options.read(rest.dropFirst(1), at: scheme.count &+ 1)
    return try make(limit: options.limit)
  }

  /// `limit` in bytes; 0: none.
  static func make(limit: Int) throws(Failure) -> MemoryStore {
    try Forks.prepare()
    let hashing = try SeededHash.make()
    // Shards of less than a megabyte would have no room for a large session.
    var count = mostShards
    while count > 1, limit > 0, limit / count < 1 << 20 { count /= 2 }
    guard let raw = malloc(count &* MemoryLayout<MemoryShard>.stride) else { throw .memory }
    let share = limit == 0 ? 0 : limit / count &- fixed
    return MemoryStore(raw.assumingMemoryBound(to: MemoryShard.self), count, limit: share, hashing: hashing)
  }

  private init(_ shards: UnsafeMutablePointer<MemoryShard>, _ count: Int, limit: Int, hashing: SeededHash) {
    self.shards = shards
    self.hashing = hashing
    shardCount = count
    sys_mutex_init(&sweeping)
    for i in Indices(count) {
      (shards + i).initialize(to: MemoryShard(limit: limit))
      sys_mutex_init(&shards[i].mutex)
    }
  }

  deinit {
    for i in Indices(shardCount) {
      sys_mutex_destroy(&shards[i].mutex)
      shards[i].freeAll()
    }
    sys_mutex_destroy(&sweeping)
    free(shards)
  }

  func close() {}

  // MARK: Shards

  private func hash(_ text: Bytes) -> UInt64 { hashing.hash(text) }

  private func shard(_ hash: UInt64) -> UnsafeMutablePointer<MemoryShard> {
    shards + Int(truncatingIfNeeded: hash &>> 58) & (shardCount &- 1)
  }

  func locked<Answer>(
    _ shard: UnsafeMutablePointer<MemoryShard>, _ body: (inout MemoryShard) -> Answer
  ) -> Answer {
    sys_mutex_lock(&shard.pointee.mutex)
    defer { sys_mutex_unlock(&shard.pointee.mutex) }
    return body(&shard.pointee)
  }

  /// The session of a key, while its shard is locked.
  private func with<Answer>(
    _ key: Bytes, _ body: (inout MemoryShard, UInt32, MemoryNode.Pointer?) -> Answer
  ) -> Answer {
    let hash = hash(key)
    let short = UInt32(truncatingIfNeeded: hash)
    return locked(shard(hash)) { shard in body(&shard, short, shard.find(short, key)) }
  }

  private func check(_ stored: MemoryShard.Stored) throws(Failure) {
    switch stored {
    case .done: return
    case .outOfMemory: throw .memory
    case .tooLarge: throw .limit("the session is larger than its share of max_bytes")
    }
  }

  // MARK: Store

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let hash = hash(key)
    let shard = shard(hash)
    sys_mutex_lock(&shard.pointee.mutex)
    var expires: Int64?
    if let node = shard.pointee.find(UInt32(truncatingIfNeeded: hash), key), node.pointee.expires > now {
      expires = node.pointee.expires
      // Copied while locked: another thread may replace it right after.
      data.append(MemoryNode.data(node))
      shard.pointee.use(node)
    }
    sys_mutex_unlock(&shard.pointee.mutex)
    guard !data.failed else { throw .memory }
    return expires
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    let answer: MemoryShard.Stored? = with(key) { shard, hash, node in
      if node != nil { return nil }
      _ = shard.expire(buckets: 2, before: now, limit: 8)
      return shard.insert(hash, key, data, expires)
    }
    guard let answer else { return false }
    try check(answer)
    return true
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    var replaced = Replaced.replaced
    let stored: MemoryShard.Stored = with(key) { shard, _, node in
      guard let node else {
        replaced = .absent
        return .done
      }
      guard MemoryNode.data(node) == expected else {
        replaced = .conflict
        return .done
      }
      return shard.rewrite(node, data, expires)
    }
    try check(stored)
    return replaced
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    try check(
      with(key) { shard, hash, node in
        if let node { return shard.rewrite(node, data, expires) }
        return shard.insert(hash, key, data, expires)
      })
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    with(key) { shard, _, node in
      guard let node else { return false }
      node.pointee.expires = expires
      shard.use(node)
      return true
    }
  }

  func remove(_ key: Bytes) throws(Failure) {
    with(key) { shard, _, node in if let node { shard.remove(node) } }
  }

  /// One call looks at no more buckets than so many for each session that it may remove.
  private static let bucketsForEach = 16
  /// Buckets that one lock is held for.
  private static let step = 64

  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    guard limit > 0 else { return 0 }
    var left = limit > Int.max / MemoryStore.bucketsForEach ? Int.max : max(limit, 1000) &* MemoryStore.bucketsForEach
    sys_mutex_lock(&sweeping)
    let first = nextShard
    sys_mutex_unlock(&sweeping)
    var removed = 0
    var turn = 0
    while turn < shardCount, removed < limit, left > 0 {
      let shard = shards + (first &+ turn) & (shardCount &- 1)
      // Once around this shard.
      var buckets = locked(shard) { $0.buckets }
      while buckets > 0, removed < limit, left > 0 {
        let wanted = limit &- removed
        let step = min(buckets, left, MemoryStore.step)
        removed &+= locked(shard) { shard in
          shard.dropOwned(buckets: step, madeBefore: sys_now_seconds() &- 60)
          return shard.expire(buckets: step, before: now, limit: wanted)
        }
        buckets &-= step
        left &-= step
      }
      if removed < limit, left > 0 { turn &+= 1 }
    }
    sys_mutex_lock(&sweeping)
    nextShard = (first &+ turn) & (shardCount &- 1)
    sys_mutex_unlock(&sweeping)
    return removed
  }

  // MARK: Owners

  var keepsOwners: Bool { true }

  /// An entry lies in the shard of its key, so that it is looked at together with its session.
  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    let name = UInt32(truncatingIfNeeded: hash(owner))
    try check(with(key) { shard, hash, _ in shard.own(name, owner, hash, key, record) })
  }

  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    let name = UInt32(truncatingIfNeeded: hash(owner))
    for i in Indices(shardCount) {
      var copies = OwnedCopies()
      locked(shards + i) { shard in
        shard.each(name, owner, now: now) { owned, expires in
          copies.append(MemoryOwned.key(owned), MemoryOwned.record(owned), expires)
        }
      }
      guard !copies.text.failed else { throw .memory }
      copies.each(each)
    }
  }

  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    let name = UInt32(truncatingIfNeeded: hash(owner))
    var copy = ByteBuffer()
    let found = with(key) { shard, _, _ in
      guard let found = shard.findOwned(name, owner, key) else { return false }
      copy.append(MemoryOwned.record(found))
      return true
    }
    record.append(copy.bytes)
    guard !copy.failed, !record.failed else { throw .memory }
    return found
  }

  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) {
    let name = UInt32(truncatingIfNeeded: hash(owner))
    with(key) { shard, _, _ in shard.disown(name, owner, key) }
  }
}
