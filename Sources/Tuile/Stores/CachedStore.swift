import CSystem
import CTuile
import Synchronization

/// A cache in front of a store, written through. What is in front is an entry, a
/// copy of what the store had, or a mark: somebody is writing, look behind. A
/// writer marks first, writes to the store, and then puts its copy in place of its
/// own mark only. A reader that fills does the same: its own mark, the store, its
/// copy in the mark's place. So an old copy never takes the place of a newer one,
/// nor of nothing, however late its reader is. A cache that fails is passed by: the
/// store decides; what could not be marked is remembered, and marked before the cache
/// is asked again.
final class CachedStore: Store {
  private let back: any Store
  private let front: any Store
  /// How long a copy counts, in microseconds: a process that writes without this
  /// cache, or while it is away, is noticed after that at the latest.
  private let fresh: Int64
  /// How long a mark stays: readers look behind it until then.
  private static let markLife: Int64 = 10_000_000
  /// Until when a cache that gave no answer is let alone, by the monotonic clock:
  /// else every call would wait for it.
  private let awayUntil = Atomic<Int64>(0)
  private static let awayTime: Int64 = 1_000_000
  private let unmarked = UnmarkedKeys()

  init(back: any Store, front: any Store, fresh: Int64) {
    self.back = back
    self.front = front
    self.fresh = fresh
  }

  /// A copy in front counts as much as what is behind: both must be this process's own.
  var trusted: Bool { back.trusted && front.trusted }
  var mayBeUnsure: Bool { back.mayBeUnsure }
  var runsHostCode: Bool { back.runsHostCode || front.runsHostCode }

  func takeRemark() -> StaticString? { back.takeRemark() ?? front.takeRemark() }

  func close() {
    unmarked.stop()
    back.close()
    front.close()
  }

  /// Asks the cache; nil if it gives no answer, now or within this second.
  private func asking<Answer>(_ call: (any Store) throws(Failure) -> Answer) -> Answer? {
    let now = sys_monotonic_microseconds()
    guard now >= awayUntil.load(ordering: .relaxed) else { return nil }
    do throws(Failure) {
      if unmarked.isUsed {
        let settled = try unmarked.settle(now: now) { (key) throws(Failure) in
          var mark = ByteBuffer()
          try appendMark(to: &mark)
          try front.put(key, data: mark.bytes, expires: sys_now_microseconds() &+ CachedStore.markLife)
        }
        // There were more than could be remembered.
        guard settled, !unmarked.hidesAll(now: now) else { return nil }
      }
      return try call(front)
    } catch {
      if error.status == TUILE_E_STORE || error.status == TUILE_E_BUSY {
        awayUntil.store(sys_monotonic_microseconds() &+ CachedStore.awayTime, ordering: .relaxed)
      }
      return nil
    }
  }

  // MARK: What is in front

  /// 'd', the session's expiry in 16 hex digits, the data; or 'm' and the mark's own digits.
  private static let headSize = 17

  private func entry(_ data: Bytes, expires: Int64, to out: inout ByteBuffer) {
    out.append(UInt8(ascii: "d"))
    Hex.encode(UInt64(bitPattern: expires), digits: 16, to: &out)
    out.append(data)
  }

  /// The session's expiry, if this is an entry.
  private func expiry(of entry: Bytes) -> Int64? {
    guard entry[0] == UInt8(ascii: "d"), entry.count >= CachedStore.headSize else { return nil }
    var number: UInt64 = 0
    var i = 1
    while i < CachedStore.headSize {
      guard let digit = Hex.digit(entry[i]) else { return nil }
      number = number &<< 4 | UInt64(digit)
      i &+= 1
    }
    return Int64(bitPattern: number)
  }

  /// How long the front keeps an entry.
  private func keep(_ expires: Int64) -> Int64 { min(expires, sys_now_microseconds() &+ fresh) }

  /// Not what counts for longer than anything that is put there: it is from before
  /// the clock was set back. Clocks of other machines may be a little ahead.
  private func isFresh(_ until: Int64, _ present: Int64) -> Bool {
    until > present && until &- present <= fresh &* 2
  }

  private enum After {
    /// A copy in place of the mark.
    case copy
    case mark
    /// The store has changed nothing.
    case nothing
  }

  /// Runs a write between two steps in front: a mark of its own, and a copy in its
  /// place, if the mark is still there; else a mark again, since another writer,
  /// who was first in the store, may have put an old copy there.
  private func writing<Answer>(
    _ key: Bytes, _ data: Bytes, expires: Int64, _ write: () throws(Failure) -> (answer: Answer, after: After)
  ) throws(Failure) -> Answer {
    var seen = ByteBuffer()
    try mark(key, &seen)
    var finished = false
    defer { if !finished { markAgain(key) } }
    let (answer, after) = try write()
    guard case .copy = after else {
      if case .nothing = after { finished = true }
      return answer
    }
    var copy = ByteBuffer()
    entry(data, expires: expires, to: &copy)
    guard !copy.failed else { return answer }
    let placed = asking { (front) throws(Failure) in
      try front.replace(key, expected: seen.bytes, data: copy.bytes, expires: keep(expires))
    }
    finished = placed == .replaced
    return answer
  }

  /// Puts a mark in front. That the cache is not there is no failure.
  private func mark(_ key: Bytes, _ mark: inout ByteBuffer) throws(Failure) {
    mark.removeAll()
    try appendMark(to: &mark)
    _ = asking { (front) throws(Failure) in
      try front.put(key, data: mark.bytes, expires: sys_now_microseconds() &+ CachedStore.markLife)
    }
  }

  /// After a write that left no copy in front: nothing that is there may count.
  private func markAgain(_ key: Bytes) {
    var mark = ByteBuffer()
    let placed: Void? =
      (try? appendMark(to: &mark)) == nil
      ? nil
      : asking { (front) throws(Failure) in
        try front.put(key, data: mark.bytes, expires: sys_now_microseconds() &+ CachedStore.markLife)
      }
    if placed == nil { unmarked.add(key, fresh: fresh, self) }
  }

  /// Marks what could not be marked, if the cache is there again.
  func tryAgain() { _ = asking { (_) throws(Failure) in } }

  private func appendMark(to out: inout ByteBuffer) throws(Failure) {
    var number: UInt64 = 0
    guard sys_random(&number, MemoryLayout<UInt64>.size) else { throw .random }
    out.append(UInt8(ascii: "m"))
    Hex.encode(number, digits: 16, to: &out)
    guard !out.failed else { throw .memory }
  }

  // MARK: Store

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    var seen = ByteBuffer()
    let present = sys_now_microseconds()
    let answer = asking { (front) throws(Failure) in try front.load(key, now: .min, into: &seen) }
    let reachable = answer != nil
    let until = answer ?? nil
    if let until, isFresh(until, present), let expires = expiry(of: seen.bytes), expires > now {
      data.append(seen.bytes.dropFirst(CachedStore.headSize))
      guard !data.failed else { throw .memory }
      return expires
    }
    // A mark that counts still is left alone: its writer puts the copy there.
    let fills = reachable && (until == nil || until ?? 0 <= present || expiry(of: seen.bytes) != nil)
    guard fills else { return try back.load(key, now: now, into: &data) }
    let begin = data.count
    // Another process's cache costs more than a look, and a key that is not there leaves nothing in it.
    if !front.trusted, try back.load(key, now: now, into: &data) == nil { return nil }
    data.truncate(begin)
    var mark = ByteBuffer()
    try appendMark(to: &mark)
    let marked = asking { (front) throws(Failure) in
      let end = sys_now_microseconds() &+ CachedStore.markLife
      if until == nil { return try front.create(key, data: mark.bytes, expires: end, now: present) }
      return try front.replace(key, expected: seen.bytes, data: mark.bytes, expires: end) == .replaced
    }
    let expires = try back.load(key, now: now, into: &data)
    guard marked == true else { return expires }
    var copy = ByteBuffer()
    if let expires { entry(data.bytes.dropFirst(begin), expires: expires, to: &copy) } else { copy.append(mark.bytes) }
    guard !copy.failed else { return expires }
    _ = asking { (front) throws(Failure) in
      try front.replace(key, expected: mark.bytes, data: copy.bytes, expires: expires.map(keep) ?? 0)
    }
    return expires
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try writing(key, data, expires: expires) { () throws(Failure) in
      let created = try back.create(key, data: data, expires: expires, now: now)
      return (created, created ? .copy : .nothing)
    }
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try writing(key, data, expires: expires) { () throws(Failure) in
      let answer = try back.replace(key, expected: expected, data: data, expires: expires)
      return (answer, answer == .replaced ? .copy : .nothing)
    }
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    try writing(key, data, expires: expires) { () throws(Failure) in
      try back.put(key, data: data, expires: expires)
      return ((), .copy)
    }
  }

  /// The data in front is right still: its entry gets the new expiry, unless
  /// somebody writes at the same time.
  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    guard try back.touch(key, expires: expires) else { return false }
    var seen = ByteBuffer()
    let answer = asking { (front) throws(Failure) in try front.load(key, now: .min, into: &seen) }
    guard let until = answer ?? nil, expiry(of: seen.bytes) != nil else { return true }
    var copy = ByteBuffer()
    entry(seen.bytes.dropFirst(CachedStore.headSize), expires: expires, to: &copy)
    // It counts no longer for that: nobody has compared the data with the store's.
    if !copy.failed {
      _ = asking { (front) throws(Failure) in
        try front.replace(key, expected: seen.bytes, data: copy.bytes, expires: min(until, expires))
      }
    }
    return true
  }

  /// The mark stays, so that no reader under way brings a copy back.
  func remove(_ key: Bytes) throws(Failure) {
    try writing(key, Bytes(), expires: 0) { () throws(Failure) in
      try back.remove(key)
      return ((), .mark)
    }
  }

  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    _ = asking { (front) throws(Failure) in try front.sweep(now: sys_now_microseconds(), limit: limit) }
    return try back.sweep(now: now, limit: limit)
  }

  // MARK: Owners

  var keepsOwners: Bool { back.keepsOwners }

  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    try back.own(owner, key, record: record, expires: expires)
  }
  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    try back.owned(owner, now: now, each)
  }
  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    try back.ownedRecord(owner, key, into: &record)
  }
  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) { try back.disown(owner, key) }

  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) { try back.keys(now: now, each) }
  func owners(_ each: (Bytes) -> Bool) throws(Failure) { try back.owners(each) }
}
