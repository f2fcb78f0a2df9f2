import CTuile

/// A store that has a layout's sessions under other keys than their cookies say, such as
/// hashes of these. Records are our own and stay under their keys. Lists of owners, which
/// would give the store's keys, are there where these lead back to the session's.
final class MappedStore: Store {
  private let store: any Store
  private let layout: Layout

  init(_ store: any Store, _ layout: Layout) {
    self.store = store
    self.layout = layout
  }

  /// What a walk gave is the store's key already.
  private func mapped<Answer>(
    _ key: Bytes, _ body: (Bytes) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    let isStores = !layout.readsStoreKeys && layout.isStoreKey(key) && !layout.isKey(key)
    if SessionKey.isRecord(key) || isStores { return try body(key) }
    guard layout.isKey(key) else { throw .argument("the session ID is none that the store's layout has") }
    var mapped = ByteBuffer()
    layout.writeStoreKey(key, to: &mapped)
    guard !mapped.failed else { throw .memory }
    return try body(mapped.bytes)
  }

  var trusted: Bool { store.trusted }
  var mayBeUnsure: Bool { store.mayBeUnsure }
  var isInstant: Bool { store.isInstant }
  var runsHostCode: Bool { store.runsHostCode }

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    try mapped(key) { (key) throws(Failure) in try store.load(key, now: now, into: &data) }
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try mapped(key) { (key) throws(Failure) in try store.create(key, data: data, expires: expires, now: now) }
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try mapped(key) { (key) throws(Failure) in
      try store.replace(key, expected: expected, data: data, expires: expires)
    }
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    try mapped(key) { (key) throws(Failure) in try store.touch(key, expires: expires) }
  }

  func remove(_ key: Bytes) throws(Failure) {
    try mapped(key) { (key) throws(Failure) in try store.remove(key) }
  }

  func removeOldCopy(_ key: Bytes) throws(Failure) {
    try mapped(key) { (key) throws(Failure) in try store.removeOldCopy(key) }
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    try mapped(key) { (key) throws(Failure) in try store.put(key, data: data, expires: expires) }
  }

  func sweep(now: Int64, limit: Int) throws(Failure) -> Int { try store.sweep(now: now, limit: limit) }
  func close() { store.close() }
  func takeRemark() -> StaticString? { store.takeRemark() }

  // MARK: Walks and owners

  /// The key of a session that the store's leads back to; nil: it is none.
  private func sessions(_ key: Bytes) -> Bytes? {
    guard let read = try? layout.readStoreKey(key), layout.isKey(read) else { return nil }
    return read
  }

  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    guard layout.readsStoreKeys else { return try store.keys(now: now, each) }
    try store.keys(now: now) { key, expires in sessions(key).map { each($0, expires) } ?? true }
  }

  var keepsOwners: Bool { layout.readsStoreKeys && store.keepsOwners }

  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    guard keepsOwners else { throw .noOwners }
    try mapped(key) { (key) throws(Failure) in try store.own(owner, key, record: record, expires: expires) }
  }

  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    guard keepsOwners else { throw .noOwners }
    try store.owned(owner, now: now) { key, record, expires in
      if let key = sessions(key) { each(key, record, expires) }
    }
  }

  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    guard keepsOwners else { throw .noOwners }
    return try mapped(key) { (key) throws(Failure) in try store.ownedRecord(owner, key, into: &record) }
  }

  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) {
    guard keepsOwners else { throw .noOwners }
    try mapped(key) { (key) throws(Failure) in try store.disown(owner, key) }
  }

  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    guard keepsOwners else { throw .noOwners }
    try store.owners(each)
  }
}
