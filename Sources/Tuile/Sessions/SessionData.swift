/// A session's dictionary as one request sees it, and what the request changed,
/// so that a commit can replay the changes on what others stored meanwhile.
///
/// The rules of a replay: set, remove and clear are done again as they were;
/// add is added to the number that is there now, append put behind the array.
/// Where that is no integer or array any more, the value that this request saw is
/// written: the last writer of a key wins.
struct SessionData: ~Copyable {
  var arena: Arena
  var entries: Entries
  /// The stored dictionary was dropped by this request.
  var cleared = false
  var scratch = ByteBuffer()
  /// How often all entries went, so that a snapshot knows whether it is of these.
  var clearings = 0
  /// Whose metadata is in the dictionary, too.
  let layout: Layout?

  init(arenaLimit: Int, hashing: SeededHash, layout: Layout? = nil) {
    self.layout = layout
    arena = Arena(limit: arenaLimit)
    entries = Entries(hashing: hashing)
  }

  // MARK: Reading

  /// Takes over the dictionary in `json`; throws if it is no JSON object.
  mutating func parse(_ json: Bytes) throws(Failure) {
    entries.removeAll()
    guard let text = arena.copy(json) else { throw .memory }
    var scanner = JSONScanner(text)
    guard scanner.take(UInt8(ascii: "{")) else { throw .syntax("the session is no JSON object", at: scanner.position) }
    if !scanner.take(UInt8(ascii: "}")) {
      while true {
        scanner.skipSpace()
        guard let rawName = scanner.string(), scanner.take(UInt8(ascii: ":")), let (_, value) = scanner.value() else {
          throw .syntax("the session's JSON is malformed", at: scanner.position)
        }
        let name = try decodedName(rawName)
        // Of a repeated key, Python keeps the first place and the last value.
        if let i = entries.find(name) {
          entries[i].value = value
        } else {
          try entries.append(name: name, rawName: rawName, value: value, change: .none)
        }
        if scanner.take(UInt8(ascii: "}")) { break }
        guard scanner.take(UInt8(ascii: ",")) else {
          throw .syntax("the session's JSON is malformed", at: scanner.position)
        }
      }
    }
    scanner.skipSpace()
    guard scanner.isAtEnd else { throw .syntax("something follows the session's JSON", at: scanner.position) }
  }

  mutating func decodedName(_ raw: Bytes) throws(Failure) -> Bytes {
    guard raw.contains(UInt8(ascii: "\\")) else { return raw.slice(1, raw.count &- 1) }
    scratch.removeAll()
    try JSONText.readString(raw, lenient: true, to: &scratch)
    return try keepScratch()
  }

  /// The text of a string value, valid as long as this.
  mutating func string(_ raw: Bytes) throws(Failure) -> Bytes {
    guard raw.contains(UInt8(ascii: "\\")) else { return raw.slice(1, raw.count &- 1) }
    scratch.removeAll()
    try JSONText.readString(raw, lenient: false, to: &scratch)
    return try keepScratch()
  }

  mutating func keepScratch() throws(Failure) -> Bytes {
    guard !scratch.failed else { throw .memory }
    return try keep(scratch.bytes)
  }

  /// A copy that is valid as long as this.
  mutating func keep(_ bytes: Bytes) throws(Failure) -> Bytes {
    guard arena.allows(bytes.count) else { throw .limit("one request changed too much of a session") }
    guard let kept = arena.copy(bytes) else { throw .memory }
    return kept
  }

  func value(of name: Bytes) -> Bytes? {
    guard let i = entries.find(name) else { return nil }
    return entries[i].value
  }

  /// As `value`, for names that start with '_': most sessions have none, and are
  /// asked for several at every request.
  func reserved(_ name: StaticString) -> Bytes? { entries.hasReserved ? value(of: Bytes(name)) : nil }

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

  /// Forgets what was read and done.
  mutating func drop() {
    clearings &+= 1
    entries.removeAll()
    cleared = false
  }

  /// Drops what the host has set, or, for a session that begins anew, all that there is.
  mutating func clear(everything: Bool) {
    clearings &+= 1
    if everything || !entries.hasReserved && layout == nil {
      entries.removeAll()
    } else {
      entries.keepLimits(layout)
    }
    cleared = true
  }

  mutating func put(_ name: Bytes, _ value: Bytes, change: Change, delta: Int64 = 0, appended: Bytes = Bytes())
    throws(Failure)
  {
    if let i = entries.find(name) {
      entries[i].value = value
      entries[i].change = change
      entries[i].delta = delta
      entries[i].appended = appended
      return
    }
    scratch.removeAll()
    try JSONText.writeString(name, to: &scratch)
    let rawName = try keepScratch()
    let kept = try keep(name)
    try entries.append(name: kept, rawName: rawName, value: value, change: change)
    entries[entries.count &- 1].delta = delta
    entries[entries.count &- 1].appended = appended
  }
}
