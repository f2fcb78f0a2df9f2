/// What of Python's own classes is shown: dates, decimals, UUIDs, and what protocol 2
/// makes by calls. All others are shown by name.
extension PayloadTree {
  private func child(_ index: Int, _ number: Int) -> Int {
    var found = Int(node(index).pointee.first)
    var left = number
    while left > 0, found != 0 {
      found = Int(node(found).pointee.next)
      left &-= 1
    }
    return resolved(found)
  }

  /// Whether a value names a class or function.
  private func isGlobal(_ index: Int, _ module: StaticString, _ name: StaticString) -> Bool {
    let found = node(index).pointee
    if found.op == 0x63 {
      let text = text(index)
      let line = text.find(0x0A)
      return text.slice(0, line) == Bytes(module) && text.dropFirst(line &+ 1) == Bytes(name)
    }
    return found.op == 0x93 && text(child(index, 0)) == Bytes(module) && text(child(index, 1)) == Bytes(name)
  }

  private func isBuiltin(_ index: Int, _ name: StaticString) -> Bool {
    isGlobal(index, "builtins", name) || isGlobal(index, "__builtin__", name)
  }

  /// Sets, and bytes, are calls in protocol 2. They keep their opcodes.
  func recognize(_ index: Int) {
    guard node(index).pointee.op == 0x52 else { return }
    let callee = child(index, 0)
    let arguments = child(index, 1)
    guard node(callee).pointee.kind == .object, node(arguments).pointee.kind == .tuple else { return }
    let argument = child(arguments, 0)
    if isBuiltin(callee, "set") || isBuiltin(callee, "frozenset"), node(argument).pointee.kind == .list {
      let kind: PayloadNode.Kind = isBuiltin(callee, "set") ? .set : .frozenSet
      node(index).pointee.kind = kind
      node(index).pointee.first = node(argument).pointee.first
      node(index).pointee.count = node(argument).pointee.count
      return
    }
    let isBytes = isGlobal(callee, "_codecs", "encode") || isBuiltin(callee, "bytes")
    guard isBytes || isBuiltin(callee, "bytearray") else { return }
    let from = scratch.count
    if node(arguments).pointee.count > 0 {
      guard node(argument).pointee.kind == .string || node(argument).pointee.kind == .bytes else { return }
      guard node(argument).pointee.kind == .bytes || decodeLatin(text(argument)) else {
        scratch.truncate(from)
        return
      }
    }
    node(index).pointee.kind = isBytes ? .bytes : .byteArray
    if node(argument).pointee.kind != .bytes {
      setText(index, from, scratch.count)
    } else if node(argument).pointee.op == 0x52 {
      node(index).pointee.link = node(argument).pointee.link
      setText(index, Int(node(argument).pointee.text), Int(node(argument).pointee.textEnd))
    } else {
      node(index).pointee.link = Int32(truncatingIfNeeded: argument)
    }
  }

  /// Text of U+0000 to U+00FF, as protocol 2 writes bytes.
  private func decodeLatin(_ text: Bytes) -> Bool {
    var i = 0
    while i < text.count {
      guard let (scalar, size) = UTF8Text.scalar(text, at: i), scalar < 256 else { return false }
      scratch.append(UInt8(truncatingIfNeeded: scalar))
      i &+= size
    }
    return true
  }

  /// The bytes of a value, whichever way they were written.
  func octets(_ index: Int) -> Bytes {
    let found = node(index).pointee
    guard format == .pickle, found.op == 0x52 else { return text(index) }
    if found.link != 0 { return text(Int(found.link)) }
    return scratch.bytes.slice(Int(found.text), Int(found.textEnd))
  }

  func showPickled(_ index: Int, in json: inout ByteBuffer) {
    let op = node(index).pointee.op
    if op == 0x63 || op == 0x93 {
      showClass(index, in: &json)
      return
    }
    let callee = child(index, 0)
    let arguments = child(index, 1)
    let argument = child(arguments, 0)
    let count = node(arguments).pointee.count
    if node(arguments).pointee.kind == .tuple, node(index).pointee.count == 2, op == 0x52 {
      let data = octets(argument)
      let isData = node(argument).pointee.kind == .bytes
      if isGlobal(callee, "datetime", "datetime"), isData, data.count == 10,
        showDateTime(data, count > 1 ? child(arguments, 1) : 0, in: &json)
      {
        return
      }
      if isGlobal(callee, "datetime", "date"), isData, data.count == 4 {
        json.append("{\"$type\":\"date\",\"iso\":\"")
        date(data, in: &json)
        json.append("\"}")
        return
      }
      if isGlobal(callee, "datetime", "time"), isData, data.count == 6, count == 1 {
        json.append("{\"$type\":\"time\",\"iso\":\"")
        time(data, in: &json)
        json.append("\"}")
        return
      }
      if isGlobal(callee, "datetime", "timedelta"), let time = microseconds(arguments) {
        json.append("{\"$type\":\"timedelta\",\"seconds\":")
        let whole = time / 1_000_000
        JSONText.writeDouble(Double(whole) + Double(time &- whole &* 1_000_000) / 1_000_000, to: &json)
        json.append(0x7D)
        return
      }
      if isGlobal(callee, "decimal", "Decimal"), node(argument).pointee.kind == .string {
        showNamed("decimal", "value", text(argument), in: &json)
        return
      }
    }
    if isGlobal(callee, "uuid", "UUID"), node(index).pointee.count == 3, showUUID(child(index, 2), in: &json) { return }
    showClass(callee, in: &json)
  }

  private func showClass(_ index: Int, in json: inout ByteBuffer) {
    json.append("{\"$type\":\"object\",\"class\":")
    var name = ByteBuffer()
    let found = node(index).pointee
    if found.op == 0x63 {
      let text = text(index)
      let line = text.find(0x0A)
      name.append(text.slice(0, line))
      name.append(0x2E)
      name.append(text.dropFirst(line &+ 1))
    } else if found.op == 0x93 {
      name.append(text(child(index, 0)))
      name.append(0x2E)
      name.append(text(child(index, 1)))
    }
    showText(name.bytes, in: &json)
    json.append(0x7D)
  }

  func digits(_ number: Int, _ size: Int, in json: inout ByteBuffer) {
    var unit = 1
    var more = size
    while more > 1 {
      unit = unit &* 10
      more &-= 1
    }
    while unit > 0 {
      json.append(0x30 &+ UInt8(truncatingIfNeeded: number / unit % 10))
      unit = unit / 10
    }
  }

  private func date(_ data: Bytes, in json: inout ByteBuffer) {
    digits(Int(data[0]) &* 256 &+ Int(data[1]), 4, in: &json)
    json.append(0x2D)
    digits(Int(data[2] & 0x7F), 2, in: &json)
    json.append(0x2D)
    digits(Int(data[3]), 2, in: &json)
  }

  private func time(_ data: Bytes, in json: inout ByteBuffer) {
    digits(Int(data[0] & 0x7F), 2, in: &json)
    json.append(0x3A)
    digits(Int(data[1]), 2, in: &json)
    json.append(0x3A)
    digits(Int(data[2]), 2, in: &json)
    let micro = Int(data[3]) &* 65536 &+ Int(data[4]) &* 256 &+ Int(data[5])
    if micro > 0 {
      json.append(0x2E)
      digits(micro, 6, in: &json)
    }
  }

  /// False for a time zone that is known by a name alone.
  private func showDateTime(_ data: Bytes, _ zone: Int, in json: inout ByteBuffer) -> Bool {
    var offset = 0
    if zone != 0 {
      let arguments = child(zone, 1)
      let delta = child(arguments, 0)
      guard isGlobal(child(zone, 0), "datetime", "timezone"), node(zone).pointee.op == 0x52,
        isGlobal(child(delta, 0), "datetime", "timedelta"), let time = microseconds(child(delta, 1)),
        time.magnitude < 86_400_000_000, time % 1_000_000 == 0
      else { return false }
      offset = Int(truncatingIfNeeded: time / 1_000_000)
    }
    json.append("{\"$type\":\"datetime\",\"iso\":\"")
    date(data, in: &json)
    json.append(0x54)
    time(data.dropFirst(4), in: &json)
    if zone != 0 {
      json.append(offset < 0 ? 0x2D : 0x2B)
      let size = offset < 0 ? 0 &- offset : offset
      digits(size / 3600, 2, in: &json)
      json.append(0x3A)
      digits(size / 60 % 60, 2, in: &json)
      if size % 60 != 0 {
        json.append(0x3A)
        digits(size % 60, 2, in: &json)
      }
    }
    json.append("\"}")
    return true
  }

  /// Days, seconds and microseconds.
  private func microseconds(_ arguments: Int) -> Int64? {
    guard node(arguments).pointee.kind == .tuple, node(arguments).pointee.count == 3 else { return nil }
    var i = 0
    while i < 3 {
      guard node(child(arguments, i)).pointee.kind == .int else { return nil }
      i &+= 1
    }
    let days = node(child(arguments, 0)).pointee.value
    let seconds = node(child(arguments, 1)).pointee.value
    let micro = node(child(arguments, 2)).pointee.value
    guard days.magnitude < 100_000_000, seconds.magnitude < 86400, micro.magnitude < 1_000_000 else { return nil }
    return (days &* 86400 &+ seconds) &* 1_000_000 &+ micro
  }

  private func showUUID(_ state: Int, in json: inout ByteBuffer) -> Bool {
    guard node(state).pointee.kind == .map, node(state).pointee.count == 2, text(child(state, 0)) == Bytes("int")
    else { return false }
    let number = child(state, 1)
    guard node(number).pointee.kind == .wide || node(number).pointee.kind == .int,
      node(number).pointee.op == 0 || node(number).pointee.kind == .int
    else { return false }
    json.append("{\"$type\":\"uuid\",\"value\":\"")
    let octets = text(number)
    var i = 16
    while i > 0 {
      i &-= 1
      var octet = octets[i]
      if node(number).pointee.kind == .int {
        octet = i < 8 ? UInt8(truncatingIfNeeded: node(number).pointee.value &>> Int64(8 &* i)) : 0
      }
      Hex.encode(UInt64(octet), digits: 2, to: &json)
      if i == 12 || i == 10 || i == 8 || i == 6 { json.append(0x2D) }
    }
    json.append("\"}")
    return true
  }
}
