import CSystem

/// Writes the tree as PHP does. What did not change is copied, unless references
/// in it have to be counted anew.
extension PayloadTree {
  private struct Level {
    var child: Int32
    var index: Int32
    var isList: Bool
    var isTop: Bool
    var isValue = false
  }

  func writePHP(to out: inout ByteBuffer) -> PayloadStatus {
    withUnsafeTemporaryAllocation(of: Level.self, capacity: Payload.deepest &+ 1) { levels in
      guard let levels = levels.baseAddress else { return .noMemory }
      var numbers = 0
      var depth = 1
      let isArray = format == .phpSerialize
      if isArray {
        numbers = 1
        node(root).pointee.number = 1
        writeHead(of: root, to: &out)
      }
      levels[0] = Level(child: node(root).pointee.first, index: 0, isList: false, isTop: !isArray)
      while depth > 0 {
        let level = levels + (depth &- 1)
        let child = Int(level.pointee.child)
        if child == 0 {
          if !level.pointee.isTop { out.append(0x7D) }
          depth &-= 1
          continue
        }
        level.pointee.child = node(child).pointee.next
        if level.pointee.isList {
          out.append("i:")
          Numbers.writeDecimal(Int64(level.pointee.index), to: &out)
          out.append(0x3B)
          level.pointee.index &+= 1
        } else if !level.pointee.isValue {
          level.pointee.isValue = true
          guard level.pointee.isTop ? writeName(child, to: &out) : writeKey(child, depth == 1, to: &out) else {
            return .notRepresentable
          }
          continue
        }
        level.pointee.isValue = false
        var index = child
        let found = node(child).pointee
        if found.kind == .ref {
          index = Int(found.link)
          let number = node(index).pointee.number
          if number > 0 {
            // R is the value itself, r is an object once more.
            out.append(found.op == 0x52 ? "R:" : "r:")
            Numbers.writeDecimal(Int64(number), to: &out)
            out.append(0x3B)
            if found.op != 0x52 { numbers &+= 1 }
            continue
          }
        }
        numbers &+= 1
        let value = node(index)
        value.pointee.number = Int32(truncatingIfNeeded: numbers)
        let holds =
          value.pointee.kind == .list || value.pointee.kind == .map
          || (value.pointee.kind == .object && value.pointee.op == 0x4F)
        if !value.pointee.isNew, !value.pointee.isChanged, !holds || !hasRefs {
          out.append(raw(index))
          continue
        }
        guard holds else {
          guard writeLeaf(index, to: &out) else { return .notRepresentable }
          continue
        }
        guard depth <= Payload.deepest else { return .notRepresentable }
        writeHead(of: index, to: &out)
        levels[depth] = Level(
          child: value.pointee.first, index: 0, isList: value.pointee.kind == .list, isTop: false)
        depth &+= 1
      }
      return .ok
    }
  }

  private func writeHead(of index: Int, to out: inout ByteBuffer) {
    let found = node(index).pointee
    if found.kind == .object {
      out.append("O:")
      writeString(text(index), to: &out)
      out.append(0x3A)
    } else {
      out.append("a:")
    }
    Numbers.writeDecimal(Int64(found.kind == .list ? found.count : found.count / 2), to: &out)
    out.append(":{")
  }

  /// LENGTH:"BYTES"
  private func writeString(_ text: Bytes, to out: inout ByteBuffer) {
    Numbers.writeDecimal(Int64(text.count), to: &out)
    out.append(":\"")
    out.append(text)
    out.append(0x22)
  }

  /// A variable's name; false for one with which PHP would store nothing, or not read it again.
  private func writeName(_ key: Int, to out: inout ByteBuffer) -> Bool {
    let name = text(key)
    if node(key).pointee.isNew {
      guard UTF8Text.firstInvalid(name) == nil, !isNumber(name) else { return false }
      if format == .php, name.contains(0x7C) { return false }
    }
    if format == .php {
      out.append(name)
      out.append(0x7C)
    } else {
      guard name.count < 128 else { return false }
      out.append(UInt8(truncatingIfNeeded: name.count))
      out.append(name)
    }
    return true
  }

  /// An array's key. A name of digits is a number in PHP: of the session's own it is shown
  /// as such, inside it would come back as a placeholder.
  private func writeKey(_ key: Int, _ isOwn: Bool, to out: inout ByteBuffer) -> Bool {
    let name = text(key)
    if node(key).pointee.kind == .int || (node(key).pointee.isNew && isNumber(name)) {
      guard node(key).pointee.kind == .int || isOwn else { return false }
      out.append("i:")
      out.append(name)
    } else {
      guard !node(key).pointee.isNew || UTF8Text.firstInvalid(name) == nil else { return false }
      out.append("s:")
      writeString(name, to: &out)
    }
    out.append(0x3B)
    return true
  }

  /// Whether PHP takes a key for an integer.
  private func isNumber(_ name: Bytes) -> Bool {
    let digits = name[0] == 0x2D ? name.dropFirst(1) : name
    guard !digits.isEmpty, digits[0] &- 0x30 < 10, digits[0] != 0x30 || name.count == 1 else { return false }
    return Numbers.read(name, base: 10) != nil
  }

  private func writeLeaf(_ index: Int, to out: inout ByteBuffer) -> Bool {
    let leaf = node(index).pointee
    switch leaf.kind {
    case .null: out.append("N;")
    case .no: out.append("b:0;")
    case .yes: out.append("b:1;")
    case .int:
      out.append("i:")
      Numbers.writeDecimal(leaf.value, to: &out)
      out.append(0x3B)
    case .double:
      out.append("d:")
      writePHPDouble(Double(bitPattern: UInt64(bitPattern: leaf.value)), to: &out)
      out.append(0x3B)
    case .string:
      guard UTF8Text.firstInvalid(text(index)) == nil else { return false }
      out.append("s:")
      writeString(text(index), to: &out)
      out.append(0x3B)
    default: return false
    }
    return true
  }

  /// The shortest digits that read back, as PHP writes them with serialize_precision -1.
  private func writePHPDouble(_ number: Double, to out: inout ByteBuffer) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { room in
      guard let start = room.baseAddress else { return }
      let written = Int(sys_double_write(number, start))
      let text = Bytes(UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), written)
      // Python's form: digits with a point, and an exponent over 16 or below -4.
      let mark = text.find(0x65)
      var digits = text.slice(0, mark)
      if digits[0] == 0x2D { digits = digits.dropFirst(1) }
      if text[0] == 0x2D { out.append(0x2D) }
      guard mark < text.count else {
        let isWhole = digits[digits.count &- 1] == 0x30 && digits[digits.count &- 2] == 0x2E
        out.append(isWhole ? digits.slice(0, digits.count &- 2) : digits)
        return
      }
      var exponent = text.dropFirst(mark &+ 1)
      let isNegative = exponent[0] == 0x2D
      if exponent[0] == 0x2D || exponent[0] == 0x2B { exponent = exponent.dropFirst(1) }
      while exponent.count > 1, exponent[0] == 0x30 { exponent = exponent.dropFirst(1) }
      if !isNegative, exponent == Bytes("16") {
        // PHP writes 17 digits without one.
        out.append(digits[0])
        let fraction = digits.dropFirst(2)
        out.append(fraction)
        var i = fraction.count
        while i < 16 {
          out.append(0x30)
          i &+= 1
        }
        return
      }
      out.append(digits)
      if !digits.contains(0x2E) { out.append(".0") }
      out.append(isNegative ? "E-" : "E+")
      out.append(exponent)
    }
  }
}
