import CSystem

/// Some of the sessions in memory, and the entries of owners' lists for their
/// keys. Its mutex guards all of it and is taken by the store.
struct MemoryShard {
  var mutex = sys_mutex()
  private var sessions = MemoryTable()
  private var owned = MemoryTable()
  /// Most bytes of all that is in here; 0: no limit.
  private let limit: Int
  private var used = 0
  private var newest: MemoryNode.Pointer?
  private var oldest: MemoryNode.Pointer?
  /// The bucket where the next look for expired sessions begins; for owners' lists the same.
  private var hand = 0
  private var ownedHand = 0

  enum Stored { case done, outOfMemory, tooLarge }

  init(limit: Int) { self.limit = limit }

  mutating func freeAll() {
    sessions.free { MemoryNode.release(MemoryNode.of($0)) }
    owned.free { MemoryOwned.release(MemoryOwned.of($0)) }
  }

  // MARK: Sessions

  func find(_ hash: UInt32, _ key: Bytes) -> MemoryNode.Pointer? {
    var next = sessions.chain(of: hash)
    while let entry = next {
      let node = MemoryNode.of(entry)
      if entry.pointee.hash == hash, MemoryNode.key(node) == key { return node }
      next = entry.pointee.next
    }
    return nil
  }

  /// Adds a key that is not there.
  mutating func insert(_ hash: UInt32, _ key: Bytes, _ data: Bytes, _ expires: Int64) -> Stored {
    guard sessions.prepare(), let node = MemoryNode.make(hash, key, data, expires) else { return .outOfMemory }
    guard fits(node) else { return .tooLarge }
    add(node)
    return .done
  }

  /// Gives a session other data.
  mutating func rewrite(_ node: MemoryNode.Pointer, _ data: Bytes, _ expires: Int64) -> Stored {
    if MemoryNode.suits(node, data) {
      MemoryNode.write(node, data)
      node.pointee.expires = expires
      use(node)
      return .done
    }
    guard let fresh = MemoryNode.make(node.pointee.link.hash, MemoryNode.key(node), data, expires) else {
      return .outOfMemory
    }
    guard fits(fresh) else { return .tooLarge }
    fresh.pointee.owned = node.pointee.owned
    node.pointee.owned = nil
    remove(node)
    add(fresh)
    return .done
  }

  private mutating func add(_ node: MemoryNode.Pointer) {
    sessions.insert(MemoryNode.entry(node))
    guard limit > 0 else { return }
    used &+= MemoryNode.allocated(node)
    append(node)
    evict(but: node)
  }

  mutating func remove(_ node: MemoryNode.Pointer) {
    if let entry = node.pointee.owned { drop(entry) }
    sessions.remove(MemoryNode.entry(node))
    if limit > 0 {
      used &-= MemoryNode.allocated(node)
      unlink(node)
    }
    MemoryNode.release(node)
  }

  // MARK: The limit

  private var allUsed: Int { used &+ sessions.allocated &+ owned.allocated }

  /// Whether there is room once all else is gone; releases the node if not.
  private func fits(_ node: MemoryNode.Pointer) -> Bool {
    guard limit > 0, MemoryNode.allocated(node) &+ sessions.allocated &+ owned.allocated > limit else { return true }
    MemoryNode.release(node)
    return false
  }

  /// The session was used: it is the last to go.
  mutating func use(_ node: MemoryNode.Pointer) {
    guard limit > 0, node != newest else { return }
    unlink(node)
    append(node)
  }

  private mutating func append(_ node: MemoryNode.Pointer) {
    node.pointee.newer = nil
    node.pointee.older = newest
    if let newest { newest.pointee.newer = node } else { oldest = node }
    newest = node
  }

  private mutating func unlink(_ node: MemoryNode.Pointer) {
    let (older, newer) = (node.pointee.older, node.pointee.newer)
    if let older { older.pointee.newer = newer } else { oldest = newer }
    if let newer { newer.pointee.older = older } else { newest = older }
  }

  /// Drops the sessions that were used longest ago until all fits.
  private mutating func evict(but kept: MemoryNode.Pointer?) {
    while allUsed > limit, let victim = oldest, victim != kept { remove(victim) }
    if allUsed > limit { dropOwned(buckets: owned.size, madeBefore: .max) }
  }

  // MARK: Expiry

  /// Looks at the next buckets and drops what is expired there; how many it dropped.
  mutating func expire(buckets: Int, before now: Int64, limit: Int) -> Int {
    var dropped = 0
    var looks = 0
    while looks < buckets, dropped < limit, sessions.size > 0 {
      if hand >= sessions.size { hand = 0 }
      var next = sessions.chain(hand)
      while let entry = next, dropped < limit {
        next = entry.pointee.next
        guard MemoryNode.of(entry).pointee.expires < now else { continue }
        let size = sessions.size
        remove(MemoryNode.of(entry))
        dropped &+= 1
        // The table shrank: a chain may have been put on this one.
        if sessions.size != size { break }
      }
      if next == nil { hand &+= 1 }
      looks &+= 1
    }
    return dropped
  }

  var buckets: Int { sessions.size }

  // MARK: Walks

  /// Buckets that are looked at under one lock.
  private static let walked = 64

  /// Gives the next live keys from a place in a walk; where to go on.
  func keys(_ place: UInt64, now: Int64, _ body: (Bytes, Int64) -> Void) -> UInt64 {
    walk(sessions, place) { entry in
      let node = MemoryNode.of(entry)
      if node.pointee.expires > now { body(MemoryNode.key(node), node.pointee.expires) }
    }
  }

  /// The same for owners; each once, unless its entries come and go meanwhile.
  func owners(_ place: UInt64, _ body: (Bytes) -> Void) -> UInt64 {
    walk(owned, place) { entry in
      let owner = MemoryOwned.owner(MemoryOwned.of(entry))
      var next = owned.chain(of: entry.pointee.hash)
      while let other = next, other != entry {
        if other.pointee.hash == entry.pointee.hash, MemoryOwned.owner(MemoryOwned.of(other)) == owner { return }
        next = other.pointee.next
      }
      body(owner)
    }
  }

  private func walk(_ table: MemoryTable, _ place: UInt64, _ body: (MemoryTable.Entry) -> Void) -> UInt64 {
    var place = place
    var looks = 0
    while looks < MemoryShard.walked, place < MemoryTable.end {
      place = table.visit(place, body)
      looks &+= 1
    }
    return place
  }

  // MARK: Owners

  /// An owner's entries in here, at most: then the session of the oldest one goes.
  private static let mostOwned = 1024
  /// For so many seconds an entry waits for its session to be stored.
  private static let waiting: Int64 = 60

  mutating func own(_ hash: UInt32, _ owner: Bytes, _ keyHash: UInt32, _ key: Bytes, _ record: Bytes) -> Stored {
    guard owned.prepare(), let fresh = MemoryOwned.make(hash, owner, keyHash, key, record) else { return .outOfMemory }
    disown(hash, owner, key)
    dropOwned(buckets: 2, madeBefore: sys_now_seconds() &- MemoryShard.waiting)
    boundOwned(hash, owner)
    owned.insert(MemoryOwned.entry(fresh))
    used &+= Int(fresh.pointee.allocated)
    let node = find(keyHash, key)
    if let other = node?.pointee.owned { drop(other) }
    node?.pointee.owned = fresh
    if limit > 0 { evict(but: node) }
    return .done
  }

  mutating func disown(_ hash: UInt32, _ owner: Bytes, _ key: Bytes) {
    if let found = findOwned(hash, owner, key) { drop(found) }
  }

  func findOwned(_ hash: UInt32, _ owner: Bytes, _ key: Bytes) -> MemoryOwned.Pointer? {
    var next = owned.chain(of: hash)
    while let entry = next {
      next = entry.pointee.next
      let found = MemoryOwned.of(entry)
      if entry.pointee.hash == hash, MemoryOwned.key(found) == key, MemoryOwned.owner(found) == owner { return found }
    }
    return nil
  }

  private mutating func drop(_ found: MemoryOwned.Pointer) {
    if let node = find(found.pointee.keyHash, MemoryOwned.key(found)), node.pointee.owned == found {
      node.pointee.owned = nil
    }
    owned.remove(MemoryOwned.entry(found))
    used &-= Int(found.pointee.allocated)
    MemoryOwned.release(found)
  }

  /// Gives each entry of the owner whose session is here and alive.
  func each(_ hash: UInt32, _ owner: Bytes, now: Int64, _ body: (MemoryOwned.Pointer, Int64) -> Void) {
    var next = owned.chain(of: hash)
    while let entry = next {
      next = entry.pointee.next
      let found = MemoryOwned.of(entry)
      guard entry.pointee.hash == hash, MemoryOwned.owner(found) == owner else { continue }
      guard let node = find(found.pointee.keyHash, MemoryOwned.key(found)), node.pointee.expires > now else { continue }
      body(found, node.pointee.expires)
    }
  }

  private mutating func boundOwned(_ hash: UInt32, _ owner: Bytes) {
    var count = 0
    var last: MemoryOwned.Pointer?
    var next = owned.chain(of: hash)
    while let entry = next {
      next = entry.pointee.next
      let found = MemoryOwned.of(entry)
      guard entry.pointee.hash == hash, MemoryOwned.owner(found) == owner else { continue }
      count &+= 1
      if last.map({ found.pointee.made < $0.pointee.made }) ?? true { last = found }
    }
    guard count >= MemoryShard.mostOwned, let last else { return }
    let node = find(last.pointee.keyHash, MemoryOwned.key(last))
    drop(last)
    if let node { remove(node) }
  }

  /// Looks at the next buckets of lists and drops entries without a session that
  /// were made before `madeBefore`.
  mutating func dropOwned(buckets: Int, madeBefore: Int64) {
    var looks = 0
    while looks < buckets, owned.size > 0 {
      if ownedHand >= owned.size { ownedHand = 0 }
      var next = owned.chain(ownedHand)
      while let entry = next {
        next = entry.pointee.next
        let found = MemoryOwned.of(entry)
        guard found.pointee.made < madeBefore, find(found.pointee.keyHash, MemoryOwned.key(found)) == nil else {
          continue
        }
        let size = owned.size
        drop(found)
        if owned.size != size { break }
      }
      ownedHand &+= 1
      looks &+= 1
    }
  }
}
