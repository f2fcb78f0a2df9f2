import CTuile

/// Django's table of sessions behind a cache of Django's, its `cached_db`: Django asks the
/// cache first, so that what changes in the table goes from the cache.
///
/// It goes before, so that nothing is written while the cache is away, and behind, since
/// Django may have read the old row meanwhile.
final class CachedTableStore: Store {
  private let table: any Store
  private let cache: any Store

  init(_ table: any Store, cache: any Store) {
    self.table = table
    self.cache = cache
  }

  var trusted: Bool { table.trusted }
  /// The cache may be away once the table has the change.
  var mayBeUnsure: Bool { true }
  var isInstant: Bool { false }
  var runsHostCode: Bool { table.runsHostCode }

  private func forgetting<Answer>(
    _ key: Bytes, _ body: () throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    // Records are none of Django's.
    guard !SessionKey.isRecord(key) else { return try body() }
    try cache.remove(key)
    let answer: Answer
    do throws(Failure) {
      answer = try body()
    } catch {
      // It may be made.
      try? cache.remove(key)
      throw error
    }
    do throws(Failure) {
      try cache.remove(key)
    } catch {
      throw Failure(
        status: TUILE_E_UNKNOWN, message: "the change is made, but Django's cache may still have what was before")
    }
    return answer
  }

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    try table.load(key, now: now, into: &data)
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try table.create(key, data: data, expires: expires, now: now)
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try forgetting(key) { () throws(Failure) in
      try table.replace(key, expected: expected, data: data, expires: expires)
    }
  }

  /// The data stays, and with it what the cache has.
  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool { try table.touch(key, expires: expires) }

  func remove(_ key: Bytes) throws(Failure) {
    try forgetting(key) { () throws(Failure) in try table.remove(key) }
  }

  func removeOldCopy(_ key: Bytes) throws(Failure) {
    try forgetting(key) { () throws(Failure) in try table.removeOldCopy(key) }
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    try forgetting(key) { () throws(Failure) in try table.put(key, data: data, expires: expires) }
  }

  func sweep(now: Int64, limit: Int) throws(Failure) -> Int { try table.sweep(now: now, limit: limit) }

  func close() {
    table.close()
    cache.close()
  }

  func takeRemark() -> StaticString? { table.takeRemark() ?? cache.takeRemark() }

  var keepsOwners: Bool { table.keepsOwners }
  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    try table.own(owner, key, record: record, expires: expires)
  }
  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    try table.owned(owner, now: now, each)
  }
  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    try table.ownedRecord(owner, key, into: &record)
  }
  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) { try table.disown(owner, key) }
  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) { try table.keys(now: now, each) }
  func owners(_ each: (Bytes) -> Bool) throws(Failure) { try table.owners(each) }
}
