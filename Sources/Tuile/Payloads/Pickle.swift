/// Python's pickles, protocols 2 to 5, without importing or calling anything: what is
/// made by a call, and tuples, sets and bytes are kept as the opcodes that they are.
extension PayloadTree {
  /// Two's complement, little-endian, of at most 8 octets.
  static func signed(_ octets: Bytes) -> Int64 {
    guard octets.count > 0 else { return 0 }
    var number: Int64 = octets[octets.count &- 1] >= 0x80 ? -1 : 0
    var i = octets.count
    while i > 0 {
      i &-= 1
      number = number &<< 8 | Int64(octets[i])
    }
    return number
  }

  /// An unsigned number of `size` octets, little-endian, at most 8.
  func number(_ at: Int, _ size: Int) -> Int {
    Int(truncatingIfNeeded: min(stored.littleEndian(at, size), 1 << 40))
  }

  func parsePickle() -> Bool {
    if stored.isEmpty {
      root = add(.map, 0, 0)
      return root != 0
    }
    guard stored[0] == 0x80, stored[1] >= 2, stored[1] <= 5 else { return false }
    protocolNumber = Int(stored[1])
    // What is too short for a frame says nothing of frames.
    isFramed = protocolNumber >= 4 && (stored[2] == 0x95 || stored.count < 7)
    marks = stored.count < 4
    let values = PayloadIndices()
    let opened = PayloadIndices()
    var position = 2
    while position < stored.count {
      let at = position
      let op = stored[at]
      position &+= 1
      if op == 0x2E {
        root = resolved(values.last)
        return values.count == 1 && opened.count == 0 && position == stored.count
          && node(values.last).pointee.kind == .map
      }
      guard !isFull, !values.failed, !opened.failed else { return true }
      let base = opened.count > 0 ? opened[opened.count &- 2] : 0
      if step(op, at, &position, values, opened, base) == false { return false }
      guard position <= stored.count else { return false }
    }
    return false
  }

  private func push(_ kind: PayloadNode.Kind, _ from: Int, _ to: Int, _ values: PayloadIndices) -> Int {
    let added = add(kind, from, to)
    node(added).pointee.op = stored[from]
    values.append(added)
    return added
  }

  private func step(
    _ op: UInt8, _ at: Int, _ position: inout Int, _ values: PayloadIndices, _ opened: PayloadIndices, _ base: Int
  ) -> Bool {
    let held = values.count &- base
    switch op {
    case 0x95: position &+= 8  // FRAME
    case 0x28:  // MARK
      opened.append(values.count)
      opened.append(at)
    case 0x4E: _ = push(.null, at, position, values)
    case 0x88: _ = push(.yes, at, position, values)
    case 0x89: _ = push(.no, at, position, values)
    case 0x4B, 0x4D, 0x4A:  // BININT1, BININT2, BININT
      let size = op == 0x4B ? 1 : op == 0x4D ? 2 : 4
      position &+= size
      let value = op == 0x4A ? Self.signed(stored.slice(at &+ 1, position)) : Int64(number(at &+ 1, size))
      node(push(.int, at, position, values)).pointee.value = value
    case 0x8A, 0x8B:  // LONG1, LONG4
      let head = op == 0x8A ? 1 : 4
      let size = number(at &+ 1, head)
      position &+= head &+ size
      guard size < 1 << 31, position <= stored.count else { return false }
      let octets = stored.slice(position &- size, position)
      let added = push(size <= 8 ? .int : .wide, at, position, values)
      if size <= 8 { node(added).pointee.value = Self.signed(octets) }
      node(added).pointee.op = 0
      setText(added, position &- size, position)
    case 0x47:  // BINFLOAT
      position &+= 8
      let bits = stored.bigEndian(at &+ 1, 8)
      let isFinite = Double(bitPattern: bits).isFinite
      node(push(isFinite ? .double : .infinite, at, position, values)).pointee.value = Int64(bitPattern: bits)
    case 0x8C, 0x58, 0x8D, 0x43, 0x42, 0x8E, 0x96:  // text and bytes, by the octets of their size
      let head = op == 0x8C || op == 0x43 ? 1 : op == 0x58 || op == 0x42 ? 4 : 8
      let size = number(at &+ 1, head)
      position &+= head &+ size
      guard position <= stored.count else { return false }
      let kind: PayloadNode.Kind = op == 0x96 ? .byteArray : op == 0x8C || op == 0x58 || op == 0x8D ? .string : .bytes
      setText(push(kind, at, position, values), position &- size, position)
    case 0x7D: _ = push(.map, at, position, values)
    case 0x5D: _ = push(.list, at, position, values)
    case 0x8F: _ = push(.set, at, position, values)
    case 0x29: _ = push(.tuple, at, position, values)
    case 0x85, 0x86, 0x87:
      let size = Int(op &- 0x84)
      guard held >= size else { return false }
      collect(.tuple, values.count &- size, node(values[values.count &- size]).pointee.from, op, position, values)
    case 0x74, 0x91:  // TUPLE, FROZENSET
      guard opened.count > 0 else { return false }
      collect(op == 0x74 ? .tuple : .frozenSet, base, Int32(truncatingIfNeeded: opened.last), op, position, values)
      opened.truncate(opened.count &- 2)
    case 0x73, 0x61:  // SETITEM, APPEND
      let size = op == 0x73 ? 2 : 1
      guard held > size else { return false }
      return extend(op == 0x73 ? .map : .list, values.count &- size, position, values)
    case 0x75, 0x65, 0x90:  // SETITEMS, APPENDS, ADDITEMS
      guard opened.count > 0 else { return false }
      opened.truncate(opened.count &- 2)
      let below = opened.count > 0 ? opened[opened.count &- 2] : 0
      guard base > below else { return false }
      return extend(op == 0x75 ? .map : op == 0x65 ? .list : .set, base, position, values)
    case 0x63:  // GLOBAL
      let line = stored.find(0x0A, from: position)
      let end = stored.find(0x0A, from: line &+ 1)
      guard end < stored.count, end &- position < 1024 else { return false }
      position = end &+ 1
      setText(push(.object, at, position, values), at &+ 1, end)
    case 0x93, 0x52, 0x81, 0x92:  // STACK_GLOBAL, REDUCE, NEWOBJ, NEWOBJ_EX
      let size = op == 0x92 ? 3 : 2
      guard held >= size else { return false }
      collect(.object, values.count &- size, node(values[values.count &- size]).pointee.from, op, position, values)
      recognize(values.last)
    case 0x62:  // BUILD
      guard held >= 2 else { return false }
      let state = values.last
      values.truncate(values.count &- 1)
      let object = resolved(values.last)
      guard node(object).pointee.kind == .object else { return false }
      append(state, to: object)
      node(object).pointee.to = Int32(truncatingIfNeeded: position)
    case 0x94, 0x71, 0x72:  // MEMOIZE, BINPUT, LONG_BINPUT
      let size = op == 0x94 ? 0 : op == 0x71 ? 1 : 4
      let index = op == 0x94 ? numbered.count : number(at &+ 1, size)
      position &+= size
      guard held >= 1, index <= stored.count, define(index, values.last) else { return false }
      definitions.append(at)
      definitions.append(values.last)
      let found = node(values.last)
      switch found.pointee.kind {
      case .tuple, .set, .frozenSet, .object, .bytes, .byteArray, .date:
        found.pointee.to = Int32(truncatingIfNeeded: position)
      case .ref: return false
      default: break
      }
      found.pointee.isMarked = true
      marks = true
    case 0x68, 0x6A:  // BINGET, LONG_BINGET
      let size = op == 0x68 ? 1 : 4
      let index = number(at &+ 1, size)
      position &+= size
      guard index < numbered.count, numbered[index] != 0 else { return false }
      let target = numbered[index]
      node(target).pointee.isShared = true
      hasRefs = true
      node(push(.ref, at, position, values)).pointee.link = Int32(truncatingIfNeeded: target)
    case 0x30:  // POP
      guard held >= 1 else { return false }
      values.truncate(values.count &- 1)
    case 0x31:  // POP_MARK
      guard opened.count > 0 else { return false }
      values.truncate(base)
      opened.truncate(opened.count &- 2)
    default: return false
    }
    return true
  }

  /// Each number once, and as picklers count: with few gaps.
  private func define(_ index: Int, _ value: Int) -> Bool {
    while numbered.count <= index {
      guard !numbered.failed else { return false }
      numbered.append(0)
    }
    guard numbered[index] == 0 else { return false }
    numbered[index] = value
    return true
  }

  /// Makes one value of those from `first` on.
  private func collect(
    _ kind: PayloadNode.Kind, _ first: Int, _ from: Int32, _ op: UInt8, _ position: Int, _ values: PayloadIndices
  ) {
    let made = add(kind, Int(from), position)
    node(made).pointee.op = op
    var i = first
    while i < values.count {
      append(values[i], to: made)
      i &+= 1
    }
    values.truncate(first)
    values.append(made)
  }

  /// Puts the values from `first` on into the one below them.
  private func extend(_ kind: PayloadNode.Kind, _ first: Int, _ position: Int, _ values: PayloadIndices) -> Bool {
    let target = values[first &- 1]
    let found = node(target).pointee
    guard found.kind == kind || found.kind == .object, kind != .map || (values.count &- first) & 1 == 0 else {
      return false
    }
    var i = first
    while i < values.count, found.kind != .object {
      append(values[i], to: target)
      i &+= 1
    }
    values.truncate(first)
    node(target).pointee.to = Int32(truncatingIfNeeded: position)
    return true
  }
}
