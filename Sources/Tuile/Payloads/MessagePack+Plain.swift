/// MessagePack without extensions, bytes, and integers over 2^63.
extension PlainReader {
  mutating func readMessagePack(into json: inout ByteBuffer) -> Bool {
    guard stored[0] & 0xF0 == 0x80 || stored[0] == 0xDE, value(in: &json) else { return false }
    while depth > 0 {
      if level.pointee.left == 0 {
        close(in: &json)
        continue
      }
      level.pointee.left &-= 1
      if level.pointee.isMap, level.pointee.left & 1 == 1 {
        guard let (from, to) = textAt(position) else { return false }
        position = to
        guard name(from, to, in: &json) else { return false }
        continue
      }
      if !level.pointee.isMap { separate(in: &json) }
      guard value(in: &json) else { return false }
    }
    return true
  }

  /// A string's octets.
  private func textAt(_ at: Int) -> (from: Int, to: Int)? {
    let type = stored[at]
    let from: Int
    let size: Int
    switch type {
    case 0xA0...0xBF: (from, size) = (at &+ 1, Int(type & 0x1F))
    case 0xD9: (from, size) = (at &+ 2, Int(stored[at &+ 1]))
    case 0xDA: (from, size) = (at &+ 3, Int(stored.bigEndian(at &+ 1, 2)))
    case 0xDB: (from, size) = (at &+ 5, Int(stored.bigEndian(at &+ 1, 4)))
    default: return nil
    }
    guard from <= stored.count, size <= stored.count &- from else { return nil }
    return (from, from &+ size)
  }

  private mutating func number(_ size: Int) -> UInt64? {
    guard size <= stored.count &- position &- 1 else { return nil }
    let value = stored.bigEndian(position &+ 1, size)
    position &+= 1 &+ size
    return value
  }

  private mutating func value(in json: inout ByteBuffer) -> Bool {
    let at = position
    guard at < stored.count else { return false }
    let type = stored[at]
    switch type {
    case 0xA0...0xBF, 0xD9...0xDB:
      guard let (from, to) = textAt(at) else { return false }
      position = to
      return text(from, to, in: &json)
    case 0x00...0x7F, 0xE0...0xFF:
      position &+= 1
      Numbers.writeDecimal(Int64(Int8(bitPattern: type)), to: &json)
      return true
    case 0xCC...0xCF:
      guard let number = number(1 &<< Int(type &- 0xCC)), number >> 63 == 0 else { return false }
      Numbers.writeDecimal(Int64(bitPattern: number), to: &json)
      return true
    case 0xD0...0xD3:
      let size = 1 &<< Int(type &- 0xD0)
      guard let number = number(size) else { return false }
      let unused = Int64(64 &- 8 &* size)
      Numbers.writeDecimal((Int64(bitPattern: number) &<< unused) &>> unused, to: &json)
      return true
    case 0xCB:
      guard let number = number(8) else { return false }
      return double(Double(bitPattern: number), in: &json)
    case 0xC0, 0xC2, 0xC3:
      position &+= 1
      json.append(type == 0xC0 ? "null" : type == 0xC2 ? "false" : "true")
      return true
    case 0x80...0x8F: return container(Int(type & 0x0F), 0, isMap: true, in: &json)
    case 0x90...0x9F: return container(Int(type & 0x0F), 0, isMap: false, in: &json)
    case 0xDC: return container(Int(stored.bigEndian(at &+ 1, 2)), 2, isMap: false, in: &json)
    case 0xDE: return container(Int(stored.bigEndian(at &+ 1, 2)), 2, isMap: true, in: &json)
    default: return false
    }
  }

  private mutating func container(_ count: Int, _ size: Int, isMap: Bool, in json: inout ByteBuffer) -> Bool {
    position &+= 1 &+ size
    guard position <= stored.count, count <= stored.count else { return false }
    return open(isMap ? count &* 2 : count, isMap: isMap, in: &json)
  }
}
