/// PHP's text without objects and references, whose arrays are lists or have names.
extension PlainReader {
  mutating func readPHP(_ format: PayloadFormat, into json: inout ByteBuffer) -> Bool {
    if format == .phpSerialize {
      guard take(0x61), take(0x3A), let count = size(), take(0x7B), open(count, isMap: true, in: &json) else {
        return false
      }
      return rest(downTo: 0, in: &json)
    }
    guard open(0, isMap: true, in: &json) else { return false }
    while position < stored.count {
      let from = position
      let to = stored.find(0x7C, from: from)
      position = to &+ 1
      guard position < stored.count, name(from, to, in: &json), value(in: &json), rest(downTo: 1, in: &json) else {
        return false
      }
    }
    close(in: &json)
    return true
  }

  /// Until no more levels are open.
  private mutating func rest(downTo outer: Int, in json: inout ByteBuffer) -> Bool {
    while depth > outer {
      if level.pointee.left == 0 {
        guard take(0x7D) else { return false }
        close(in: &json)
        continue
      }
      level.pointee.left &-= 1
      if level.pointee.isMap {
        guard take(0x73), take(0x3A), let (from, to) = string(), take(0x3B), name(from, to, in: &json) else {
          return false
        }
      } else {
        guard let key = integer(), key == level.pointee.index else { return false }
        level.pointee.index &+= 1
        separate(in: &json)
      }
      guard value(in: &json) else { return false }
    }
    return true
  }

  private mutating func value(in json: inout ByteBuffer) -> Bool {
    let type = stored[position]
    if type == 0x69 {
      guard let number = integer() else { return false }
      Numbers.writeDecimal(number, to: &json)
      return true
    }
    guard stored[position &+ 1] == (type == 0x4E ? 0x3B : 0x3A) else { return false }
    position &+= 2
    switch type {
    case 0x4E:
      json.append("null")
      return true
    case 0x62:
      let digit = stored[position]
      guard digit & 0xFE == 0x30 else { return false }
      position &+= 1
      json.append(digit == 0x31 ? "true" : "false")
      return take(0x3B)
    case 0x64:
      let text = stored.slice(position, stored.find(0x3B, from: position))
      position &+= text.count
      guard let number = PayloadTree.decimal(text) else { return false }
      return double(number, in: &json) && take(0x3B)
    case 0x73:
      guard let (from, to) = string(), text(from, to, in: &json) else { return false }
      return take(0x3B)
    case 0x61:
      guard let count = size(), take(0x7B) else { return false }
      return open(count, isMap: count > 0 && stored[position] == 0x73, in: &json)
    default: return false
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard stored[position] == byte, position < stored.count else { return false }
    position &+= 1
    return true
  }

  /// i:NUMBER;
  private mutating func integer() -> Int64? {
    guard take(0x69), take(0x3A) else { return nil }
    let from = position
    while position &- from < 21, stored[position] != 0x3B, position < stored.count { position &+= 1 }
    let text = stored.slice(from, position)
    let digits = text[0] == 0x2D ? text.dropFirst(1) : text
    guard digits[0] != 0x30 || text.count == 1, let number = Numbers.read(text, base: 10) else { return nil }
    return take(0x3B) ? number : nil
  }

  /// A length or count, with its colon.
  private mutating func size() -> Int? {
    let from = position
    var number = 0
    while stored[position] &- 0x30 < 10, position &- from < 9 {
      number = number &* 10 &+ Int(stored[position] &- 0x30)
      position &+= 1
    }
    guard position > from, stored[from] != 0x30 || position == from &+ 1, take(0x3A), number <= stored.count else {
      return nil
    }
    return number
  }

  /// LENGTH:"BYTES"
  private mutating func string() -> (from: Int, to: Int)? {
    guard let size = size(), take(0x22) else { return nil }
    let from = position
    position &+= size
    guard take(0x22) else { return nil }
    return (from, from &+ size)
  }
}
