import CTuile

/// A store that has a layout's sessions under other keys than their cookies say, such as
/// hashes of these. Records are our own and stay under their keys. It keeps no lists of
/// owners: those would give the store's keys, which no session knows as its own.
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
    if SessionKey.isRecord(key) || layout.isStoreKey(key) && !layout.isKey(key) { return try body(key) }
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

  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) { try store.keys(now: now, each) }
}
