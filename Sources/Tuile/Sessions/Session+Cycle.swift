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
  private static let until: StaticString = "_session_moved_until"

  /// The pointer in what was just read, taken out of the data.
  func takePointer() -> Bytes? {
    guard data.entries.hasReserved, let i = data.entries.find(Bytes(Session.pointer)) else { return nil }
    let raw = data.entries[i].value
    data.entries.kill(i, change: .none)
    if let j = data.entries.find(Bytes(Session.until)) {
      storedUntil = Session.ends(data.entries[j].value)
      data.entries.kill(j, change: .none)
    }
    return Session.target(raw)
  }

  /// Whether an old key still shows what it did: for the grace, and only as long as
  /// the session lives under its new key. A pointer that says it stays for much longer
  /// comes from a clock that is ahead, and counts as over.
  func isServed(now: Int64) throws(Failure) -> Bool {
    guard let target = storedPointer, let until = storedUntil else { return false }
    let longest = max(manager.settings.cycleGrace, 5) &* 2_000_000 &+ 1_000_000
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
    return JSONText.type(of: raw) == TUILE_TYPE_STRING && SessionKey.isValid(target) ? target : nil
  }

  /// Pointer and end in a dictionary of which this request has dropped the rest.
  func readReserved(_ json: Bytes) throws(Failure) {
    guard JSONText.isObject(json) else { throw .syntax("the session is no JSON object") }
    if let (_, raw) = JSONText.member(Session.pointer, of: json), let target = Session.target(raw) {
      storedPointer = data.arena.copy(target)
    }
    storedEnds = Session.ends(JSONText.member(Session.endsName, of: json)?.raw)
    storedUntil = Session.ends(JSONText.member(Session.until, of: json)?.raw)
  }

  /// Stores the session under its new key, then retires the old one in one step:
  /// whoever saves under it later gets a conflict and finds the pointer, or
  /// nothing; and if it was deleted meanwhile, so is the new one.
  func saveCycled(now: Int64) throws(Failure) -> Saved {
    guard let old = retiring else { return .deleted }
    try create(now: now)
    guard let key else { return .deleted }
    let grace = manager.settings.cycleGrace
    var wait = Backoff()
    var attempts = SessionData.Attempts(data)
    while true {
      switch try retire(old, pointingTo: key, expires: grace == 0 ? 0 : now &+ grace &* 1_000_000, now: now) {
      case .replaced:
        if grace == 0 { try manager.reaching(.remove) { (store) throws(Failure) in try store.remove(old) } }
        manager.counters.deletes.increment()
        didSave()
        return .saved
      case .absent:
        break
      case .conflict:
        try wait.next(manager)
        try beginAgain(&attempts)
        if try fetch(old) {
          guard movedTo == nil else {
            // Another request was first to give it a new key: these are two sessions now.
            movedTo = nil
            didSave()
            return .saved
          }
          // What the other request saved belongs under the new key as well.
          try encode(now: now)
          try recreate(key, now: now)
          continue
        }
      }
      try manager.reaching(.remove) { (store) throws(Failure) in try store.remove(key) }
      if !isDeleted { didFindDeleted() }
      return .deleted
    }
  }

  /// Nobody else knows the key yet. Not by removing it: that leaves a note in a
  /// store that sessions move to.
  private func recreate(_ key: Bytes, now: Int64) throws(Failure) {
    let session = self
    let expires = expires(now: now)
    try manager.reaching(.put) { (store) throws(Failure) in
      try store.put(key, data: session.encoded.bytes, expires: expires)
    }
  }

  private func retire(_ old: Bytes, pointingTo key: Bytes, expires: Int64, now: Int64) throws(Failure) -> Replaced {
    var text = ByteBuffer()
    var retired = ByteBuffer()
    if expires > 0, try keys.codec.decode(stored.bytes, to: &text) != nil {
      text.truncate(text.bytes.findLast(0x7D) ?? 0)
    }
    if text.count == 0 { text.append(0x7B) }
    var scanner = JSONScanner(text.bytes)
    _ = scanner.take(0x7B)
    scanner.skipSpace()
    if !scanner.isAtEnd { text.append(0x2C) }
    // A session that is as large as it may be leaves its data out.
    if text.count > keys.codec.limit &- 160 {
      text.removeAll()
      text.append(0x7B)
    }
    text.append("\"")
    text.append(Session.until)
    text.append("\":")
    // Rounded up: the store's own end is to the microsecond.
    Numbers.writeDecimal((expires &+ 999_999) / 1_000_000, to: &text)
    text.append(",\"")
    text.append(Session.pointer)
    text.append("\":\"")
    text.append(key)
    text.append("\"}")
    guard !text.failed else { throw .memory }
    try keys.codec.encode(text.bytes, now: now / 1_000_000, to: &retired)
    let session = self
    let data = retired.bytes
    return try manager.reaching(.replace) { (store) throws(Failure) in
      try store.replace(old, expected: session.stored.bytes, data: data, expires: expires)
    }
  }
}
