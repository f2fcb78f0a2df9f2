import CSystem
import CTuile

/// A session that moves to a new key. For some seconds the old key still shows the
/// session as it was to the requests under way; whatever they or anybody else
/// changes there is saved nowhere, since a key that was planted before a login
/// must not write into what came out of it. The pointer beside the data says where
/// the session is, so that a logout with the old key ends it. Nobody who has the
/// old key is ever told the new one.
extension Session {
  static let pointer: StaticString = "_session_moved"
  /// When the pointer ends, in Unix seconds, whatever keeps its key alive.
  static let until: StaticString = "_session_moved_until"

  /// The pointer in what was just read, taken out of the data.
  func takePointer() -> Bytes? {
    guard data.entries.hasReserved, let i = data.entries.find(Bytes(Session.pointer)) else { return nil }
    let raw = data.entries[i].value
    data.entries.kill(i, change: .none)
    if let j = data.entries.find(Bytes(Session.until)) {
      known.until = Session.ends(data.entries[j].value)
      data.entries.kill(j, change: .none)
    }
    return Session.target(raw)
  }

  /// Whether an old key still shows what it did: for the grace, and only as long as
  /// the session lives under its new key. A pointer that says it stays for much longer
  /// comes from a clock that is ahead, and counts as over.
  func isServed(now: Int64) throws(Failure) -> Bool {
    guard let target = known.pointer, let until = known.until else { return false }
    let longest = max(manager.settings.config.cycle_grace, 5) &* 2_000_000 &+ 1_000_000
    guard until > now, until &- now <= longest else { return false }
    var arena = Arena(limit: 4096)
    var next: Bytes? = target
    var hops = 0
    while let key = next, hops < 16 {
      switch try manager.find(key, keys, now: now, &arena) {
      case .session: return true
      case .moved(let further): next = further
      case .absent, .unreadable: return false
      }
      hops &+= 1
    }
    return false
  }

  static func target(_ raw: Bytes) -> Bytes? {
    let target = raw.slice(1, raw.count &- 1)
    return JSONText.type(of: raw) == TUILE_TYPE_STRING && SessionKey.isSafe(target) ? target : nil
  }

  /// Pointer and end in a dictionary of which this request has dropped the rest.
  func readReserved(_ json: Bytes) throws(Failure) {
    guard JSONText.isObject(json) else { throw .syntax("the session is no JSON object") }
    if let (_, raw) = JSONText.member(Session.pointer, of: json), let target = Session.target(raw) {
      known.pointer = data.arena.copy(target)
    }
    let said = JSONText.member(Session.endsName, of: json)?.raw
    if let said, data.value(of: Bytes(Session.endsName)) == nil { try data.set(Bytes(Session.endsName), .json(said)) }
    var i = 0
    while let name = keys.codec.layout?.hiddenName(i) {
      i &+= 1
      guard data.value(of: Bytes(name)) == nil, let (_, kept) = JSONText.member(name, of: json) else { continue }
      try data.set(Bytes(name), .json(kept))
    }
    known.ends = Session.ends(said)
    known.until = Session.ends(JSONText.member(Session.until, of: json)?.raw)
  }

  /// Stores the session under its new key, then retires the old one in one step:
  /// whoever saves under it later gets a conflict and finds the pointer, or
  /// nothing; and if it was deleted meanwhile, so is the new one. What fails leaves
  /// nothing under the new key; where nobody knows, a commit that is made again goes on.
  func saveCycled(now: Int64) throws(Failure) -> Saved {
    do throws(Failure) {
      if let old = retiring { try manager.store.removeOldCopy(old) }
    } catch {
      // Nothing of the session was written.
      throw Failure(
        status: error.status == TUILE_E_UNKNOWN ? TUILE_E_STORE : error.status, message: error.message,
        detail: error.detail)
    }
    do throws(Failure) {
      if cycling.placed.count == 0 {
        try create(now: now)
        try keepPlaced()
      } else {
        try encode(now: now)
        try replacePlaced(now: now)
      }
      guard let key, let old = retiring else { return .deleted }
      if try retire(old, for: key, now: now) { return .saved }
    } catch {
      guard cycling.pointerMayEnd != nil else {
        removePlaced()
        throw error
      }
      // The old key may lead here, or will yet, whatever is wrong with this attempt.
      throw Failure(status: TUILE_E_UNKNOWN, message: error.message, detail: error.detail)
    }
    removePlaced()
    didFindDeleted()
    return .deleted
  }

  /// false if the session was deleted meanwhile.
  private func retire(_ old: Bytes, for key: Bytes, now: Int64) throws(Failure) -> Bool {
    let grace = manager.settings.config.cycle_grace
    var wait = Backoff()
    var attempts = SessionData.Attempts(data)
    var turn = Turn()
    defer { turn.end(manager) }
    while true {
      switch try retire(old, pointingTo: key, grace: grace, now: now) {
      case .replaced: return try didRetire(old, grace: grace)
      case .absent:
        // By a logout, which ends the new one too; or the pointer was there, and its time is over.
        guard let end = cycling.pointerMayEnd, manager.now >= end, try isPlaced(under: key) else { return false }
        return try didRetire(old, grace: grace)
      case .conflict:
        try wait.next(manager)
        turn.wait(self, for: old)
        if try leads(old, to: key) { return try didRetire(old, grace: grace) }
        // What was sent before finds other bytes than it expects.
        cycling.pointerMayEnd = nil
        try beginAgain(&attempts)
        guard try fetch(old) else { return false }
        if known.pointer != nil {
          // Another request was first to give it a new key: these are two sessions now.
          didSave()
          return true
        }
        // What the other request saved belongs under the new key as well.
        try encode(now: now)
        try replacePlaced(now: now)
      }
    }
  }

  private func didRetire(_ old: Bytes, grace: Int64) throws(Failure) -> Bool {
    // Nobody is served by it any more, and it is over in some seconds.
    if grace == 0 { _ = try? manager.reaching(.remove) { (store) throws(Failure) in try store.remove(old) } }
    // It may have been moved to this store between the first look and now.
    try? manager.store.removeOldCopy(old)
    manager.counters.deletes.increment()
    didSave()
    return true
  }

  private func keepPlaced() throws(Failure) {
    cycling.placed.removeAll()
    cycling.placed.append(encoded.bytes)
    guard !cycling.placed.failed else { throw .memory }
  }

  /// Nobody else knows the key yet. Not by removing it: that leaves a note in a
  /// store that sessions move to.
  private func replacePlaced(now: Int64) throws(Failure) {
    guard let key else { return }
    let answer = try replace(key, expected: cycling.placed.bytes, data: encoded.bytes, expires: expires(now: now), .put)
    guard answer == .replaced else {
      throw Failure(status: TUILE_E_STORE, message: "the store changed a session that nobody knows")
    }
    try keepPlaced()
  }

  private func removePlaced() {
    guard cycling.placed.count > 0 || keyIsNew, let key else { return }
    // Twice: it is all that a failure may leave behind.
    var attempts = 0
    while attempts < 2 {
      attempts &+= 1
      if (try? manager.reaching(.remove) { (store) throws(Failure) in try store.remove(key) }) != nil { break }
    }
    cycling.placed.removeAll()
    // A removal that arrives late finds nothing of a commit that is made again.
    if retiring != nil { _ = try? adoptNewKey() }
  }

  private func isPlaced(under key: Bytes) throws(Failure) -> Bool {
    var arena = Arena(limit: 4096)
    if case .session = try manager.find(key, keys, now: manager.now, &arena) { return true }
    return false
  }

  /// Whether the record of `old` is the pointer that this request left there.
  private func leads(_ old: Bytes, to key: Bytes) throws(Failure) -> Bool {
    guard cycling.pointerMayEnd != nil else { return false }
    var arena = Arena(limit: 4096)
    if case .moved(let target) = try manager.find(old, keys, now: .min, &arena) { return target == key }
    return false
  }

  private func retire(_ old: Bytes, pointingTo key: Bytes, grace: Int64, now: Int64) throws(Failure) -> Replaced {
    // Without a grace: for as long as it takes to see that it is there.
    let expires = now &+ max(grace, 10) &* 1_000_000
    let until = now &+ grace &* 1_000_000
    var text = ByteBuffer()
    var retired = ByteBuffer()
    if grace > 0, try keys.codec.decode(stored.bytes, to: &text) != nil {
      text.truncate(text.bytes.findLast(UInt8(ascii: "}")) ?? 0)
    }
    if text.count == 0 { text.append(UInt8(ascii: "{")) }
    var scanner = JSONScanner(text.bytes)
    _ = scanner.take(UInt8(ascii: "{"))
    scanner.skipSpace()
    if !scanner.isAtEnd { text.append(UInt8(ascii: ",")) }
    // A session that is as large as it may be leaves its data out.
    if text.count > keys.codec.limit &- 160 {
      text.removeAll()
      text.append(UInt8(ascii: "{"))
    }
    text.append("\"")
    text.append(Session.until)
    text.append("\":")
    // Rounded up: the store's own end is to the microsecond.
    Numbers.writeDecimal(until / 1_000_000 &+ (grace > 0 && until % 1_000_000 > 0 ? 1 : 0), to: &text)
    text.append(",\"")
    text.append(Session.pointer)
    text.append("\":\"")
    text.append(key)
    text.append("\"}")
    guard !text.failed else { throw .memory }
    let moment = manager.moment(now: now, expires: grace > 0 ? until : expires)
    try keys.codec.encode(text.bytes, base: stored.bytes, moment, to: &retired)
    let data = retired.bytes
    do throws(Failure) {
      return try replaceLast(old, expected: stored.bytes, data: data, expires: grace > 0 ? until : expires) {
        (seen) throws(Failure) in
        if seen == data { return true }
        var arena = Arena(limit: 4096)
        if case .moved(let target) = try manager.kind(of: seen, keys, &arena) { return target == key }
        return false
      }
    } catch {
      if error.status == TUILE_E_UNKNOWN {
        cycling.pointerMayEnd = grace > 0 ? until : expires
      }
      throw error
    }
  }
}
