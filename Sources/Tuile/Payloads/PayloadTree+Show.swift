import CSystem

/// The tree as JSON. Each value remembers where its JSON stands, so that a change
/// can be told from what was there, and another place of a value is copied.
extension PayloadTree {
  private enum Form: UInt8 { case list, object, items }

  private struct Level {
    var node: Int32
    var child: Int32
    var form: Form
    /// Of a pair: 0 before its key, 1 before its value, 2 behind it.
    var part: UInt8 = 0
    var isFirst = true
    /// Behind the last value.
    var closing: StaticString
    var placeholders: Int
    /// What its JSON has of objects and lists: a placeholder's values are in a list in it.
    var size: UInt8 = 1
    /// How many of them are open, with it, and how many are in the deepest of its values.
    var depth: UInt8 = 0
    var height: UInt8 = 0
  }

  func show(in json: inout ByteBuffer) -> PayloadStatus {
    let limit = Payload.largestJSON(stored.count)
    var placeholders = 0
    let deepest = Payload.deepest
    return withUnsafeTemporaryAllocation(of: Level.self, capacity: Payload.deepest) { levels in
      guard let levels = levels.baseAddress else { return .noMemory }
      var depth = 0
      guard let status = open(root, in: &json, levels, &depth, &placeholders) else { return .malformed }
      guard status == .ok else { return status }
      while depth > 0 {
        let level = levels + (depth &- 1)
        guard json.count <= limit else { return .malformed }
        let child = Int(level.pointee.child)
        if child == 0, level.pointee.part != 2 {
          json.append(level.pointee.closing)
          close(level.pointee, in: json, placeholders)
          depth &-= 1
          if depth > 0 {
            let outer = levels + (depth &- 1)
            outer.pointee.height = max(outer.pointee.height, node(level.pointee.node).pointee.height)
          }
          continue
        }
        switch level.pointee.form {
        case .list:
          if !level.pointee.isFirst { json.append(0x2C) }
          level.pointee.isFirst = false
          level.pointee.child = node(child).pointee.next
        case .object:
          let value = Int(node(child).pointee.next)
          let isHidden = Int(level.pointee.node) == root && !isName(child)
          level.pointee.child = node(value).pointee.next
          if isHidden { continue }
          if !level.pointee.isFirst { json.append(0x2C) }
          level.pointee.isFirst = false
          guard showName(child, in: &json) else { return json.failed ? .noMemory : .malformed }
          json.append(0x3A)
          guard let opened = open(value, in: &json, levels, &depth, &placeholders) else { return .malformed }
          guard opened == .ok else { return opened }
          continue
        case .items:
          switch level.pointee.part {
          case 0:
            if !level.pointee.isFirst { json.append(0x2C) }
            level.pointee.isFirst = false
            json.append(0x5B)
            level.pointee.part = 1
          case 1:
            json.append(0x2C)
            level.pointee.part = 2
          default:
            json.append(0x5D)
            level.pointee.part = 0
            continue
          }
          level.pointee.child = node(child).pointee.next
        }
        guard depth <= deepest, let opened = open(child, in: &json, levels, &depth, &placeholders) else {
          return .malformed
        }
        guard opened == .ok else { return opened }
      }
      return showHidden(in: &json)
    }
  }

  /// Writes a value that holds no others, or the beginning of one that does.
  private func open(
    _ index: Int, in json: inout ByteBuffer, _ levels: UnsafeMutablePointer<Level>, _ depth: inout Int,
    _ placeholders: inout Int
  ) -> PayloadStatus? {
    var index = index
    let open = depth > 0 ? Int(levels[depth &- 1].depth) : 0
    let found = node(index)
    if found.pointee.kind == .ref {
      let target = Int(found.pointee.link)
      let value = node(target).pointee
      if value.isOpen {
        found.pointee.json = Int32(truncatingIfNeeded: json.count)
        json.append("{\"$type\":\"cycle\"}")
        found.pointee.jsonEnd = Int32(truncatingIfNeeded: json.count)
        found.pointee.isOpaque = true
        found.pointee.height = 1
        if depth > 0 { levels[depth &- 1].height = max(1, levels[depth &- 1].height) }
        placeholders &+= 1
        return open < Payload.deepest ? .ok : nil
      }
      if value.jsonEnd > 0 {
        guard open &+ Int(value.height) <= Payload.deepest else { return nil }
        let size = Int(value.jsonEnd &- value.json)
        guard json.reserve(size) else { return .noMemory }
        found.pointee.json = Int32(truncatingIfNeeded: json.count)
        json.append(json.bytes.slice(Int(value.json), Int(value.jsonEnd)))
        found.pointee.jsonEnd = Int32(truncatingIfNeeded: json.count)
        found.pointee.isOpaque = value.isOpaque
        found.pointee.height = value.height
        if value.isOpaque { placeholders &+= 1 }
        if depth > 0 { levels[depth &- 1].height = max(levels[depth &- 1].height, value.height) }
        return .ok
      }
      // Its definition is inside something that is not shown: here is its first place.
      index = target
    }
    let from = json.count
    node(index).pointee.json = Int32(truncatingIfNeeded: from)
    let kind = node(index).pointee.kind
    var level = Level(
      node: Int32(truncatingIfNeeded: index), child: node(index).pointee.first, form: .list, closing: "]",
      placeholders: placeholders)
    switch kind {
    case .list: json.append(0x5B)
    case .map:
      level.form = .object
      if index == root || isObject(index) {
        json.append(0x7B)
        level.closing = "}"
      } else {
        level.form = .items
        level.closing = "]}"
        level.size = 3
        placeholders &+= 1
        json.append("{\"$type\":\"")
        json.append(mapName)
        json.append("\",\"items\":[")
      }
    case .tuple, .set, .frozenSet:
      level.closing = "]}"
      level.size = 2
      placeholders &+= 1
      json.append(
        kind == .tuple ? "{\"$type\":\"tuple\"" : kind == .set ? "{\"$type\":\"set\"" : "{\"$type\":\"frozenset\"")
      json.append(",\"items\":[")
    default:
      let isPlaceholder = showLeaf(index, in: &json)
      if isPlaceholder { placeholders &+= 1 }
      let written = node(index)
      written.pointee.jsonEnd = Int32(truncatingIfNeeded: json.count)
      written.pointee.isOpaque = isPlaceholder
      written.pointee.height = isPlaceholder ? 1 : 0
      if isPlaceholder, depth > 0 { levels[depth &- 1].height = max(1, levels[depth &- 1].height) }
      if isPlaceholder, open >= Payload.deepest { return nil }
      return json.failed ? .noMemory : .ok
    }
    guard open &+ Int(level.size) <= Payload.deepest else { return nil }
    level.depth = UInt8(truncatingIfNeeded: open &+ Int(level.size))
    node(index).pointee.isOpen = true
    levels[depth] = level
    depth &+= 1
    return json.failed ? .noMemory : .ok
  }

  private func close(_ level: Level, in json: borrowing ByteBuffer, _ placeholders: Int) {
    let closed = node(level.node)
    closed.pointee.isOpen = false
    closed.pointee.jsonEnd = Int32(truncatingIfNeeded: json.count)
    closed.pointee.isOpaque = placeholders > level.placeholders
    closed.pointee.height = level.height &+ level.size
  }
}
