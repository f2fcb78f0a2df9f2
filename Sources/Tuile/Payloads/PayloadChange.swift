import CTuile

/// Brings a tree to what a JSON object says: values whose JSON is what was shown
/// stay, others are made anew, and what is behind a placeholder can't be changed.
final class PayloadChange {
  private let tree: PayloadTree
  /// Both in the form that `read` gives.
  private let wanted: Bytes
  private let shown: Bytes
  private var position = 0
  private var innermost: Level?
  private var depth = 0
  private var keepsHidden = false

  /// A value with others inside that is being made.
  private final class Level {
    let outer: Level?
    /// What it was; 0 for what is new.
    let old: Int
    let node: Int
    let isList: Bool
    var isFirst = true
    /// The old member that is expected next.
    var expected = 0
    /// Finds the old members in another order, and tells that a name is there twice.
    var names: PayloadNames?
    var used: PayloadNames?
    /// Of a list that was one: its old values, and how many new ones there are.
    let olds = PayloadIndices()
    var count = 0
    var index = 0
    /// How many values stay at both ends.
    var prefix = 0
    var suffix = 0

    init(_ outer: Level?, _ old: Int, _ node: Int, isList: Bool) {
      self.outer = outer
      self.old = old
      self.node = node
      self.isList = isList
    }
  }

  init(_ tree: PayloadTree, to wanted: Bytes, shown: Bytes) {
    self.tree = tree
    self.wanted = wanted
    self.shown = shown
  }

  func run() -> PayloadStatus {
    var status = begin(tree.root)
    while status == .ok, let level = innermost {
      let closing: UInt8 = level.isList ? 0x5D : 0x7D
      if wanted[position] == closing {
        position &+= 1
        innermost = level.outer
        depth &-= 1
        if level.node == tree.root, keepsHidden { status = hide(level.olds) }
        continue
      }
      if !level.isFirst { position &+= 1 }
      level.isFirst = false
      status = level.isList ? element(level) : member(level)
    }
    return tree.isFull || tree.scratch.failed ? .noMemory : status
  }

  // MARK: members

  private func member(_ level: Level) -> PayloadStatus {
    let name = string()
    position &+= 1
    if level.used == nil { level.used = PayloadNames() }
    guard let used = level.used else { return .noMemory }
    let added = used.add(name, 0)
    guard added == .ok else { return added == .readOnly ? .notRepresentable : added }
    if level.node == tree.root, name == Bytes("\"$keys\""), tree.hiddenCount > 0 {
      // Names no value of its own: what it stands for has to be as it was.
      guard takeIf(shownHidden) else { return .readOnly }
      keepsHidden = true
      return .ok
    }
    guard let found = find(name, level) else { return .noMemory }
    if found == 0 {
      if name == Bytes("\"$type\""), level.node != tree.root { return .notRepresentable }
      if name == Bytes("\"$keys\""), level.node == tree.root { return .notRepresentable }
      let key = newString(name)
      tree.append(key, to: level.node)
      return value(0, in: level)
    }
    let key = level.olds[found &- 1]
    tree.node(key).pointee.next = 0
    tree.append(key, to: level.node)
    return value(level.olds[found], in: level)
  }

  /// Where the value of an old member is in `olds`; 0 if there is none of that name, nil without memory.
  private func find(_ name: Bytes, _ level: Level) -> Int? {
    guard level.old != 0 else { return 0 }
    let olds = level.olds
    // Keys stand at even places, as they were.
    if level.expected < olds.count, isNamed(olds[level.expected], name) {
      level.expected &+= 2
      return level.expected &- 1
    }
    if level.names == nil {
      guard let names = PayloadNames() else { return nil }
      var i = 0
      while i < olds.count {
        let key = tree.node(olds[i]).pointee
        if key.jsonEnd > 0, names.add(shown.slice(Int(key.json), Int(key.jsonEnd)), i) == .noMemory { return nil }
        i &+= 2
      }
      level.names = names
    }
    guard let at = level.names?.find(name) else { return 0 }
    level.expected = at &+ 2
    return at &+ 1
  }

  private func isNamed(_ key: Int, _ name: Bytes) -> Bool {
    let key = tree.node(key).pointee
    return key.jsonEnd > 0 && shown.slice(Int(key.json), Int(key.jsonEnd)) == name
  }

  // MARK: values

  /// What a value was shown as.
  private func shownText(_ index: Int) -> Bytes {
    var found = tree.node(index).pointee
    if found.jsonEnd == 0, found.kind == .ref { found = tree.node(found.link).pointee }
    return shown.slice(Int(found.json), Int(found.jsonEnd))
  }

  /// Takes a value if it is this text and no more.
  private func takeIf(_ text: Bytes) -> Bool {
    guard !text.isEmpty, wanted.slice(position, position &+ text.count) == text else { return false }
    switch wanted[position &+ text.count] {
    case 0x2C, 0x5D, 0x7D: break
    default: return false
    }
    position &+= text.count
    return true
  }

  private func value(_ old: Int, in level: Level) -> PayloadStatus {
    if old != 0, takeIf(shownText(old)) {
      tree.node(old).pointee.next = 0
      tree.append(old, to: level.node)
      return .ok
    }
    let byte = wanted[position]
    if old != 0 {
      let found = tree.node(tree.resolved(old)).pointee
      let isShared = tree.node(old).pointee.kind == .ref || found.isShared
      let text = shownText(old)
      // PHP's references make a change of one a change of all.
      if isShared, tree.isPHP { return .readOnly }
      if found.kind == .map, byte == 0x7B, !isShared, !text.hasPrefix(Bytes("{\"$type\":")) {
        tree.node(old).pointee.next = 0
        tree.append(old, to: level.node)
        return begin(old)
      }
      if found.kind == .list, byte == 0x5B, !isShared {
        tree.node(old).pointee.next = 0
        tree.append(old, to: level.node)
        return begin(old)
      }
      if found.isOpaque || tree.node(old).pointee.isOpaque { return .readOnly }
      if isShared, found.kind == .list || found.kind == .map { return .readOnly }
    }
    if byte == 0x7B || byte == 0x5B {
      let made = tree.add(byte == 0x7B ? .map : .list, 0, 0)
      guard made != 0 else { return .noMemory }
      tree.node(made).pointee.isNew = true
      tree.append(made, to: level.node)
      return begin(made)
    }
    let made = leaf()
    guard made != 0 else { return .noMemory }
    tree.append(made, to: level.node)
    return .ok
  }

  /// Opens a value at its bracket: what was in it is put in its place, or left out, one by one.
  private func begin(_ index: Int) -> PayloadStatus {
    let found = tree.node(index)
    let level = Level(innermost, found.pointee.isNew ? 0 : index, index, isList: wanted[position] == 0x5B)
    depth &+= 1
    guard depth <= Payload.deepest else { return .notRepresentable }
    var child = Int(found.pointee.first)
    while child != 0 {
      level.olds.append(child)
      child = Int(tree.node(child).pointee.next)
    }
    guard !level.olds.failed else { return .noMemory }
    tree.clear(index)
    position &+= 1
    innermost = level
    return level.isList && level.old != 0 ? align(level) : .ok
  }

  // MARK: lists

  private func element(_ level: Level) -> PayloadStatus {
    let index = level.index
    let olds = level.olds
    level.index &+= 1
    if level.old == 0 { return value(0, in: level) }
    if index < level.prefix { return value(olds[index], in: level) }
    let left = level.count &- index
    if left <= level.suffix { return value(olds[olds.count &- left], in: level) }
    return value(level.count == olds.count ? olds[index] : 0, in: level)
  }

  /// Which values of a list stay at its beginning and at its end. Those between stay in their
  /// places if there are as many of them; else none of them may be behind a placeholder,
  /// unless they are only left out.
  private func align(_ level: Level) -> PayloadStatus {
    let olds = level.olds
    let spans = PayloadIndices()
    var at = position
    while at < wanted.count, wanted[at] != 0x5D {
      if wanted[at] == 0x2C { at &+= 1 }
      spans.append(at)
      at = end(at)
      spans.append(at)
    }
    guard !spans.failed else { return .noMemory }
    level.count = spans.count / 2
    let most = min(level.count, olds.count)
    while level.prefix < most, isSame(spans, level.prefix, olds[level.prefix]) { level.prefix &+= 1 }
    while level.suffix < most &- level.prefix,
      isSame(spans, level.count &- 1 &- level.suffix, olds[olds.count &- 1 &- level.suffix])
    {
      level.suffix &+= 1
    }
    if level.count == olds.count || level.count == level.prefix &+ level.suffix { return .ok }
    var i = level.prefix
    while i < olds.count &- level.suffix {
      let found = tree.node(olds[i]).pointee
      let target = tree.node(tree.resolved(olds[i])).pointee
      if found.isOpaque || target.isOpaque { return .readOnly }
      if found.kind == .ref || found.isShared, target.kind == .list || target.kind == .map || tree.isPHP {
        return .readOnly
      }
      i &+= 1
    }
    return .ok
  }

  private func isSame(_ spans: PayloadIndices, _ index: Int, _ old: Int) -> Bool {
    wanted.slice(spans[index &* 2], spans[index &* 2 &+ 1]) == shownText(old)
  }

  // MARK: text

  /// Where the value at an offset ends.
  private func end(_ from: Int) -> Int {
    var at = from
    var nested = 0
    repeat {
      switch wanted[at] {
      case 0x22:
        at &+= 1
        while at < wanted.count, wanted[at] != 0x22 { at &+= wanted[at] == 0x5C ? 2 : 1 }
        at &+= 1
      case 0x7B, 0x5B:
        nested &+= 1
        at &+= 1
      case 0x7D, 0x5D:
        nested &-= 1
        at &+= 1
      case 0x2C, 0x3A: at &+= 1
      default: while at < wanted.count, wanted[at] != 0x2C, wanted[at] != 0x5D, wanted[at] != 0x7D { at &+= 1 }
      }
    } while nested > 0 && at < wanted.count
    return at
  }

  private func string() -> Bytes {
    let from = position
    position = end(from)
    return wanted.slice(from, position)
  }

  private func newString(_ json: Bytes) -> Int {
    let made = tree.add(.string, 0, 0)
    let from = tree.scratch.count
    do throws(Failure) {
      try JSONText.readString(json, lenient: true, to: &tree.scratch)
    } catch {
      return 0
    }
    tree.node(made).pointee.isNew = true
    tree.setText(made, from, tree.scratch.count)
    return made
  }

  /// A new value that holds no others; 0 without memory.
  private func leaf() -> Int {
    if wanted[position] == 0x22 { return newString(string()) }
    let from = position
    position = end(from)
    let text = wanted.slice(from, position)
    let made = tree.add(.null, 0, 0)
    let found = tree.node(made)
    found.pointee.isNew = true
    switch JSONText.type(of: text) {
    case TUILE_TYPE_BOOL: found.pointee.kind = text[0] == 0x74 ? .yes : .no
    case TUILE_TYPE_INT:
      if let number = Numbers.read(text, base: 10) {
        found.pointee.kind = .int
        found.pointee.value = number
      } else {
        found.pointee.kind = .wide
        found.pointee.op = text[0] == 0x2D ? 2 : 1
        let start = tree.scratch.count
        // More digits than are read leave nothing, which no format writes.
        if !WideInteger.read(text, to: &tree.scratch) { tree.scratch.truncate(start) }
        tree.setText(made, start, tree.scratch.count)
      }
    case TUILE_TYPE_DOUBLE:
      do throws(Failure) {
        let number = try JSONText.double(text)
        found.pointee.kind = number.isFinite ? .double : .infinite
        found.pointee.value = Int64(bitPattern: number.bitPattern)
      } catch {
        found.pointee.kind = .infinite
      }
    default: break
    }
    return made
  }

  // MARK: members without names

  /// Their placeholder is the last member that was shown.
  private var shownHidden: Bytes { shown.slice(tree.hiddenFrom, shown.count &- 1) }

  /// Puts members without names behind those that they stood behind.
  private func hide(_ olds: PayloadIndices) -> PayloadStatus {
    let kept = PayloadIndices()
    var child = Int(tree.node(tree.root).pointee.first)
    while child != 0 {
      kept.append(child)
      child = Int(tree.node(child).pointee.next)
    }
    guard !kept.failed else { return .noMemory }
    tree.clear(tree.root)
    var i = 0
    var old = 0
    while i < kept.count || old < olds.count {
      // Nodes that are read later have a higher number.
      let isNext = i >= kept.count || (old < olds.count && olds[old] < kept[i])
      if old < olds.count, isNext || tree.node(kept[i]).pointee.isNew {
        if !tree.isName(olds[old]) {
          for part in 0..<2 {
            tree.node(olds[old &+ part]).pointee.next = 0
            tree.append(olds[old &+ part], to: tree.root)
          }
        }
        old &+= 2
        continue
      }
      guard i < kept.count else { break }
      for part in 0..<2 {
        tree.node(kept[i &+ part]).pointee.next = 0
        tree.append(kept[i &+ part], to: tree.root)
      }
      i &+= 2
    }
    return .ok
  }
}
