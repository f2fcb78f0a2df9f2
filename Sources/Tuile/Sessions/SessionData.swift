/// A session's dictionary as one request sees it, and what the request changed,
/// so that a commit can replay the changes on what others stored meanwhile.
///
/// The rules of a replay: set, remove and clear are done again as they were;
/// add is added to the number that is there now. Where that is no integer any
/// more, the value that this request saw is written: the last writer of a key wins.
struct SessionData: ~Copyable {
  var arena: Arena
  private(set) var entries = Entries()
  /// The stored dictionary was dropped by this request.
  private(set) var cleared = false
  private var scratch = ByteBuffer()

  init(arenaLimit: Int) { arena = Arena(limit: arenaLimit) }

  // MARK: Reading

  /// Takes over the dictionary in `json`; throws if it is no JSON object.
  mutating func parse(_ json: Bytes) throws(Failure) {
    entries.removeAll()
    guard let text = arena.copy(json) else { throw .memory }
    var scanner = JSONScanner(text)
    guard scanner.take(0x7B) else { throw .syntax("the session is no JSON object", at: scanner.position) }
    if !scanner.take(0x7D) {
      while true {
        scanner.skipSpace()
        guard let rawName = scanner.string(), scanner.take(0x3A), let (_, value) = scanner.value() else {
          throw .syntax("the session's JSON is malformed", at: scanner.position)
        }
        let name = try decodedName(rawName)
        // Of a repeated key, Python keeps the first place and the last value.
        if let i = entries.find(name) {
          entries[i].value = value
        } else {
          try entries.append(name: name, rawName: rawName, value: value, change: .none)
        }
        if scanner.take(0x7D) { break }
        guard scanner.take(0x2C) else { throw .syntax("the session's JSON is malformed", at: scanner.position) }
      }
    }
    scanner.skipSpace()
    guard scanner.isAtEnd else { throw .syntax("something follows the session's JSON", at: scanner.position) }
  }

  private mutating func decodedName(_ raw: Bytes) throws(Failure) -> Bytes {
    guard raw.contains(0x5C) else { return raw.slice(1, raw.count &- 1) }
    scratch.removeAll()
    try JSONText.readString(raw, lenient: true, to: &scratch)
    return try keepScratch()
  }

  /// The text of a string value, valid as long as this.
  mutating func string(_ raw: Bytes) throws(Failure) -> Bytes {
    guard raw.contains(0x5C) else { return raw.slice(1, raw.count &- 1) }
    scratch.removeAll()
    try JSONText.readString(raw, lenient: false, to: &scratch)
    return try keepScratch()
  }

  private mutating func keepScratch() throws(Failure) -> Bytes {
    guard !scratch.failed else { throw .memory }
    guard let kept = arena.copy(scratch.bytes) else { throw .limit("one request changed too much of a session") }
    return kept
  }

  func value(of name: Bytes) -> Bytes? {
    guard let i = entries.find(name) else { return nil }
    return entries[i].value
  }

  // MARK: Changing

  enum Value {
    case text(StaticString)
    case integer(Int64)
    case double(Double)
    case string(Bytes)
    case json(Bytes)
  }

  mutating func set(_ name: Bytes, _ value: Value) throws(Failure) {
    scratch.removeAll()
    switch value {
    case .text(let text): scratch.append(text)
    case .integer(let number): Numbers.writeDecimal(number, to: &scratch)
    case .double(let number): JSONText.writeDouble(number, to: &scratch)
    case .string(let text): try JSONText.writeString(text, to: &scratch)
    case .json(let json): try JSONText.canonicalize(json, to: &scratch)
    }
    try put(name, try keepScratch(), change: .set)
  }

  /// Adds to the integer there; an absent one counts as 0. The sum.
  mutating func add(_ name: Bytes, _ delta: Int64) throws(Failure) -> Int64 {
    let i = entries.find(name)
    let old: Int64
    if let i {
      old = try JSONText.integer(entries[i].value)
    } else {
      old = 0
    }
    let (sum, overflow) = old.addingReportingOverflow(delta)
    guard !overflow else { throw .range("the sum does not fit in 64 bits") }
    // Added to something that this request set: still a set. Added to what was
    // stored, or to nothing: an add.
    var change = Change.add
    var whole = delta
    if let i, entries[i].change != .none {
      change = entries[i].change
      let (both, overflow) = entries[i].delta.addingReportingOverflow(delta)
      if change == .add, overflow { change = .set }
      whole = both
    }
    scratch.removeAll()
    Numbers.writeDecimal(sum, to: &scratch)
    try put(name, try keepScratch(), change: change, delta: whole)
    return sum
  }

  /// false if it was not there.
  mutating func remove(_ name: Bytes) -> Bool {
    guard let i = entries.find(name) else { return false }
    entries.kill(i, change: .remove)
    return true
  }

  mutating func clear() {
    entries.removeAll()
    cleared = true
  }

  private mutating func put(_ name: Bytes, _ value: Bytes, change: Change, delta: Int64 = 0) throws(Failure) {
    if let i = entries.find(name) {
      entries[i].value = value
      entries[i].change = change
      entries[i].delta = delta
      return
    }
    scratch.removeAll()
    try JSONText.writeString(name, to: &scratch)
    let rawName = try keepScratch()
    guard let kept = arena.copy(name) else { throw .limit("one request changed too much of a session") }
    try entries.append(name: kept, rawName: rawName, value: value, change: change)
    entries[entries.count &- 1].delta = delta
  }

  // MARK: Replaying and writing

  /// Starts from `json`, what the store holds now, and does this request's
  /// changes again.
  mutating func replay(on json: Bytes) throws(Failure) {
    var changes = Entries()
    swap(&entries, &changes)
    do throws(Failure) {
      if !cleared { try parse(json) }
    } catch {
      swap(&entries, &changes)
      throw error
    }
    var i = 0
    while i < changes.count {
      let entry = changes[i]
      switch entry.change {
      case .none: break
      case .remove:
        if let at = entries.find(entry.name) {
          entries.kill(at, change: .remove)
        } else {
          // Kept: the next replay may find the key there.
          try entries.append(name: entry.name, rawName: entry.rawName, value: entry.value, change: .remove)
          entries.kill(entries.count &- 1, change: .remove)
        }
      case .set: try put(entry.name, entry.value, change: .set)
      case .add: try replayAdd(entry)
      }
      i &+= 1
    }
  }

  private mutating func replayAdd(_ entry: Entry) throws(Failure) {
    var old: Int64? = 0
    if let i = entries.find(entry.name) { old = try? JSONText.integer(entries[i].value) }
    var value = entry.value
    if let old {
      let (sum, overflow) = old.addingReportingOverflow(entry.delta)
      guard !overflow else { throw .range("the sum does not fit in 64 bits") }
      scratch.removeAll()
      Numbers.writeDecimal(sum, to: &scratch)
      value = try keepScratch()
    }
    try put(entry.name, value, change: .add, delta: entry.delta)
  }

  /// What this request changed is stored now: no change is left to replay.
  mutating func didSave() {
    cleared = false
    entries.forgetChanges()
  }

  /// The dictionary as compact JSON, in place of what `out` held.
  func write(to out: inout ByteBuffer) throws(Failure) {
    out.removeAll()
    out.append(0x7B)
    var first = true
    var i = 0
    while i < entries.count {
      let entry = entries[i]
      i &+= 1
      guard entry.live else { continue }
      if !first { out.append(0x2C) }
      first = false
      out.append(entry.rawName)
      out.append(0x3A)
      out.append(entry.value)
    }
    out.append(0x7D)
    guard !out.failed else { throw .memory }
  }
}
