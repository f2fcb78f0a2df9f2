import CTuile

/// Changes that need what was there, made the first time and made again.
extension SessionData {
  /// Starts from `json`, what the store holds now, and does this request's
  /// changes again.
  mutating func replay(on json: Bytes) throws(Failure) {
    var changes = Entries(hashing: entries.hashing)
    swap(&entries, &changes)
    do throws(Failure) {
      if !cleared { try parse(json) }
    } catch {
      swap(&entries, &changes)
      throw error
    }
    for i in Indices(changes.count) {
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
      case .append: try replayAppend(entry)
      }
    }
  }

  /// What a commit starts from each time that another request was first.
  struct Attempts: ~Copyable {
    init(_ data: borrowing SessionData) { changes = Entries(hashing: data.entries.hashing) }

    fileprivate var changes: Entries
    fileprivate var mark: Arena.Mark?
  }

  /// Goes back to the changes as they were before the first conflict. What was read
  /// since then is freed, or a large session would soon fill the arena; nobody else
  /// has seen it.
  mutating func beginAgain(_ attempts: inout Attempts) throws(Failure) {
    if let mark = attempts.mark {
      entries = try attempts.changes.copy()
      arena.release(to: mark)
    } else {
      attempts.changes = try entries.copy()
    }
    attempts.mark = arena.mark
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

  private mutating func replayAppend(_ entry: Entry) throws(Failure) {
    let old = value(of: entry.name) ?? Bytes("[]")
    var value = entry.value
    if JSONText.type(of: old) == TUILE_TYPE_ARRAY { value = try array(old, with: entry.appended) }
    try put(entry.name, value, change: .append, appended: entry.appended)
  }

  /// The array with more values at its end.
  private mutating func array(_ old: Bytes, with more: Bytes) throws(Failure) -> Bytes {
    scratch.removeAll()
    let open = old.slice(0, old.count &- 1)
    scratch.append(open)
    var scanner = JSONScanner(old.dropFirst(1))
    if !scanner.take(UInt8(ascii: "]")) { scratch.append(UInt8(ascii: ",")) }
    scratch.append(more)
    scratch.append(UInt8(ascii: "]"))
    return try keepScratch()
  }

  /// Puts a JSON value at the end of an array; one that is not there counts as empty.
  mutating func append(_ name: Bytes, _ json: Bytes) throws(Failure) {
    scratch.removeAll()
    try JSONText.canonicalize(json, to: &scratch)
    var more = try keepScratch()
    var change = Change.append
    var old = Bytes("[]")
    if let i = entries.find(name) {
      let entry = entries[i]
      old = entry.value
      guard JSONText.type(of: old) == TUILE_TYPE_ARRAY else { throw .type("the value is no array") }
      let value = try array(old, with: more)
      if entry.change == .append {
        scratch.removeAll()
        scratch.append(entry.appended)
        scratch.append(UInt8(ascii: ","))
        scratch.append(more)
        more = try keepScratch()
      } else if entry.change != .none {
        change = entry.change
      }
      try put(name, value, change: change, appended: more)
      return
    }
    let value = try array(old, with: more)
    try put(name, value, change: change, appended: more)
  }

  /// Sets every value of a JSON object; none, if one has a name that is the library's own.
  mutating func update(_ json: Bytes) throws(Failure) {
    scratch.removeAll()
    try JSONText.canonicalize(json, to: &scratch)
    let object = try keepScratch()
    var scanner = JSONScanner(object)
    guard scanner.take(UInt8(ascii: "{")) else { throw .syntax("this is no JSON object") }
    if scanner.take(UInt8(ascii: "}")) { return }
    repeat {
      guard let rawName = scanner.string(), scanner.take(UInt8(ascii: ":")), scanner.value() != nil else {
        throw .syntax("this is no JSON object", at: scanner.position)
      }
      try refuse(try decodedName(rawName))
    } while scanner.take(UInt8(ascii: ","))
    scanner = JSONScanner(object)
    _ = scanner.take(UInt8(ascii: "{"))
    repeat {
      guard let rawName = scanner.string(), scanner.take(UInt8(ascii: ":")), let (_, value) = scanner.value() else {
        throw .syntax("this is no JSON object", at: scanner.position)
      }
      let name = try decodedName(rawName)
      if entries.find(name) != nil {
        try put(name, value, change: .set)
      } else {
        try entries.append(name: name, rawName: rawName, value: value, change: .set)
      }
    } while scanner.take(UInt8(ascii: ","))
  }

  /// What a request had changed at some moment.
  struct Snapshot: ~Copyable {
    fileprivate var entries: Entries
    fileprivate let clearings: Int
  }

  func snapshot() throws(Failure) -> Snapshot { Snapshot(entries: try entries.copy(), clearings: clearings) }

  /// What was changed up to a moment is stored now: what came after is left to replay.
  mutating func didSave(_ saved: borrowing Snapshot) {
    // All that went goes again, and nothing of before is left.
    guard clearings == saved.clearings else { return }
    cleared = false
    var i = 0
    while i < saved.entries.count, i < entries.count {
      let (was, entry) = (saved.entries[i], entries[i])
      if entry.change == was.change, entry.live == was.live, entry.value == was.value, entry.delta == was.delta,
        entry.appended == was.appended
      {
        entries.forgetChange(i)
      } else if entry.change == .add, was.change == .add {
        entries[i].delta = entry.delta &- was.delta
      } else if entry.change == .append, was.change == .append {
        // The ',' between them, too.
        entries[i].appended = entry.appended.dropFirst(was.appended.count &+ 1)
      }
      i &+= 1
    }
  }

  /// Something is left to save.
  var hasChanges: Bool {
    for i in Indices(entries.count) {
      if entries[i].change != .none { return true }
    }
    return cleared
  }

  /// What this request changed is stored now: no change is left to replay.
  mutating func didSave() {
    cleared = false
    entries.forgetChanges()
  }

  /// The dictionary as compact JSON, in place of what `out` held; without what is the
  /// library's own if it is `shown` to the host.
  func write(to out: inout ByteBuffer, shown: Bool = false) throws(Failure) {
    out.removeAll()
    out.append(UInt8(ascii: "{"))
    var first = true
    var i = 0
    while i < entries.count {
      let entry = entries[i]
      i &+= 1
      guard entry.live, !(shown && !hidesNothing && hides(entry.name)) else { continue }
      if !first { out.append(UInt8(ascii: ",")) }
      first = false
      out.append(entry.rawName)
      out.append(UInt8(ascii: ":"))
      out.append(entry.value)
    }
    out.append(UInt8(ascii: "}"))
    guard !out.failed else { throw .memory }
  }
}
