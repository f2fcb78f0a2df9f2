import CSystem

/// Writes the tree as CPython's pickler does, frames and numbers included. What is
/// behind a placeholder is copied opcode by opcode, with its numbers counted anew.
extension PayloadTree {
  private struct Level {
    var node: Int32
    /// The next value of a list or map; or, of opcodes that are copied, the next and their end.
    var child: Int32
    var end: Int32
    var isCopied: Bool
    var done: Int32 = 0
  }

  /// What is written, a frame at a time.
  private struct Output: ~Copyable {
    var frame = ByteBuffer()
    let isFramed: Bool
    var numbers = 0

    init(isFramed: Bool) { self.isFramed = isFramed }

    static let frameSize = 65536

    /// Where one value ends and the next begins.
    mutating func boundary(_ out: inout ByteBuffer) {
      if frame.count >= Output.frameSize { close(&out) }
    }

    mutating func close(_ out: inout ByteBuffer) {
      if isFramed, frame.count >= 4 {
        out.append(0x95)
        Output.append(UInt64(truncatingIfNeeded: frame.count), 8, to: &out)
      }
      if frame.failed { _ = out.reserve(.max) }
      out.append(frame.bytes)
      frame.removeAll()
    }

    /// An opcode with its argument; what is large stands in no frame.
    mutating func append(_ bytes: Bytes, payload: Int, _ out: inout ByteBuffer) {
      if payload >= Output.frameSize {
        close(&out)
        out.append(bytes)
      } else {
        frame.append(bytes)
      }
    }

    static func append(_ number: UInt64, _ size: Int, to out: inout ByteBuffer) {
      var left = number
      var i = 0
      while i < size {
        out.append(UInt8(truncatingIfNeeded: left))
        left = left &>> 8
        i &+= 1
      }
    }
  }

  private static let batch: Int32 = 1000
  private static let deepestWritten = Payload.deepest &* 2

  func writePickle(to out: inout ByteBuffer) -> PayloadStatus {
    var output = Output(isFramed: isFramed)
    out.append(0x80)
    out.append(UInt8(truncatingIfNeeded: protocolNumber))
    return withUnsafeTemporaryAllocation(of: Level.self, capacity: Self.deepestWritten) { levels in
      guard let levels = levels.baseAddress else { return .noMemory }
      var depth = 0
      guard write(root, levels, &depth, &output, &out) else { return .notRepresentable }
      while depth > 0 {
        let level = levels + (depth &- 1)
        let done =
          level.pointee.isCopied
          ? copy(level, levels, &depth, &output, &out) : advance(level, levels, &depth, &output, &out)
        guard done else { return .notRepresentable }
        // A copy larger than what is read has no use.
        guard out.count <= Payload.largestJSON(stored.count) else { return .notRepresentable }
      }
      output.frame.append(0x2E)
      output.close(&out)
      return out.failed ? .noMemory : .ok
    }
  }

  /// The next value of a list or map, with the opcodes that put values in.
  private func advance(
    _ level: UnsafeMutablePointer<Level>, _ levels: UnsafeMutablePointer<Level>, _ depth: inout Int,
    _ output: inout Output, _ out: inout ByteBuffer
  ) -> Bool {
    let parent = node(level.pointee.node).pointee
    let isMap = parent.kind == .map
    let batch = isMap ? Self.batch &* 2 : Self.batch
    let isOne = parent.count == (isMap ? 2 : 1)
    let done = level.pointee.done
    if done > 0, done % batch == 0 || done == parent.count, !isOne { output.frame.append(isMap ? 0x75 : 0x65) }
    if done == parent.count {
      if isOne { output.frame.append(isMap ? 0x73 : 0x61) }
      // CPython begins another batch of a dictionary before it sees that nothing is left.
      if isMap, done > 0, done % batch == 0 {
        output.frame.append(0x28)
        output.frame.append(0x75)
      }
      node(level.pointee.node).pointee.isOpen = false
      depth &-= 1
      return true
    }
    if done % batch == 0, !isOne { output.frame.append(0x28) }
    level.pointee.done &+= 1
    let child = Int(level.pointee.child)
    level.pointee.child = node(child).pointee.next
    return write(child, levels, &depth, &output, &out)
  }

  /// A value: whole, or its beginning.
  private func write(
    _ index: Int, _ levels: UnsafeMutablePointer<Level>, _ depth: inout Int, _ output: inout Output,
    _ out: inout ByteBuffer
  ) -> Bool {
    let value = resolved(index)
    let found = node(value)
    if found.pointee.number > 0 {
      output.boundary(&out)
      get(Int(found.pointee.number) &- 1, &output)
      return true
    }
    // What stood before is gone, and here is its first place; if it is not inside of itself.
    guard !found.pointee.isOpen else { return false }
    switch found.pointee.kind {
    case .list, .map:
      guard depth < Self.deepestWritten else { return false }
      output.boundary(&out)
      output.frame.append(found.pointee.kind == .map ? 0x7D : 0x5D)
      if found.pointee.isMarked || (found.pointee.isNew && marks) || (stored.isEmpty && value == root) {
        put(value, &output)
      }
      found.pointee.isOpen = true
      levels[depth] = Level(
        node: Int32(truncatingIfNeeded: value), child: found.pointee.first, end: 0, isCopied: false)
      depth &+= 1
      return true
    case .tuple, .set, .frozenSet, .object, .bytes, .byteArray, .date:
      guard !found.pointee.isNew, depth < Self.deepestWritten else { return false }
      found.pointee.isOpen = true
      levels[depth] = Level(
        node: Int32(truncatingIfNeeded: value), child: found.pointee.from, end: found.pointee.to, isCopied: true)
      depth &+= 1
      return true
    default:
      output.boundary(&out)
      if found.pointee.isNew {
        guard writePickleLeaf(value, &output, &out) else { return false }
      } else {
        output.append(raw(value), payload: Int(found.pointee.textEnd &- found.pointee.text), &out)
      }
      if found.pointee.isMarked || (found.pointee.isNew && found.pointee.kind == .string && marks) {
        put(value, &output)
      }
      return true
    }
  }

  private func put(_ value: Int, _ output: inout Output) {
    let index = output.numbers
    output.numbers &+= 1
    node(value).pointee.number = Int32(truncatingIfNeeded: output.numbers)
    if protocolNumber >= 4 {
      output.frame.append(0x94)
    } else if index < 256 {
      output.frame.append(0x71)
      output.frame.append(UInt8(truncatingIfNeeded: index))
    } else {
      output.frame.append(0x72)
      Output.append(UInt64(truncatingIfNeeded: index), 4, to: &output.frame)
    }
  }

  private func get(_ index: Int, _ output: inout Output) {
    if index < 256 {
      output.frame.append(0x68)
      output.frame.append(UInt8(truncatingIfNeeded: index))
    } else {
      output.frame.append(0x6A)
      Output.append(UInt64(truncatingIfNeeded: index), 4, to: &output.frame)
    }
  }

  /// Copies opcodes up to one that needs another value to be written first.
  private func copy(
    _ level: UnsafeMutablePointer<Level>, _ levels: UnsafeMutablePointer<Level>, _ depth: inout Int,
    _ output: inout Output, _ out: inout ByteBuffer
  ) -> Bool {
    var at = Int(level.pointee.child)
    while at < Int(level.pointee.end) {
      let op = stored[at]
      let (head, size) = argument(at)
      let next = at &+ 1 &+ head &+ size
      level.pointee.child = Int32(truncatingIfNeeded: next)
      switch op {
      case 0x95: break
      case 0x94, 0x71, 0x72:
        if level.pointee.done == 0 { level.pointee.done = Int32(truncatingIfNeeded: definition(at)) }
        put(definitions[Int(level.pointee.done) &* 2 &- 1], &output)
        level.pointee.done &+= 1
      case 0x68, 0x6A:
        let value = numbered[number(at &+ 1, head)]
        if node(value).pointee.number > 0 {
          output.boundary(&out)
          get(Int(node(value).pointee.number) &- 1, &output)
        } else {
          return write(value, levels, &depth, &output, &out)
        }
      default: output.append(stored.slice(at, next), payload: size, &out)
      }
      at = next
    }
    node(level.pointee.node).pointee.isOpen = false
    depth &-= 1
    return true
  }

  /// Which of the definitions, counted from 1, is the one at an offset.
  private func definition(_ at: Int) -> Int {
    var low = 0
    var high = definitions.count / 2
    while low < high {
      let middle = (low &+ high) / 2
      if definitions[middle &* 2] < at { low = middle &+ 1 } else { high = middle }
    }
    return low &+ 1
  }

  /// How many octets of a size or number, and of what it counts, follow an opcode that was read.
  private func argument(_ at: Int) -> (head: Int, size: Int) {
    switch stored[at] {
    case 0x95, 0x47: return (0, 8)
    case 0x4B, 0x71, 0x68: return (1, 0)
    case 0x4D: return (2, 0)
    case 0x4A, 0x72, 0x6A: return (4, 0)
    case 0x8A, 0x8C, 0x43: return (1, number(at &+ 1, 1))
    case 0x8B, 0x58, 0x42: return (4, number(at &+ 1, 4))
    case 0x8D, 0x8E, 0x96: return (8, number(at &+ 1, 8))
    case 0x63:
      let line = stored.find(0x0A, from: at &+ 1)
      return (0, stored.find(0x0A, from: line &+ 1) &- at)
    default: return (0, 0)
    }
  }

  private func writePickleLeaf(_ index: Int, _ output: inout Output, _ out: inout ByteBuffer) -> Bool {
    let leaf = node(index).pointee
    switch leaf.kind {
    case .null: output.frame.append(0x4E)
    case .no: output.frame.append(0x89)
    case .yes: output.frame.append(0x88)
    case .int: writeInteger(leaf.value, &output.frame)
    case .double:
      output.frame.append(0x47)
      Output.append(UInt64(bitPattern: leaf.value).byteSwapped, 8, to: &output.frame)
    case .wide: return writeWide(text(index), isNegative: leaf.op == 2, &output.frame)
    case .string:
      let text = text(index)
      var whole = ByteBuffer()
      if text.count < 256, protocolNumber >= 4 {
        whole.append(0x8C)
        whole.append(UInt8(truncatingIfNeeded: text.count))
      } else {
        whole.append(0x58)
        Output.append(UInt64(truncatingIfNeeded: text.count), 4, to: &whole)
      }
      whole.append(text)
      if whole.failed { _ = out.reserve(.max) }
      output.append(whole.bytes, payload: text.count, &out)
    default: return false
    }
    return true
  }

  private func writeInteger(_ number: Int64, _ out: inout ByteBuffer) {
    let bits = UInt64(bitPattern: number)
    if number >= 0, number < 256 {
      out.append(0x4B)
      out.append(UInt8(truncatingIfNeeded: bits))
    } else if number >= 0, number < 65536 {
      out.append(0x4D)
      Output.append(bits, 2, to: &out)
    } else if number == Int64(Int32(truncatingIfNeeded: number)) {
      out.append(0x4A)
      Output.append(bits, 4, to: &out)
    } else {
      var size = 8
      while size > 1, number &>> Int64(8 &* size &- 9) == (number < 0 ? -1 : 0) { size &-= 1 }
      out.append(0x8A)
      out.append(UInt8(truncatingIfNeeded: size))
      Output.append(bits, size, to: &out)
    }
  }

  /// LONG1 from a magnitude.
  private func writeWide(_ magnitude: Bytes, isNegative: Bool, _ out: inout ByteBuffer) -> Bool {
    guard magnitude.count > 0, magnitude.count < 255 else { return false }
    // A magnitude over half of its octets needs one more for the sign, but for the least of its size.
    let top = magnitude[magnitude.count &- 1]
    var isLeast = isNegative && top == 0x80
    var i = 0
    while i < magnitude.count &- 1 {
      if magnitude[i] != 0 { isLeast = false }
      i &+= 1
    }
    let size = magnitude.count &+ (top >= 0x80 && !isLeast ? 1 : 0)
    out.append(0x8A)
    out.append(UInt8(truncatingIfNeeded: size))
    var carry: UInt16 = 1
    i = 0
    while i < size {
      if isNegative {
        carry = carry &+ UInt16(~magnitude[i])
        out.append(UInt8(truncatingIfNeeded: carry))
        carry = carry &>> 8
      } else {
        out.append(magnitude[i])
      }
      i &+= 1
    }
    return true
  }
}
