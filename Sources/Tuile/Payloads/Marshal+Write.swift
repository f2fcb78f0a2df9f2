/// Writes the tree as Ruby does.
extension PayloadTree {
  private struct Level {
    var node: Int32
    var child: Int32
    /// Of an 'I': what is written before the next child.
    var isWrapper: Bool
    var done: Int32 = 0
  }

  private struct Counts: ~Copyable {
    var symbols: Int32 = 0
    var objects: Int32 = 0
  }

  private static let deepestMarshal = Payload.deepest &* 2

  func writeMarshal(to out: inout ByteBuffer) -> PayloadStatus {
    out.append(0x04)
    out.append(0x08)
    return withUnsafeTemporaryAllocation(of: Level.self, capacity: Self.deepestMarshal) { levels in
      guard let levels = levels.baseAddress else { return .noMemory }
      var numbers = Counts()
      var depth = 0
      guard write(root, levels, &depth, &numbers, &out) else { return .notRepresentable }
      while depth > 0 {
        let level = levels + (depth &- 1)
        let child = Int(level.pointee.child)
        let index = Int(level.pointee.node)
        if level.pointee.isWrapper, level.pointee.done == 1 {
          writeLong(Int(node(index).pointee.count &- 1) / 2, to: &out)
        }
        if level.pointee.done >= 0, level.pointee.done < 2 { level.pointee.done &+= 1 }
        if child == 0 {
          let last = Int(node(index).pointee.extra)
          if last != 0, !level.pointee.isWrapper, level.pointee.done >= 0 {
            // Its default, which is the last thing that it holds.
            level.pointee.done = .min
            guard write(last, levels, &depth, &numbers, &out) else { return .notRepresentable }
            continue
          }
          let inner = Int(node(index).pointee.first)
          if level.pointee.isWrapper, node(inner).pointee.kind == .object, node(inner).pointee.op == 0x75 {
            number(inner, &numbers)
          }
          depth &-= 1
          continue
        }
        level.pointee.child = node(child).pointee.next
        guard write(child, levels, &depth, &numbers, &out) else { return .notRepresentable }
        guard out.count <= Payload.largestJSON(stored.count) else { return .notRepresentable }
      }
      return .ok
    }
  }

  /// Gives a value, and what is around it, its number.
  private func number(_ index: Int, _ numbers: inout Counts) {
    numbers.objects &+= 1
    var at = index
    while at != 0 {
      node(at).pointee.number = numbers.objects
      at = wrapper(of: at)
    }
  }

  func writeLong(_ number: Int, to out: inout ByteBuffer) {
    if number == 0 {
      out.append(0)
    } else if number > 0, number < 123 {
      out.append(UInt8(truncatingIfNeeded: number &+ 5))
    } else if number < 0, number > -124 {
      out.append(UInt8(truncatingIfNeeded: number &- 5))
    } else {
      var size = 1
      while size < 4, number &>> (8 &* size) != (number < 0 ? -1 : 0) { size &+= 1 }
      out.append(UInt8(truncatingIfNeeded: number < 0 ? 0 &- size : size))
      var i = 0
      while i < size {
        out.append(UInt8(truncatingIfNeeded: number &>> (8 &* i)))
        i &+= 1
      }
    }
  }

  func writeOctets(_ octets: Bytes, to out: inout ByteBuffer) {
    writeLong(octets.count, to: &out)
    out.append(octets)
  }

  private func writeSymbol(_ index: Int, _ numbers: inout Counts, to out: inout ByteBuffer) {
    let found = node(index)
    if found.pointee.number > 0 {
      out.append(0x3B)
      writeLong(Int(found.pointee.number &- 1), to: &out)
      return
    }
    numbers.symbols &+= 1
    found.pointee.number = numbers.symbols
    if found.pointee.isMarked { out.append(0x49) }
    out.append(0x3A)
    writeOctets(text(index), to: &out)
    if found.pointee.isMarked {
      writeLong(1, to: &out)
      writeSymbol(Int(found.pointee.link), &numbers, to: &out)
      out.append(0x54)
    }
  }

  private func write(
    _ index: Int, _ levels: UnsafeMutablePointer<Level>, _ depth: inout Int, _ numbers: inout Counts,
    _ out: inout ByteBuffer
  ) -> Bool {
    let value = resolved(index)
    let found = node(value).pointee
    if found.number > 0, found.kind != .symbol {
      out.append(0x40)
      writeLong(Int(found.number &- 1), to: &out)
      return true
    }
    switch found.kind {
    case .null: out.append(0x30)
    case .yes: out.append(0x54)
    case .no: out.append(0x46)
    case .symbol: writeSymbol(Int(found.link), &numbers, to: &out)
    case .string:
      guard !found.isNew || UTF8Text.firstInvalid(text(value)) == nil else { return false }
      number(value, &numbers)
      out.append("I\"")
      writeOctets(text(value), to: &out)
      writeLong(1, to: &out)
      guard let name = encoding() else { return false }
      writeSymbol(name, &numbers, to: &out)
      out.append(found.isNew || found.count == 1 ? 0x54 : 0x46)
    case .int, .double, .infinite, .wide:
      if found.isNew { return writeNumber(value, &numbers, to: &out) }
      if found.isMarked { number(value, &numbers) }
      out.append(raw(value))
    case .bytes where found.op == 0x22:
      number(value, &numbers)
      out.append(raw(value))
    case .list, .map, .object, .bytes: return begin(value, levels, &depth, &numbers, &out)
    default: return false
    }
    return true
  }

  private func begin(
    _ value: Int, _ levels: UnsafeMutablePointer<Level>, _ depth: inout Int, _ numbers: inout Counts,
    _ out: inout ByteBuffer
  ) -> Bool {
    let found = node(value).pointee
    guard depth < Self.deepestMarshal else { return false }
    let isLate = found.kind == .object && found.op == 0x75
    if !isLate, found.isMarked || found.isNew || (stored.isEmpty && value == root) { number(value, &numbers) }
    var op = found.op
    if found.kind == .map || found.kind == .list {
      if found.link != 0 {
        out.append(0x43)
        writeSymbol(Int(found.link), &numbers, to: &out)
      }
      op = found.kind == .list ? 0x5B : found.extra == 0 ? 0x7B : 0x7D
    }
    let size = Int(found.count)
    switch op {
    case 0x63, 0x6D, 0x4D, 0x2F:
      out.append(raw(value))
      return true
    case 0x75:
      out.append(op)
      writeSymbol(Int(found.link), &numbers, to: &out)
      out.append(stored.slice(Int(found.last), Int(found.to)))
      // Behind its instance variables, if there are any.
      let around = wrapper(of: value)
      if around == 0 || node(around).pointee.op != 0x49 { number(value, &numbers) }
      return true
    case 0x5B, 0x7B, 0x7D:
      out.append(op)
      writeLong(op == 0x5B ? size : size / 2, to: &out)
    case 0x6F, 0x53:
      out.append(op)
      writeSymbol(Int(found.link), &numbers, to: &out)
      writeLong(size / 2, to: &out)
    case 0x55, 0x43, 0x65:
      out.append(op)
      writeSymbol(Int(found.link), &numbers, to: &out)
    case 0x49: out.append(op)
    default: return false
    }
    levels[depth] = Level(node: Int32(truncatingIfNeeded: value), child: found.first, isWrapper: op == 0x49)
    depth &+= 1
    return true
  }

  /// The symbol that says how text is encoded.
  private func encoding() -> Int? {
    if encodingSymbol == 0 {
      let from = scratch.count
      scratch.append(0x45)
      encodingSymbol = add(.symbol, 0, 0)
      node(encodingSymbol).pointee.isNew = true
      setText(encodingSymbol, from, scratch.count)
    }
    return encodingSymbol == 0 ? nil : encodingSymbol
  }

  private func writeNumber(_ index: Int, _ numbers: inout Counts, to out: inout ByteBuffer) -> Bool {
    let leaf = node(index).pointee
    if leaf.kind == .int, leaf.value >= -(1 &<< 30), leaf.value < 1 &<< 30 {
      out.append(0x69)
      writeLong(Int(leaf.value), to: &out)
      return true
    }
    number(index, &numbers)
    switch leaf.kind {
    case .int:
      out.append(0x6C)
      out.append(leaf.value < 0 ? 0x2D : 0x2B)
      let magnitude = leaf.value.magnitude
      var words = 4
      while words > 1, magnitude &>> UInt64(truncatingIfNeeded: 16 &* words &- 16) == 0 { words &-= 1 }
      writeLong(words, to: &out)
      var i: UInt64 = 0
      while i < 2 &* UInt64(truncatingIfNeeded: words) {
        out.append(UInt8(truncatingIfNeeded: magnitude &>> (8 &* i)))
        i &+= 1
      }
    case .wide:
      let magnitude = text(index)
      guard magnitude.count > 0 else { return false }
      out.append(0x6C)
      out.append(leaf.op == 2 ? 0x2D : 0x2B)
      writeLong((magnitude.count &+ 1) / 2, to: &out)
      out.append(magnitude)
      if magnitude.count & 1 == 1 { out.append(0) }
    case .double:
      out.append(0x66)
      var text = ByteBuffer()
      RubyFloat.write(Double(bitPattern: UInt64(bitPattern: leaf.value)), to: &text)
      writeOctets(text.bytes, to: &out)
    default: return false
    }
    return true
  }
}
