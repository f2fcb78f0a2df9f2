import CSystem

/// One session in memory: this header, then the key, then the data.
struct MemoryNode {
  var expires: Int64
  var dataSize: Int
  var keySize: Int
  /// Bytes that the allocation has for data.
  var room: Int

  static func bytes(_ node: UnsafeMutablePointer<MemoryNode>) -> UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer(node + 1).assumingMemoryBound(to: UInt8.self)
  }
  static func key(_ node: UnsafeMutablePointer<MemoryNode>) -> Bytes {
    Bytes(bytes(node), node.pointee.keySize)
  }
  static func data(_ node: UnsafeMutablePointer<MemoryNode>) -> Bytes {
    Bytes(bytes(node) + node.pointee.keySize, node.pointee.dataSize)
  }

  static func make(_ key: Bytes, _ data: Bytes, _ expires: Int64) -> UnsafeMutablePointer<MemoryNode>? {
    guard let raw = malloc(MemoryLayout<MemoryNode>.stride &+ key.count &+ data.count) else { return nil }
    let node = raw.assumingMemoryBound(to: MemoryNode.self)
    node.pointee = MemoryNode(expires: expires, dataSize: data.count, keySize: key.count, room: data.count)
    bytes(node).copy(key)
    (bytes(node) + key.count).copy(data)
    return node
  }

  /// Wiped, since key and data are secrets of a visitor.
  static func release(_ node: UnsafeMutablePointer<MemoryNode>) {
    sys_wipe(node, MemoryLayout<MemoryNode>.stride &+ node.pointee.keySize &+ node.pointee.room)
    free(node)
  }
}

/// A hash table with open addressing, linear probing and no tombstones. Its
/// mutex guards all of it and is taken by the store.
struct MemoryShard {
  private struct Slot {
    var hash: UInt64
    var node: UnsafeMutablePointer<MemoryNode>?
  }

  var mutex = sys_mutex()
  private var slots: UnsafeMutablePointer<Slot>?
  /// A power of two, or 0.
  private var size = 0
  private var count = 0
  /// Where the next look for expired sessions begins.
  private var hand = 0

  mutating func freeAll() {
    var i = 0
    while i < size {
      if let node = slots.unsafelyUnwrapped[i].node { MemoryNode.release(node) }
      i &+= 1
    }
    free(slots)
    slots = nil
    size = 0
  }

  /// The slot that holds the key, or the free one where it would go.
  private func slot(_ hash: UInt64, _ key: Bytes) -> Int {
    let slots = slots.unsafelyUnwrapped
    var i = Int(truncatingIfNeeded: hash) & (size &- 1)
    while let node = slots[i].node {
      if slots[i].hash == hash, MemoryNode.key(node) == key { return i }
      i = (i &+ 1) & (size &- 1)
    }
    return i
  }

  func find(_ hash: UInt64, _ key: Bytes) -> UnsafeMutablePointer<MemoryNode>? {
    size == 0 ? nil : slots.unsafelyUnwrapped[slot(hash, key)].node
  }

  /// Adds a key that is not there; false without memory.
  mutating func insert(_ hash: UInt64, _ key: Bytes, _ data: Bytes, _ expires: Int64) -> Bool {
    guard grow(), let node = MemoryNode.make(key, data, expires) else { return false }
    slots.unsafelyUnwrapped[slot(hash, key)] = Slot(hash: hash, node: node)
    count &+= 1
    return true
  }

  /// Gives a key that is there other data; false without memory.
  mutating func rewrite(_ hash: UInt64, _ key: Bytes, _ data: Bytes, _ expires: Int64) -> Bool {
    let i = slot(hash, key)
    guard let node = slots.unsafelyUnwrapped[i].node else { return false }
    if data.count <= node.pointee.room, data.count &* 4 >= node.pointee.room {
      (MemoryNode.bytes(node) + node.pointee.keySize).copy(data)
      node.pointee.dataSize = data.count
      node.pointee.expires = expires
      return true
    }
    guard let fresh = MemoryNode.make(key, data, expires) else { return false }
    slots.unsafelyUnwrapped[i].node = fresh
    MemoryNode.release(node)
    return true
  }

  mutating func remove(_ hash: UInt64, _ key: Bytes) {
    if size > 0 { removeSlot(slot(hash, key)) }
  }

  /// Frees a slot and moves up those behind it that it stood in the way of.
  private mutating func removeSlot(_ slot: Int) {
    let slots = slots.unsafelyUnwrapped
    guard let node = slots[slot].node else { return }
    MemoryNode.release(node)
    count &-= 1
    var hole = slot
    var i = (slot &+ 1) & (size &- 1)
    while slots[i].node != nil {
      let home = Int(truncatingIfNeeded: slots[i].hash) & (size &- 1)
      if (i &- home) & (size &- 1) >= (i &- hole) & (size &- 1) {
        slots[hole] = slots[i]
        hole = i
      }
      i = (i &+ 1) & (size &- 1)
    }
    slots[hole].node = nil
  }

  /// Looks at the next four places of the table and drops them if expired, so
  /// that creating sessions clears the table as fast as it fills it.
  mutating func expireSome(before now: Int64) {
    var looks = 0
    while looks < 4, size > 0 {
      hand = (hand &+ 1) & (size &- 1)
      if let node = slots.unsafelyUnwrapped[hand].node, node.pointee.expires < now { removeSlot(hand) }
      looks &+= 1
    }
  }

  mutating func sweep(before now: Int64, limit: Int) -> Int {
    var removed = 0
    var i = 0
    while i < size, removed < limit {
      if let node = slots.unsafelyUnwrapped[i].node, node.pointee.expires < now {
        // The slot may hold another one now: look at it again.
        removeSlot(i)
        removed &+= 1
      } else {
        i &+= 1
      }
    }
    return removed
  }

  private mutating func grow() -> Bool {
    guard count &* 4 >= size &* 3 else { return true }
    let wanted = max(16, size &* 2)
    guard let raw = calloc(wanted, MemoryLayout<Slot>.stride) else { return false }
    let old = slots
    let oldSize = size
    let fresh = raw.assumingMemoryBound(to: Slot.self)
    slots = fresh
    size = wanted
    var i = 0
    while i < oldSize {
      let moved = old.unsafelyUnwrapped[i]
      if moved.node != nil {
        var at = Int(truncatingIfNeeded: moved.hash) & (wanted &- 1)
        while fresh[at].node != nil { at = (at &+ 1) & (wanted &- 1) }
        fresh[at] = moved
      }
      i &+= 1
    }
    free(old)
    return true
  }
}
