/// Ruby's Marshal 4.8 (marshal.c). Symbols and objects are numbered as they come, so
/// that all of it is read and written anew; no class is looked up.
///
/// A value that is another one with something around it (instance variables, a class of
/// its own) points to that with `value`.
extension PayloadTree {
  private struct Level {
    var node: Int32
    var left: Int32
    /// Every other one is a symbol: instance variables.
    var isPairs = false
    /// An 'I', whose value has come or not.
    var isWrapper = false
    var hasValue = false
  }

  /// `isSession`: nothing is around the session's hash.
  func parseMarshal(isSession: Bool = true) -> Bool {
    if stored.isEmpty {
      root = add(.map, 0, 0)
      return root != 0
    }
    guard stored[0] == 0x04, stored[1] == 0x08 else { return false }
    return withUnsafeTemporaryAllocation(of: Level.self, capacity: Payload.deepest) { levels in
      guard let levels = levels.baseAddress else { return false }
      var position = 2
      guard let opened = value(&position, parent: 0) else { return false }
      root = Int(opened.node)
      levels[0] = opened
      var depth = opened.left >= 0 ? 1 : 0
      while depth > 0 {
        let level = levels + (depth &- 1)
        let index = Int(level.pointee.node)
        if level.pointee.left == 0 {
          if level.pointee.isWrapper, !level.pointee.hasValue {
            level.pointee.hasValue = true
            level.pointee.isPairs = true
            guard let pairs = long(&position), pairs >= 0, pairs <= stored.count else { return false }
            level.pointee.left = Int32(truncatingIfNeeded: pairs &* 2)
            continue
          }
          finish(index)
          depth &-= 1
          continue
        }
        level.pointee.left &-= 1
        if level.pointee.isPairs, level.pointee.left & 1 == 1 {
          guard let name = symbol(&position) else { return false }
          append(occurrence(name, position), to: index)
          continue
        }
        guard let opened = value(&position, parent: index) else { return false }
        if level.pointee.left == 0, node(index).pointee.op == 0x7D, !level.pointee.isWrapper {
          node(index).pointee.extra = opened.node
        } else {
          append(Int(opened.node), to: index)
        }
        if opened.left >= 0 {
          guard depth < Payload.deepest else { return false }
          levels[depth] = opened
          depth &+= 1
        }
      }
      guard position == stored.count, !isSession || node(root).pointee.kind == .map else { return false }
      settle()
      return true
    }
  }

  /// What refers to a value refers to all that is around it.
  private func settle() {
    guard hasRefs else { return }
    var i = 1
    while i < count {
      if node(i).pointee.kind == .ref {
        var target = Int(node(i).pointee.link)
        while wrapper(of: target) != 0 { target = wrapper(of: target) }
        node(i).pointee.link = Int32(truncatingIfNeeded: target)
        node(target).pointee.isShared = true
      }
      i &+= 1
    }
  }

  /// The value that is around another, or 0. Numbers have their own use of `value`.
  func wrapper(of index: Int) -> Int {
    switch node(index).pointee.kind {
    case .int, .double, .infinite: return 0
    default: return Int(node(index).pointee.value)
    }
  }

  // MARK: what values are made of

  private func long(_ position: inout Int) -> Int? {
    guard position < stored.count else { return nil }
    let first = Int(Int8(bitPattern: stored[position]))
    position &+= 1
    if first == 0 { return 0 }
    if first > 4 { return first &- 5 }
    if first < -4 { return first &+ 5 }
    let size = first < 0 ? 0 &- first : first
    guard position &+ size <= stored.count else { return nil }
    var value = first < 0 ? -1 : 0
    var i = size
    while i > 0 {
      i &-= 1
      value = value &<< 8 | Int(stored[position &+ i])
    }
    position &+= size
    return value
  }

  private func octets(_ position: inout Int) -> (from: Int, to: Int)? {
    guard let size = long(&position), size >= 0, size <= stored.count &- position else { return nil }
    position &+= size
    return (position &- size, position)
  }

  /// The definition of a symbol.
  private func symbol(_ position: inout Int) -> Int? {
    let from = position
    let type = stored[position]
    position &+= 1
    if type == 0x3B {
      guard let number = long(&position), number >= 0, number < definitions.count else { return nil }
      return definitions[number]
    }
    let isWrapped = type == 0x49
    if isWrapped {
      guard stored[position] == 0x3A else { return nil }
      position &+= 1
    } else if type != 0x3A {
      return nil
    }
    guard let text = octets(&position) else { return nil }
    let made = add(.symbol, from, position)
    setText(made, text.from, text.to)
    definitions.append(made)
    if self.text(made) == Bytes("E") { encodingSymbol = made }
    if isWrapped {
      // The one encoding that a symbol has beside ASCII.
      guard long(&position) == 1, let name = symbolE(&position), stored[position] == 0x54 else { return nil }
      position &+= 1
      node(made).pointee.isMarked = true
      node(made).pointee.link = Int32(truncatingIfNeeded: name)
    }
    return made
  }

  /// The symbol E, which is in ASCII.
  private func symbolE(_ position: inout Int) -> Int? {
    guard stored[position] != 0x49, let name = symbol(&position), text(name) == Bytes("E") else { return nil }
    return name
  }

  func occurrence(_ symbol: Int, _ to: Int) -> Int {
    let made = add(.symbol, to, to)
    node(made).pointee.link = Int32(truncatingIfNeeded: symbol)
    setText(made, Int(node(symbol).pointee.text), Int(node(symbol).pointee.textEnd))
    return made
  }

  // MARK: values

  private func value(_ position: inout Int, parent: Int) -> Level? {
    let from = position
    guard position < stored.count else { return nil }
    var type = stored[position]
    if type == 0x49, stored[position &+ 1] == 0x3A { type = 0x3A }
    if type == 0x3A || type == 0x3B {
      guard let name = symbol(&position) else { return nil }
      return leaf(occurrence(name, position))
    }
    position &+= 1
    let made = add(.object, from, position)
    guard made != 0 else { return nil }
    node(made).pointee.op = type
    switch type {
    case 0x30: node(made).pointee.kind = .null
    case 0x54: node(made).pointee.kind = .yes
    case 0x46: node(made).pointee.kind = .no
    case 0x69:
      guard let number = long(&position) else { return nil }
      node(made).pointee.kind = .int
      node(made).pointee.value = Int64(number)
    case 0x40:
      guard let number = long(&position), number >= 0, number < numbered.count else { return nil }
      node(made).pointee.kind = .ref
      node(made).pointee.link = Int32(truncatingIfNeeded: numbered[number])
      hasRefs = true
    case 0x22, 0x66, 0x63, 0x6D, 0x4D, 0x2F, 0x6C:
      remember(made)
      guard plain(made, type, &position) else { return nil }
    case 0x5B, 0x7B, 0x7D:
      remember(made)
      guard let size = long(&position), size >= 0, size <= stored.count else { return nil }
      node(made).pointee.kind = type == 0x5B ? .list : .map
      return open(made, type == 0x5B ? size : size &* 2 &+ (type == 0x7D ? 1 : 0))
    case 0x6F, 0x53:
      remember(made)
      guard name(made, &position), let size = long(&position), size >= 0, size <= stored.count else { return nil }
      var level = open(made, size &* 2)
      level.isPairs = true
      return level
    case 0x55:
      remember(made)
      return name(made, &position) ? open(made, 1) : nil
    case 0x43, 0x65: return name(made, &position) ? open(made, 1) : nil
    case 0x75:
      guard name(made, &position) else { return nil }
      // Its data, with their size: nothing is inside, so that `last` is free.
      node(made).pointee.last = Int32(truncatingIfNeeded: position)
      guard octets(&position) != nil else { return nil }
      // Its number comes behind what is around it.
      if node(parent).pointee.op != 0x49 || node(parent).pointee.kind != .object { remember(made) }
    case 0x49:
      var level = open(made, 1)
      level.isWrapper = true
      return level
    default: return nil
    }
    node(made).pointee.to = Int32(truncatingIfNeeded: position)
    return leaf(made)
  }

  private func leaf(_ made: Int) -> Level? {
    made == 0 ? nil : Level(node: Int32(truncatingIfNeeded: made), left: -1)
  }

  private func open(_ made: Int, _ left: Int) -> Level {
    Level(node: Int32(truncatingIfNeeded: made), left: Int32(truncatingIfNeeded: left))
  }

  private func remember(_ made: Int) {
    node(made).pointee.isMarked = true
    numbered.append(made)
  }

  /// The class, which is shown; its symbol.
  private func name(_ made: Int, _ position: inout Int) -> Bool {
    guard let name = symbol(&position) else { return false }
    node(made).pointee.link = Int32(truncatingIfNeeded: name)
    setText(made, Int(node(name).pointee.text), Int(node(name).pointee.textEnd))
    return true
  }

  /// A string, float, class, module, regular expression or large integer.
  private func plain(_ made: Int, _ type: UInt8, _ position: inout Int) -> Bool {
    if type == 0x6C {
      let sign = stored[position]
      position &+= 1
      guard sign == 0x2B || sign == 0x2D, let words = long(&position), words > 0,
        words <= (stored.count &- position) / 2
      else { return false }
      let octets = stored.slice(position, position &+ words &* 2)
      position &+= words &* 2
      setText(made, position &- words &* 2, position)
      node(made).pointee.kind = .wide
      node(made).pointee.op = sign == 0x2D ? 2 : 1
      if octets.count <= 8, octets.count < 8 || octets[7] < 0x80 {
        let number = Int64(bitPattern: octets.littleEndian(0, octets.count))
        node(made).pointee.kind = .int
        node(made).pointee.value = sign == 0x2D ? 0 &- number : number
      }
      return true
    }
    guard let text = octets(&position) else { return false }
    setText(made, text.from, text.to)
    switch type {
    case 0x22: node(made).pointee.kind = .bytes
    case 0x66:
      guard let number = double(self.text(made)) else { return false }
      node(made).pointee.kind = number.isFinite ? .double : .infinite
      node(made).pointee.value = Int64(bitPattern: number.bitPattern)
    case 0x2F: position &+= 1
    default: break
    }
    return position <= stored.count
  }

  /// All that a value holds has come.
  private func finish(_ index: Int) {
    let op = node(index).pointee.op
    guard op == 0x49 || op == 0x43 || op == 0x65 else { return }
    let inner = Int(node(index).pointee.first)
    let found = node(inner).pointee
    let isText = found.kind == .bytes && found.op == 0x22
    let pairs = Int(node(index).pointee.count &- 1) / 2
    if op == 0x49, found.op == 0x75, found.kind == .object { remember(inner) }
    if op == 0x49 { setText(index, Int(found.text), Int(found.textEnd)) }
    if wrapper(of: inner) == 0, found.kind != .int, found.kind != .double, found.kind != .infinite {
      node(inner).pointee.value = Int64(index)
    }
    if op == 0x49, isText {
      node(index).pointee.kind = .bytes
      let name = Int(found.next)
      let value = node(node(name).pointee.next).pointee.kind
      if pairs == 1, text(name) == Bytes("E"), value == .yes || value == .no {
        // Text in UTF-8 or ASCII is one value of its own.
        node(index).pointee.kind = .string
        node(index).pointee.count = value == .yes ? 1 : 0
        node(index).pointee.first = 0
        node(index).pointee.isMarked = true
      }
    }
    // Rails' own hash, and one that compares its keys by identity, are each one value, too.
    let isHash = text(index) == Bytes("ActiveSupport::HashWithIndifferentAccess") || text(index) == Bytes("Hash")
    if op == 0x43, found.kind == .map, found.link == 0, isHash {
      let map = node(index)
      map.pointee.kind = .map
      map.pointee.first = found.first
      map.pointee.last = found.last
      map.pointee.count = found.count
      map.pointee.extra = found.extra
      map.pointee.isMarked = true
    }
  }

  /// The class of a value, behind what is around it.
  func rubyClass(_ index: Int) -> Bytes {
    var index = index
    while node(index).pointee.op == 0x49 || node(index).pointee.op == 0x65, node(index).pointee.first != 0 {
      index = Int(node(index).pointee.first)
    }
    switch node(index).pointee.op {
    case 0x2F: return Bytes("Regexp")
    case 0x63: return Bytes("Class")
    case 0x6D, 0x4D: return Bytes("Module")
    case 0x5B: return Bytes("Array")
    case 0x7B, 0x7D: return Bytes("Hash")
    case 0x22: return Bytes("String")
    default: return text(index)
    }
  }
}
