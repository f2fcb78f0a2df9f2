/// Writes the tree as MessagePack, each number and size in the least octets. What did
/// not change is copied.
extension PayloadTree {
  func writeMessagePack(to out: inout ByteBuffer) -> PayloadStatus {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: Payload.deepest &+ 1) { next in
      guard let next = next.baseAddress else { return .noMemory }
      next[0] = Int32(truncatingIfNeeded: root)
      var depth = 1
      var isRoot = true
      while depth > 0 {
        let index = Int(next[depth &- 1])
        if index == 0 {
          depth &-= 1
          continue
        }
        next[depth &- 1] = isRoot ? 0 : node(index).pointee.next
        isRoot = false
        let found = node(index).pointee
        if !found.isNew, !found.isChanged {
          out.append(raw(index))
          continue
        }
        switch found.kind {
        case .list: writeSize(Int(found.count), 0x90, 15, 0xDC, to: &out)
        case .map: writeSize(Int(found.count) / 2, 0x80, 15, 0xDE, to: &out)
        default:
          guard writeMessagePackLeaf(index, to: &out) else { return .notRepresentable }
          continue
        }
        guard depth <= Payload.deepest else { return .notRepresentable }
        next[depth] = found.first
        depth &+= 1
      }
      return .ok
    }
  }

  private func writeNumber(_ number: UInt64, _ size: Int, to out: inout ByteBuffer) {
    var i = size
    while i > 0 {
      i &-= 1
      out.append(UInt8(truncatingIfNeeded: number &>> UInt64(truncatingIfNeeded: 8 &* i)))
    }
  }

  private func writeSize(_ size: Int, _ short: UInt8, _ most: Int, _ type: UInt8, to out: inout ByteBuffer) {
    if size <= most {
      out.append(short | UInt8(truncatingIfNeeded: size))
    } else {
      let isWide = size > 0xFFFF
      out.append(isWide ? type &+ 1 : type)
      writeNumber(UInt64(truncatingIfNeeded: size), isWide ? 4 : 2, to: &out)
    }
  }

  private func writeMessagePackLeaf(_ index: Int, to out: inout ByteBuffer) -> Bool {
    let leaf = node(index).pointee
    let text = text(index)
    switch leaf.kind {
    case .null: out.append(0xC0)
    case .no: out.append(0xC2)
    case .yes: out.append(0xC3)
    case .int: writeInteger(leaf.value, to: &out)
    case .wide:
      guard leaf.op == 1, text.count <= 8, text.count > 0 else { return false }
      out.append(0xCF)
      writeNumber(UInt64(bitPattern: Self.signed(text)), 8, to: &out)
    case .double:
      out.append(0xCB)
      writeNumber(UInt64(bitPattern: leaf.value), 8, to: &out)
    case .string:
      guard UTF8Text.firstInvalid(text) == nil else { return false }
      if text.count > 31, text.count < 256 {
        out.append(0xD9)
        out.append(UInt8(truncatingIfNeeded: text.count))
      } else {
        writeSize(text.count, 0xA0, 31, 0xDA, to: &out)
      }
      out.append(text)
    default: return false
    }
    return true
  }

  private func writeInteger(_ number: Int64, to out: inout ByteBuffer) {
    let bits = UInt64(bitPattern: number)
    if number >= -32, number < 128 {
      out.append(UInt8(truncatingIfNeeded: bits))
      return
    }
    // The octets of 1, 2, 4 or 8: unsigned from 0 on.
    var power = 0
    while power < 3 {
      let width = UInt64(8 &<< power)
      if number >= 0 ? bits &>> width == 0 : number &>> Int64(width &- 1) == -1 { break }
      power &+= 1
    }
    out.append((number >= 0 ? 0xCC : 0xD0) &+ UInt8(truncatingIfNeeded: power))
    writeNumber(bits, 1 &<< power, to: &out)
  }
}
