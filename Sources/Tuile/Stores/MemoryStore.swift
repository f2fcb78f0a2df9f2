import CSystem
import CTuile

/// Sessions in this process's memory, in shards that lock apart. Nothing stops
/// the world: expired sessions go a few at a time, whenever one is created.
final class MemoryStore: Store {
  private static let shardCount = 64
  private let shards: UnsafeMutablePointer<MemoryShard>

  var trusted: Bool { true }

  static func make() throws(Failure) -> MemoryStore {
    var seed: UInt64 = 0
    guard sys_random(&seed, MemoryLayout<UInt64>.size) else { throw .random }
    guard let raw = malloc(shardCount &* MemoryLayout<MemoryShard>.stride) else { throw .memory }
    return MemoryStore(raw.assumingMemoryBound(to: MemoryShard.self), seed: seed)
  }

  private init(_ shards: UnsafeMutablePointer<MemoryShard>, seed: UInt64) {
    self.shards = shards
    self.seed = seed
    var i = 0
    while i < MemoryStore.shardCount {
      (shards + i).initialize(to: MemoryShard())
      // pthread_mutex_init fails on no Linux for a plain mutex.
      _ = sys_mutex_init(&shards[i].mutex)
      i &+= 1
    }
  }

  /// Drawn at random, so that nobody can choose keys that collide.
  private let seed: UInt64

  deinit {
    var i = 0
    while i < MemoryStore.shardCount {
      sys_mutex_destroy(&shards[i].mutex)
      shards[i].freeAll()
      i &+= 1
    }
    free(shards)
  }

  func close() {}

  private func hash(_ key: Bytes) -> UInt64 {
    var hash = seed ^ 0x9E37_79B9_7F4A_7C15
    var i = 0
    while i < key.count {
      hash = (hash ^ UInt64(key.start[i])) &* 0xFF51_AFD7_ED55_8CCD
      hash ^= hash &>> 32
      i &+= 1
    }
    return hash
  }

  private func locked<Answer>(_ hash: UInt64, _ body: (inout MemoryShard) -> Answer) -> Answer {
    let shard = shards + Int(truncatingIfNeeded: hash &>> 58)
    sys_mutex_lock(&shard.pointee.mutex)
    defer { sys_mutex_unlock(&shard.pointee.mutex) }
    return body(&shard.pointee)
  }

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let hash = hash(key)
    let shard = shards + Int(truncatingIfNeeded: hash &>> 58)
    sys_mutex_lock(&shard.pointee.mutex)
    var expires: Int64?
    if let node = shard.pointee.find(hash, key), node.pointee.expires > now {
      expires = node.pointee.expires
      // Copied while locked: another thread may replace it right after.
      data.append(MemoryNode.data(node))
    }
    sys_mutex_unlock(&shard.pointee.mutex)
    guard !data.failed else { throw .memory }
    return expires
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    let hash = hash(key)
    let answer: Bool? = locked(hash) { shard in
      if shard.find(hash, key) != nil { return false }
      shard.expireSome(before: now)
      return shard.insert(hash, key, data, expires) ? true : nil
    }
    guard let answer else { throw .memory }
    return answer
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    let hash = hash(key)
    let answer: Replaced? = locked(hash) { shard in
      guard let node = shard.find(hash, key) else { return .absent }
      guard MemoryNode.data(node) == expected else { return .conflict }
      return shard.rewrite(hash, key, data, expires) ? .replaced : nil
    }
    guard let answer else { throw .memory }
    return answer
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    let hash = hash(key)
    return locked(hash) { shard in
      guard let node = shard.find(hash, key) else { return false }
      node.pointee.expires = expires
      return true
    }
  }

  func remove(_ key: Bytes) throws(Failure) {
    let hash = hash(key)
    locked(hash) { shard in shard.remove(hash, key) }
  }

  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    var removed = 0
    var i = 0
    while i < MemoryStore.shardCount, removed < limit {
      let left = limit &- removed
      removed &+= locked(UInt64(i) &<< 58) { shard in shard.sweep(before: now, limit: left) }
      i &+= 1
    }
    return removed
  }
}
