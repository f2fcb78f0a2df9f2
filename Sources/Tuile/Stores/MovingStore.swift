import CSystem
import CTuile

/// Sessions on their way from one store to another, while requests run: what the
/// new one has not is read from the old one, and moves. Whoever moves a session puts
/// a claim in the new store, looks in the old one once more, and puts the session in
/// the place of just that claim; so a reader that is late, by however much, brings
/// nothing back that was deleted meanwhile. A session that is deleted goes from the
/// old store first, and leaves an empty note in the new one for a minute.
final class MovingStore: Store {
  private let new: any Store
  private let old: any Store
  private static let noteLife: Int64 = 60_000_000
  /// After this the owner of a claim has died, or is slow and finds that it was taken over.
  private static let claimLife: Int64 = 5_000_000
  /// '~' and 16 hex digits; nothing that is signed, and no JSON, looks like that.
  private static let claimSize = 17
  /// Only what it can verify moves: all else is another program's. Set once, before use.
  unowned(unsafe) var reader: (any SessionReader)?

  init(new: any Store, old: any Store) {
    self.new = new
    self.old = old
  }

  var trusted: Bool { new.trusted }
  var mayBeUnsure: Bool { new.mayBeUnsure }
  var runsHostCode: Bool { new.runsHostCode || old.runsHostCode }

  func takeRemark() -> StaticString? { new.takeRemark() ?? old.takeRemark() }

  func close() {
    new.close()
    old.close()
  }

  private static func isClaim(_ data: Bytes) -> Bool { data.count == claimSize && data[0] == UInt8(ascii: "~") }

  private static func appendClaim(to out: inout ByteBuffer) throws(Failure) {
    var number: UInt64 = 0
    guard sys_random(&number, MemoryLayout<UInt64>.size) else { throw .random }
    out.append(UInt8(ascii: "~"))
    Hex.encode(number, digits: 16, to: &out)
    guard !out.failed else { throw .memory }
  }

  private func isOurs(_ data: Bytes) throws(Failure) -> Bool {
    // Where nobody is there who knows what a session looks like, all may move.
    guard let reader else { return true }
    return try reader.isOurs(data)
  }

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let begin = data.count
    var (missed, attempts) = (false, 0)
    while attempts < 16 {
      attempts &+= 1
      data.truncate(begin)
      // Expired or not: a note or claim whose time is over is in the way, too.
      let until = try new.load(key, now: .min, into: &data)
      var seen = ByteBuffer()
      seen.append(data.bytes.dropFirst(begin))
      guard !data.failed, !seen.failed else { throw .memory }
      let isClaim = MovingStore.isClaim(seen.bytes)
      let counts = until ?? 0 > sys_now_microseconds()
      if let until, !isClaim {
        if seen.count > 0 { return until > now ? until : nil }
        if counts { return nil }
      }
      data.truncate(begin)
      guard let expires = try old.load(key, now: now, into: &data) else {
        // Between the two looks somebody may have moved it.
        if missed { return nil }
        missed = true
        continue
      }
      // While another request moves it, it is where it was.
      if isClaim, counts { return expires }
      guard try isOurs(data.bytes.dropFirst(begin)) else { return expires }
      try move(key, now: now, seen: until == nil ? nil : seen.bytes)
    }
    throw Failure(status: TUILE_E_BUSY, message: "other requests kept moving the session")
  }

  /// What is in the new store counts afterwards, whoever put it there.
  private func move(_ key: Bytes, now: Int64, seen: Bytes?) throws(Failure) {
    var claim = ByteBuffer()
    try MovingStore.appendClaim(to: &claim)
    let until = sys_now_microseconds() &+ MovingStore.claimLife
    if let seen {
      guard try new.replace(key, expected: seen, data: claim.bytes, expires: until) == .replaced else { return }
    } else {
      guard try new.create(key, data: claim.bytes, expires: until, now: now) else { return }
    }
    var again = ByteBuffer()
    if let expires = try old.load(key, now: now, into: &again) {
      let answer = try new.replace(key, expected: claim.bytes, data: again.bytes, expires: expires)
      if answer == .replaced { try old.remove(key) }
    } else {
      // It was deleted while this request was on its way.
      let note = sys_now_microseconds() &+ MovingStore.noteLife
      _ = try new.replace(key, expected: claim.bytes, data: Bytes(), expires: note)
    }
  }

  /// What could not be removed when it was moved would come back under a key that ends early.
  func removeOldCopy(_ key: Bytes) throws(Failure) {
    var stored = ByteBuffer()
    guard try new.load(key, now: .min, into: &stored) != nil, stored.count > 0, !MovingStore.isClaim(stored.bytes)
    else {
      return
    }
    try old.remove(key)
  }

  func remove(_ key: Bytes) throws(Failure) {
    try old.remove(key)
    var attempts = 0
    while attempts < 64 {
      attempts &+= 1
      let until = sys_now_microseconds() &+ MovingStore.noteLife
      var stored = ByteBuffer()
      if try new.load(key, now: .min, into: &stored) == nil {
        if try new.create(key, data: Bytes(), expires: until, now: .min) { return }
      } else if try new.replace(key, expected: stored.bytes, data: Bytes(), expires: until) == .replaced {
        return
      }
    }
    throw Failure(status: TUILE_E_BUSY, message: "other writers kept changing the key")
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
      if answer == .replaced { return answer }
    }
    var stored = ByteBuffer()
    var missed = false
    while true {
      if try new.load(key, now: .min, into: &stored) != nil { return stored.count > 0 ? .conflict : .absent }
      if missed { return .absent }
      // Whoever was moving it may not have come to an end: then it is where it was, or
      // somebody moves it between the two looks.
      if try old.load(key, now: .min, into: &stored) != nil { return .conflict }
      missed = true
    }
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
  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    if try new.ownedRecord(owner, key, into: &record) { return true }
    return old.keepsOwners ? try old.ownedRecord(owner, key, into: &record) : false
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
