import CSystem
import CTuile

/// An owner's sessions: to show them, to end them, to keep their number down.
extension Manager {
  /// A list as it was read; the texts live as long as this.
  final class OwnedSessions {
    struct Item {
      let key: Bytes
      let id: Bytes
      var record: OwnerRecord
      let expires: Int64
    }
    private var items: UnsafeMutablePointer<Item>?
    private var count = 0
    private var capacity = 0
    /// The items' addresses in order, once they are all here.
    private var order: UnsafeMutablePointer<sys_keyed>?
    private var arena = Arena(limit: 64 << 20)
    fileprivate private(set) var failed = false
    /// There are more than are here.
    fileprivate private(set) var isCut = false

    deinit {
      free(items)
      free(order)
    }

    fileprivate func add(_ key: Bytes, _ id: Bytes, _ record: Bytes, _ expires: Int64) {
      guard count < Owner.mostSessions else {
        isCut = true
        return
      }
      guard let key = arena.copy(key), let id = arena.copy(id), grow(), let items else {
        failed = true
        return
      }
      items[count] = Item(key: key, id: id, record: OwnerRecord(record, in: &arena), expires: expires)
      count &+= 1
    }

    private func grow() -> Bool {
      guard count == capacity else { return true }
      let wanted = max(16, capacity &* 2)
      guard let grown = realloc(items, wanted &* MemoryLayout<Item>.stride) else { return false }
      items = grown.assumingMemoryBound(to: Item.self)
      capacity = wanted
      return true
    }

    /// Each session, until `body` says to stop. The views that it gets live on
    /// this object, which must not go while they are used.
    func each<Thrown: Error>(_ body: (Item) throws(Thrown) -> Bool) throws(Thrown) {
      var i = 0
      while i < count, let item = order?[i].item, try body(item.assumingMemoryBound(to: Item.self).pointee) { i &+= 1 }
    }

    /// The one seen last first; those of one second as the store gave them.
    fileprivate func sort() {
      guard count > 0, let items else { return }
      guard let raw = malloc(count &* MemoryLayout<sys_keyed>.stride) else {
        failed = true
        return
      }
      let order = raw.assumingMemoryBound(to: sys_keyed.self)
      for i in Indices(count) {
        // The record may say anything: 40 bits of seconds, and 24 of places.
        let seen = max(0, min(items[i].record.seen, OwnedSessions.latest))
        let late = UInt64(truncatingIfNeeded: OwnedSessions.latest &- seen)
        order[i] = sys_keyed(key: late &<< 24 | UInt64(truncatingIfNeeded: i), item: UnsafeMutableRawPointer(items + i))
      }
      sys_sort(order, count)
      self.order = order
    }

    private static let latest: Int64 = 1 << 40 &- 1
  }

  var keepsOwners: Bool { store.keepsOwners }

  func sessions(of owner: Bytes) throws(Failure) -> OwnedSessions {
    let list = try read(owner)
    guard !list.isCut else { throw .limit("the owner has too many sessions") }
    return list
  }

  /// Gives the host each of them; that of `current` is marked.
  func show(
    _ list: OwnedSessions, current: Session?, _ receive: tuile_receive_owned_session,
    _ context: UnsafeMutableRawPointer?
  ) {
    list.each { (item) in
      var shown = tuile_owned_session(
        size: MemoryLayout<tuile_owned_session>.size, id: item.id.c, created: item.record.created,
        seen: item.record.seen, expires: item.expires / 1_000_000, user_agent: item.record.userAgent.c,
        address: item.record.address.c, current: false, device_bound: keys.boundID.contains(item.key))
      shown.current = current?.isStored(under: item.key) ?? false
      receive(context, &shown)
      return true
    }
  }

  /// As many of the owner's sessions as may be shown, or only the one with that id.
  private func read(_ owner: Bytes, only: Bytes? = nil) throws(Failure) -> OwnedSessions {
    let list = OwnedSessions()
    let present = now
    try reaching(.owned) { (store) throws(Failure) in
      try store.owned(owner, now: present) { key, record, expires in
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: SessionKey.idSize) { room in
          guard let start = room.baseAddress else { return }
          _ = SessionKey.writeID(of: key, to: start)
          let id = Bytes(start, SessionKey.idSize)
          if let only, !(id == only) { return }
          list.add(key, id, record, expires)
        }
      }
    }
    list.sort()
    guard !list.failed else { throw .memory }
    return list
  }

  /// Writes the entry of a session. When it was created is taken from the entry
  /// that it had under the key `before`; nil: the owner's list had none of it, and
  /// is read only to keep it to its length.
  func list(
    _ key: Bytes, of owner: Bytes, expires: Int64, _ client: (userAgent: Bytes, address: Bytes), before: Bytes?
  ) throws(Failure) {
    let seconds = now / 1_000_000
    var record = OwnerRecord(created: seconds, seen: seconds, client)
    var arena = Arena(limit: 4096)
    defer { withExtendedLifetime(arena) {} }
    if let before {
      var text = ByteBuffer()
      let found = try reaching(.owned) { (store) throws(Failure) in
        try store.ownedRecord(owner, before, into: &text)
      }
      if found { record.keep(OwnerRecord(text.bytes, in: &arena)) }
    }
    var text = ByteBuffer()
    try record.write(to: &text)
    let data = text.bytes
    try reaching(.own) { (store) throws(Failure) in try store.own(owner, key, record: data, expires: expires) }
    noteListed(key)
    if before == nil, settings.config.max_owned > 0 { try bound(owner, but: key) }
  }

  /// Ends the sessions over the limit that were not seen for the longest time.
  private func bound(_ owner: Bytes, but key: Bytes) throws(Failure) {
    var left = settings.config.max_owned &- 1
    var ended = 0
    try read(owner).each { (item) throws(Failure) in
      if item.key == key { return true }
      if left > 0 {
        left &-= 1
        return true
      }
      try end(item.key, of: owner) { $0 == key }
      ended &+= 1
      return ended < Owner.mostEnded
    }
  }

  /// Ends the session with that id; false if the owner has none such.
  func revoke(_ id: Bytes, of owner: Bytes) throws(Failure) -> Bool {
    var found = false
    try read(owner, only: id).each { (item) throws(Failure) in
      try end(item.key, of: owner)
      found = true
      return false
    }
    return found
  }

  /// Ends all sessions of the owner but one; how many, where they are counted.
  func revokeAll(of owner: Bytes, but kept: Session?) throws(Failure) -> Int {
    if let revocations, let names = keys.recordNames {
      // Read before it would be one of those that end.
      try kept?.access()
      let present = now
      let moment = try reaching(.put) { (_) throws(Failure) in try revocations.end(owner, names, now: present) }
      try kept?.beginAnew(after: moment)
      return 0
    }
    var count = 0
    // The first that the last round ended.
    var known = ByteBuffer()
    while true {
      let list = try read(owner)
      var ended = 0
      try list.each { (item) throws(Failure) in
        if let kept, kept.isStored(under: item.key) { return true }
        // It would keep us here for ever.
        guard !(item.key == known.bytes) else {
          throw Failure(status: TUILE_E_STORE, message: "the store lists a session that has ended")
        }
        if ended == 0 {
          known.removeAll()
          known.append(item.key)
          guard !known.failed else { throw .memory }
        }
        try end(item.key, of: owner) { kept?.isStored(under: $0) ?? false }
        ended &+= 1
        return true
      }
      count &+= ended
      guard list.isCut, ended > 0 else { return count }
    }
  }

  private func end(_ key: Bytes, of owner: Bytes, sparing spared: (Bytes) -> Bool = { _ in false }) throws(Failure) {
    try delete(key, keys, sparing: spared)
    try reaching(.disown) { (store) throws(Failure) in try store.disown(owner, key) }
    counters.revoked.increment()
  }
}
