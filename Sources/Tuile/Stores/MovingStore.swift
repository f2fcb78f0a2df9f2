import CSystem
import CTuile

/// Sessions on their way from one store to another, while requests run: what the
/// new one has not is read from the old one, and moves. A session that is deleted
/// leaves an empty note in the new store for a minute, so that nobody who had read
/// it from the old one brings it back.
final class MovingStore: Store {
  private let new: any Store
  private let old: any Store
  private static let noteLife: Int64 = 60_000_000

  init(new: any Store, old: any Store) {
    self.new = new
    self.old = old
  }

  var trusted: Bool { new.trusted }
  var mayBeUnsure: Bool { new.mayBeUnsure }

  func close() {
    new.close()
    old.close()
  }

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let begin = data.count
    if let expires = try new.load(key, now: now, into: &data) { return data.count > begin ? expires : nil }
    guard let expires = try old.load(key, now: now, into: &data) else { return nil }
    if try new.create(key, data: data.bytes.dropFirst(begin), expires: expires, now: now) {
      try old.remove(key)
      return expires
    }
    // Another request was first to move it, or it was deleted.
    data.truncate(begin)
    guard let expires = try new.load(key, now: now, into: &data), data.count > begin else { return nil }
    return expires
  }

  func remove(_ key: Bytes) throws(Failure) {
    try new.put(key, data: Bytes(), expires: sys_now_microseconds() &+ MovingStore.noteLife)
    try old.remove(key)
  }

  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    let removed = try new.sweep(now: now, limit: limit)
    return removed &+ (try old.sweep(now: now, limit: limit &- removed))
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try new.create(key, data: data, expires: expires, now: now)
  }
  /// Only what was loaded is replaced or touched, and so it has moved.
  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    // Nothing is what a note looks like, and what a commit expects whose load failed before.
    if !expected.isEmpty {
      let answer = try new.replace(key, expected: expected, data: data, expires: expires)
      guard answer == .conflict else { return answer }
    }
    var stored = ByteBuffer()
    return try new.load(key, now: .min, into: &stored) != nil && stored.count > 0 ? .conflict : .absent
  }
  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    while true {
      var stored = ByteBuffer()
      // A note must not live longer.
      guard try new.load(key, now: .min, into: &stored) != nil, stored.count > 0 else { return false }
      switch try new.replace(key, expected: stored.bytes, data: stored.bytes, expires: expires) {
      case .replaced: return true
      case .absent: return false
      // Another writer got through meanwhile.
      case .conflict: continue
      }
    }
  }
  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    try new.put(key, data: data, expires: expires)
  }

  var keepsOwners: Bool { new.keepsOwners }
  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    try new.own(owner, key, record: record, expires: expires)
  }
  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    try new.owned(owner, now: now, each)
    if old.keepsOwners { try old.owned(owner, now: now, each) }
  }
  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) {
    try new.disown(owner, key)
    if old.keepsOwners { try old.disown(owner, key) }
  }

  /// First the old store's, since sessions only move away from there: what has left
  /// it when the walk comes by is in the new one all the time that follows.
  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    var failure: Failure?
    var enough = false
    func give(_ key: Bytes, _ expires: Int64) -> Bool {
      do throws(Failure) {
        if try isNote(key) { return true }
      } catch {
        failure = error
        return false
      }
      enough = !each(key, expires)
      return !enough
    }
    try old.keys(now: now, give)
    if failure == nil, !enough { try new.keys(now: now, give) }
    if let failure { throw failure }
  }

  private func isNote(_ key: Bytes) throws(Failure) -> Bool {
    var stored = ByteBuffer()
    return try new.load(key, now: .min, into: &stored) != nil && stored.count == 0
  }

  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    var enough = false
    func give(_ owner: Bytes) -> Bool {
      enough = !each(owner)
      return !enough
    }
    if old.keepsOwners { try old.owners(give) }
    if !enough { try new.owners(give) }
  }
}
