/// The parts of PHP's serialize() text. Each leaves `position` behind what it has read.
enum PHPText {
  static func take(_ stored: Bytes, _ byte: UInt8, _ position: inout Int) -> Bool {
    guard position < stored.count, stored[position] == byte else { return false }
    position &+= 1
    return true
  }

  /// i:NUMBER;
  static func integer(_ stored: Bytes, _ position: inout Int) -> Int64? {
    let from = position &+ 2
    var to = from
    while to < stored.count, to &- from < 21, stored[to] != 0x3B { to &+= 1 }
    let text = stored.slice(from, to)
    let digits = text[0] == 0x2D ? text.dropFirst(1) : text
    guard stored[position] == 0x69, stored[position &+ 1] == 0x3A, digits[0] != 0x30 || text.count == 1,
      let number = Numbers.read(text, base: 10)
    else { return nil }
    position = to
    return take(stored, 0x3B, &position) ? number : nil
  }

  /// A length or count up to `end`, which is no more than the bytes that follow.
  static func size(_ stored: Bytes, _ position: inout Int, _ end: UInt8 = 0x3A) -> Int? {
    let from = position
    var number = 0
    while stored[position] &- 0x30 < 10, position &- from < 9 {
      number = number &* 10 &+ Int(stored[position] &- 0x30)
      position &+= 1
    }
    guard position > from, stored[from] != 0x30 || position == from &+ 1, take(stored, end, &position),
      number <= stored.count
    else { return nil }
    return number
  }

  /// LENGTH:"BYTES"
  static func string(_ stored: Bytes, _ position: inout Int) -> (from: Int, to: Int)? {
    guard let size = size(stored, &position), take(stored, 0x22, &position) else { return nil }
    let from = position
    position &+= size
    guard take(stored, 0x22, &position) else { return nil }
    return (from, from &+ size)
  }

  // MARK: One text and nothing else

  /// The text of `s:SIZE:"…";`; nil: it is not one text and nothing else.
  static func read(_ serialized: Bytes) -> Bytes? {
    var position = 0
    guard take(serialized, 0x73, &position), take(serialized, 0x3A, &position),
      let (from, to) = string(serialized, &position), take(serialized, 0x3B, &position),
      position == serialized.count
    else { return nil }
    return serialized.slice(from, to)
  }

  static func write(_ text: Bytes, to out: inout ByteBuffer) {
    out.append("s:")
    Numbers.writeDecimal(Int64(text.count), to: &out)
    out.append(":\"")
    out.append(text)
    out.append("\";")
  }
}
