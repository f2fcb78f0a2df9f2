/// PHP's serialize() text, and the three ways in which it keeps a session.
extension PayloadTree {
  private struct Level {
    var node: Int32
    var left: Int32
    /// The next key of a list; -1 where keys are written.
    var index: Int32
  }

  func parsePHP() -> Bool {
    var position = 0
    if format == .phpSerialize, !stored.isEmpty {
      guard stored[0] == 0x61, value(&position, parent: 0) else { return false }
      root = 1
      if node(root).pointee.kind == .list { unlist(root) }
      return position == stored.count
    }
    root = add(.map, 0, stored.count)
    while position < stored.count {
      let from: Int
      let to: Int
      if format == .php {
        from = position
        to = stored.find(0x7C, from: position)
        position = to &+ 1
      } else {
        from = position &+ 1
        to = from &+ Int(stored[position])
        guard stored[position] < 0x80 else { return false }
        position = to
      }
      guard position < stored.count else { return false }
      let key = add(.string, from, to)
      node(key).pointee.text = Int32(truncatingIfNeeded: from)
      node(key).pointee.textEnd = Int32(truncatingIfNeeded: to)
      append(key, to: root)
      guard value(&position, parent: root) else { return false }
    }
    return !isFull
  }

  /// One value with all that is in it.
  private func value(_ position: inout Int, parent: Int) -> Bool {
    withUnsafeTemporaryAllocation(of: Level.self, capacity: Payload.deepest) { levels in
      guard let levels = levels.baseAddress else { return false }
      var depth = 0
      guard let opened = one(&position, parent) else { return false }
      if opened.left >= 0 {
        levels[0] = opened
        depth = 1
      }
      while depth > 0 {
        let level = levels + (depth &- 1)
        if level.pointee.left == 0 {
          guard PHPText.take(stored, 0x7D, &position) else { return false }
          node(level.pointee.node).pointee.to = Int32(truncatingIfNeeded: position)
          depth &-= 1
          continue
        }
        level.pointee.left &-= 1
        guard key(&position, level), let opened = one(&position, Int(level.pointee.node)) else { return false }
        if opened.left >= 0 {
          guard depth < Payload.deepest else { return false }
          levels[depth] = opened
          depth &+= 1
        }
      }
      return !isFull
    }
  }

  /// A key of an array or of an object's properties.
  private func key(_ position: inout Int, _ level: UnsafeMutablePointer<Level>) -> Bool {
    let map = Int(level.pointee.node)
    let from = position
    let added: Int
    if stored[position] == 0x69 {
      guard let number = PHPText.integer(stored, &position) else { return false }
      if level.pointee.index >= 0, number == Int64(level.pointee.index) {
        level.pointee.index &+= 1
        return true
      }
      if level.pointee.index >= 0 {
        unlist(map)
        level.pointee.index = -1
      }
      added = add(.int, from, position)
      node(added).pointee.value = number
      setText(added, from &+ 2, position &- 1)
    } else {
      guard stored[position] == 0x73 else { return false }
      position &+= 2
      guard let text = PHPText.string(stored, &position), PHPText.take(stored, 0x3B, &position) else { return false }
      if level.pointee.index >= 0 {
        unlist(map)
        level.pointee.index = -1
      }
      added = add(.string, from, position)
      setText(added, text.from, text.to)
    }
    append(added, to: map)
    return true
  }

  /// Makes a map of a list: its values get the keys that they have in PHP.
  private func unlist(_ list: Int) {
    node(list).pointee.kind = .map
    var value = Int(node(list).pointee.first)
    var number: Int64 = 0
    var before = 0
    while value != 0 {
      let key = add(.int, 0, 0)
      let digits = scratch.count
      Numbers.writeDecimal(number, to: &scratch)
      node(key).pointee.isNew = true
      node(key).pointee.value = number
      setText(key, digits, scratch.count)
      node(key).pointee.next = Int32(truncatingIfNeeded: value)
      if before == 0 {
        node(list).pointee.first = Int32(truncatingIfNeeded: key)
      } else {
        node(before).pointee.next = Int32(truncatingIfNeeded: key)
      }
      node(list).pointee.count &+= 1
      before = value
      value = Int(node(value).pointee.next)
      number &+= 1
    }
  }

  /// A value without what is in it; how many of these follow, or -1. It is put into `parent`.
  private func one(_ position: inout Int, _ parent: Int) -> Level? {
    let from = position
    let type = stored[position]
    position &+= 2
    guard type == 0x4E ? stored[from &+ 1] == 0x3B : stored[from &+ 1] == 0x3A else { return nil }
    var kind = PayloadNode.Kind.null
    var value: Int64 = 0
    var text = (from: 0, to: 0)
    var left: Int32 = -1
    switch type {
    case 0x4E: break
    case 0x62:
      guard stored[position] & 0xFE == 0x30 else { return nil }
      kind = stored[position] == 0x31 ? .yes : .no
      position &+= 1
      guard PHPText.take(stored, 0x3B, &position) else { return nil }
    case 0x69:
      position = from
      guard let number = PHPText.integer(stored, &position) else { return nil }
      kind = .int
      value = number
    case 0x64:
      text = (position, stored.find(0x3B, from: position))
      position = text.to &+ 1
      guard position <= stored.count, let number = double(stored.slice(text.from, text.to)) else { return nil }
      kind = number.isFinite ? .double : .infinite
      value = Int64(bitPattern: number.bitPattern)
    case 0x73, 0x45:
      guard let found = PHPText.string(stored, &position), PHPText.take(stored, 0x3B, &position) else { return nil }
      kind = type == 0x73 ? .string : .enumCase
      text = found
    case 0x61:
      guard let number = PHPText.size(stored, &position), PHPText.take(stored, 0x7B, &position) else { return nil }
      kind = .list
      left = Int32(truncatingIfNeeded: number)
    case 0x4F, 0x43:
      guard let found = PHPText.string(stored, &position), PHPText.take(stored, 0x3A, &position),
        let number = PHPText.size(stored, &position), PHPText.take(stored, 0x7B, &position)
      else { return nil }
      kind = .object
      text = found
      if type == 0x4F {
        left = Int32(truncatingIfNeeded: number)
      } else {
        position &+= number
        guard PHPText.take(stored, 0x7D, &position) else { return nil }
      }
    case 0x52, 0x72:
      position = from &+ 2
      guard let number = PHPText.size(stored, &position, 0x3B), number >= 1, number <= numbered.count else {
        return nil
      }
      kind = .ref
      hasRefs = true
      value = Int64(numbered[number &- 1])
    default: return nil
    }
    let added = add(kind, from, position)
    guard added != 0 else { return nil }
    node(added).pointee.op = type
    if kind == .ref {
      let target = resolved(Int(value))
      node(added).pointee.link = Int32(truncatingIfNeeded: target)
      node(target).pointee.isShared = true
    } else {
      node(added).pointee.value = value
      setText(added, text.from, text.to)
    }
    // A reference by & is the value itself and takes no number.
    if type != 0x52 { numbered.append(added) }
    if parent != 0 { append(added, to: parent) }
    return Level(node: Int32(truncatingIfNeeded: added), left: left, index: kind == .list ? 0 : -1)
  }
}
