/// What Rails' cache puts around a session in the same Marshal data, where symbols and
/// objects are numbered across both.
enum MarshalEnvelope {
  /// `[session, expires]`, of the format 7.0.
  case list
  /// An `ActiveSupport::Cache::Entry`, of the format 6.1.
  case entry

  static let entryClass: StaticString = "ActiveSupport::Cache::Entry"
  static let value: StaticString = "@value"
  static let version: StaticString = "@version"
  static let created: StaticString = "@created_at"
  static let expires: StaticString = "@expires_in"
  static let compressed: StaticString = "@compressed"

  /// What it says of the session, in seconds.
  struct Facts {
    var created: Double?
    /// Unix time, or of an entry from `created` on; nil: never.
    var expires: Double?
    /// The session is a string: zlib data.
    var isCompressed = false
  }

  /// Appends the session alone, as Marshal data of its own, or what it was compressed to.
  func open(_ stored: Bytes, to session: inout ByteBuffer, _ facts: inout Facts) -> PayloadStatus {
    guard stored.count <= Payload.largest else { return .malformed }
    guard let tree = PayloadTree(stored, .marshal) else { return .noMemory }
    let parsed = tree.parse(isSession: false)
    guard parsed == .ok else { return parsed }
    // Nothing inside refers to all of it.
    guard !tree.node(tree.root).pointee.isShared else { return .malformed }
    guard let value = self == .list ? openList(tree, &facts) : openEntry(tree, &facts) else { return .malformed }
    let found = tree.node(value).pointee
    if facts.isCompressed {
      guard found.kind == .bytes, found.op == 0x22 else { return .malformed }
      session.append(tree.text(value))
    } else {
      guard found.kind == .map else { return .malformed }
      tree.root = value
      let written = tree.writeMarshal(to: &session)
      guard written == .ok else { return written }
    }
    return session.failed ? .noMemory : .ok
  }

  /// Appends all of it: `session` is Marshal data, or, if the facts say so, zlib data.
  func close(_ session: Bytes, _ facts: Facts, to out: inout ByteBuffer) -> PayloadStatus {
    guard let tree = PayloadTree(facts.isCompressed ? Bytes() : session, .marshal) else { return .noMemory }
    let parsed = tree.parse()
    guard parsed == .ok else { return parsed }
    let value = facts.isCompressed ? tree.newOctets(session) : tree.root
    tree.root = self == .list ? closeList(value, facts, tree) : closeEntry(value, facts, tree)
    guard !tree.isFull, !tree.scratch.failed, !tree.definitions.failed else { return .noMemory }
    let written = tree.writeMarshal(to: &out)
    guard written == .ok else { return written }
    return out.failed ? .noMemory : .ok
  }

  // MARK: A string

  /// What Marshal data that is one string without encoding has in it; nil if it is none.
  static func openString(_ stored: Bytes) -> Bytes? {
    guard stored[2] == 0x22, let tree = PayloadTree(stored, .marshal), tree.parse(isSession: false) == .ok,
      tree.node(tree.root).pointee.kind == .bytes
    else { return nil }
    return tree.text(tree.root)
  }

  /// false without memory.
  static func closeString(_ text: Bytes, to out: inout ByteBuffer) -> Bool {
    guard let tree = PayloadTree(Bytes(), .marshal) else { return false }
    out.append(0x04)
    out.append(0x08)
    out.append(0x22)
    tree.writeOctets(text, to: &out)
    return true
  }

  // MARK: [session, expires]

  private func openList(_ tree: PayloadTree, _ facts: inout Facts) -> Int? {
    let list = tree.node(tree.root).pointee
    guard list.kind == .list, list.link == 0, list.count == 1 || list.count == 2 else { return nil }
    if list.count == 2, !tree.number(Int(list.last), &facts.expires) { return nil }
    return Int(list.first)
  }

  private func closeList(_ session: Int, _ facts: Facts, _ tree: PayloadTree) -> Int {
    let list = tree.newNode(.list)
    tree.append(session, to: list)
    if facts.expires != nil { tree.append(tree.newNumber(facts.expires), to: list) }
    return list
  }

  // MARK: An entry

  /// nil unless it has these instance variables alone, each once.
  private func openEntry(_ tree: PayloadTree, _ facts: inout Facts) -> Int? {
    let entry = tree.node(tree.root).pointee
    guard entry.kind == .object, entry.op == 0x6F, tree.text(tree.root) == Bytes(MarshalEnvelope.entryClass) else {
      return nil
    }
    var session: Int?
    var seen = 0
    var name = Int(entry.first)
    while name != 0 {
      let text = tree.text(name)
      let value = Int(tree.node(name).pointee.next)
      let mark: Int
      switch text {
      case _ where text == Bytes(MarshalEnvelope.value):
        mark = 1
        session = value
      case _ where text == Bytes(MarshalEnvelope.version):
        mark = 2
        guard tree.node(value).pointee.kind == .null else { return nil }
      case _ where text == Bytes(MarshalEnvelope.created):
        mark = 4
        guard tree.number(value, &facts.created) else { return nil }
      case _ where text == Bytes(MarshalEnvelope.expires):
        mark = 8
        guard tree.number(value, &facts.expires) else { return nil }
      case _ where text == Bytes(MarshalEnvelope.compressed):
        mark = 16
        guard tree.node(value).pointee.kind == .yes else { return nil }
        facts.isCompressed = true
      default: return nil
      }
      guard seen & mark == 0 else { return nil }
      seen |= mark
      name = Int(tree.node(value).pointee.next)
    }
    return session
  }

  private func closeEntry(_ session: Int, _ facts: Facts, _ tree: PayloadTree) -> Int {
    let entry = tree.newNode(.object)
    let name = tree.newSymbol(MarshalEnvelope.entryClass)
    tree.node(entry).pointee.op = 0x6F
    tree.node(entry).pointee.link = Int32(truncatingIfNeeded: name)
    func add(_ name: StaticString, _ value: Int) {
      tree.append(tree.occurrence(tree.newSymbol(name), 0), to: entry)
      tree.append(value, to: entry)
    }
    add(MarshalEnvelope.value, session)
    add(MarshalEnvelope.version, tree.newNode(.null))
    add(MarshalEnvelope.created, tree.newNumber(facts.created))
    add(MarshalEnvelope.expires, tree.newNumber(facts.expires))
    if facts.isCompressed { add(MarshalEnvelope.compressed, tree.newNode(.yes)) }
    return entry
  }
}

extension PayloadTree {
  /// Takes a number, or nil for Ruby's; false for anything else, and what no time is.
  fileprivate func number(_ index: Int, _ number: inout Double?) -> Bool {
    let found = node(resolved(index)).pointee
    switch found.kind {
    case .null: number = nil
    case .int: number = Double(found.value)
    case .double: number = Double(bitPattern: UInt64(bitPattern: found.value))
    default: return false
    }
    return true
  }

  fileprivate func newNode(_ kind: PayloadNode.Kind) -> Int {
    let made = add(kind, 0, 0)
    node(made).pointee.isNew = true
    return made
  }

  fileprivate func newNumber(_ number: Double?) -> Int {
    let made = newNode(number == nil ? .null : .double)
    node(made).pointee.value = Int64(bitPattern: (number ?? 0).bitPattern)
    return made
  }

  /// A string without encoding.
  fileprivate func newOctets(_ octets: Bytes) -> Int {
    let made = newNode(.bytes)
    let from = scratch.count
    scratch.append(0x22)
    writeOctets(octets, to: &scratch)
    node(made).pointee.op = 0x22
    node(made).pointee.from = Int32(truncatingIfNeeded: from)
    node(made).pointee.to = Int32(truncatingIfNeeded: scratch.count)
    return made
  }

  /// The definition of a symbol in ASCII, the one that is there or a new one.
  fileprivate func newSymbol(_ name: StaticString) -> Int {
    var i = 0
    while i < definitions.count {
      if text(definitions[i]) == Bytes(name) { return definitions[i] }
      i &+= 1
    }
    let from = scratch.count
    scratch.append(name)
    let made = newNode(.symbol)
    setText(made, from, scratch.count)
    definitions.append(made)
    return made
  }
}
