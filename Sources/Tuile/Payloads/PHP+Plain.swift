/// PHP's text without objects and references, whose arrays are lists or have names.
extension PlainReader {
  mutating func readPHP(_ format: PayloadFormat, into json: inout ByteBuffer) -> Bool {
    if format == .phpSerialize {
      guard PHPText.take(stored, 0x61, &position), PHPText.take(stored, 0x3A, &position),
        let count = PHPText.size(stored, &position), PHPText.take(stored, 0x7B, &position),
        open(count, isMap: true, in: &json)
      else {
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
        guard PHPText.take(stored, 0x7D, &position) else { return false }
        close(in: &json)
        continue
      }
      level.pointee.left &-= 1
      if level.pointee.isMap {
        guard PHPText.take(stored, 0x73, &position), PHPText.take(stored, 0x3A, &position),
          let (from, to) = PHPText.string(stored, &position), PHPText.take(stored, 0x3B, &position),
          name(from, to, in: &json)
        else {
          return false
        }
      } else {
        guard let key = PHPText.integer(stored, &position), key == level.pointee.index else { return false }
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
      guard let number = PHPText.integer(stored, &position) else { return false }
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
      return PHPText.take(stored, 0x3B, &position)
    case 0x64:
      let text = stored.slice(position, stored.find(0x3B, from: position))
      position &+= text.count
      guard let number = PayloadTree.decimal(text) else { return false }
      return double(number, in: &json) && PHPText.take(stored, 0x3B, &position)
    case 0x73:
      guard let (from, to) = PHPText.string(stored, &position), text(from, to, in: &json) else { return false }
      return PHPText.take(stored, 0x3B, &position)
    case 0x61:
      guard let count = PHPText.size(stored, &position), PHPText.take(stored, 0x7B, &position) else { return false }
      return open(count, isMap: count > 0 && stored[position] == 0x73, in: &json)
    default: return false
    }
  }
}
