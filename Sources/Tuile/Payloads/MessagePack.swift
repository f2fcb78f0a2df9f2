/// MessagePack, as Flask-Session (msgspec) and django-redis write it.
extension PayloadTree {
  private struct Level {
    var node: Int32
    var left: Int32
  }

  func parseMessagePack() -> Bool {
    if stored.isEmpty {
      root = add(.map, 0, 0)
      return root != 0
    }
    return withUnsafeTemporaryAllocation(of: Level.self, capacity: Payload.deepest) { levels in
      guard let levels = levels.baseAddress else { return false }
      var position = 0
      guard let opened = value(&position), node(opened.node).pointee.kind == .map else { return false }
      root = Int(opened.node)
      levels[0] = opened
      var depth = 1
      while depth > 0 {
        let level = levels + (depth &- 1)
        if level.pointee.left == 0 {
          node(level.pointee.node).pointee.to = Int32(truncatingIfNeeded: position)
          depth &-= 1
          continue
        }
        level.pointee.left &-= 1
        guard let opened = value(&position) else { return false }
        append(Int(opened.node), to: Int(level.pointee.node))
        if opened.left >= 0 {
          guard depth < Payload.deepest else { return false }
          levels[depth] = opened
          depth &+= 1
        }
      }
      return position == stored.count
    }
  }

  /// A value without what is in it, and how many values that is, or -1.
  private func value(_ position: inout Int) -> Level? {
    let at = position
    guard at < stored.count else { return nil }
    let type = stored[at]
    var kind = PayloadNode.Kind.int
    var value = Int64(Int8(bitPattern: type))
    /// Octets of a number or size, of an extension's type, and of what follows.
    var head = 0
    var size = 0
    var left = -1
    switch type {
    case 0x00...0x7F, 0xE0...0xFF: break
    case 0x80...0x8F: (kind, left) = (.map, Int(type & 0x0F) &* 2)
    case 0x90...0x9F: (kind, left) = (.list, Int(type & 0x0F))
    case 0xA0...0xBF: (kind, size) = (.string, Int(type & 0x1F))
    case 0xC0: kind = .null
    case 0xC2: kind = .no
    case 0xC3: kind = .yes
    case 0xC4...0xC6: (kind, head) = (.bytes, 1 &<< Int(type &- 0xC4))
    case 0xC7...0xC9: (kind, head) = (.object, 1 &<< Int(type &- 0xC7))
    case 0xCA, 0xCB: (kind, head) = (.double, type == 0xCA ? 4 : 8)
    case 0xCC...0xCF: head = 1 &<< Int(type &- 0xCC)
    case 0xD0...0xD3: head = 1 &<< Int(type &- 0xD0)
    case 0xD4...0xD8: (kind, size) = (.object, 1 &<< Int(type &- 0xD4))
    case 0xD9...0xDB: (kind, head) = (.string, 1 &<< Int(type &- 0xD9))
    case 0xDC, 0xDD: (kind, head) = (.list, type == 0xDC ? 2 : 4)
    case 0xDE, 0xDF: (kind, head) = (.map, type == 0xDE ? 2 : 4)
    default: return nil
    }
    guard at &+ 1 &+ head <= stored.count else { return nil }
    let number = stored.bigEndian(at &+ 1, head)
    switch type {
    case 0xC4...0xC6, 0xC7...0xC9, 0xD9...0xDB: size = Int(truncatingIfNeeded: number)
    case 0xDC, 0xDD: left = Int(truncatingIfNeeded: number)
    case 0xDE, 0xDF: left = Int(truncatingIfNeeded: number &* 2)
    case 0xCA: value = Int64(bitPattern: Double(Float(bitPattern: UInt32(truncatingIfNeeded: number))).bitPattern)
    case 0xCC...0xCF, 0xCB: value = Int64(bitPattern: number)
    case 0xD0...0xD3:
      let unused = Int64(64 &- 8 &* head)
      value = (Int64(bitPattern: number) &<< unused) &>> unused
    default: break
    }
    if type == 0xCF, value < 0 { kind = .wide }
    if kind == .double, !Double(bitPattern: UInt64(bitPattern: value)).isFinite { kind = .infinite }
    // Each value that follows takes a byte.
    guard left <= stored.count else { return nil }
    var from = at &+ 1 &+ head
    if kind == .object {
      guard from < stored.count else { return nil }
      value = Int64(Int8(bitPattern: stored[from]))
      if value == -1, size == 4 || size == 8 || size == 12 { kind = .date }
      from &+= 1
    }
    guard size <= stored.count &- from else { return nil }
    position = from &+ size
    let added = add(kind, at, position)
    guard added != 0 else { return nil }
    node(added).pointee.op = type
    node(added).pointee.value = value
    setText(added, from, position)
    return Level(node: Int32(truncatingIfNeeded: added), left: Int32(truncatingIfNeeded: left))
  }

  // MARK: timestamps

  /// Seconds since 1970 as the same as Python's datetime.isoformat() in UTC.
  func showTimestamp(_ index: Int, in json: inout ByteBuffer) {
    let from = Int(node(index).pointee.text)
    let size = Int(node(index).pointee.textEnd) &- from
    var nano: UInt64 = 0
    var seconds = Int64(bitPattern: stored.bigEndian(from &+ (size == 12 ? 4 : 0), size == 4 ? 4 : 8))
    if size == 8 {
      nano = UInt64(bitPattern: seconds) &>> 34
      seconds = seconds & ((1 &<< 34) &- 1)
    } else if size == 12 {
      nano = stored.bigEndian(from, 4)
    }
    // The years 1 to 9999.
    guard seconds >= -62_135_596_800, seconds <= 253_402_300_799, nano < 1_000_000_000 else {
      json.append("{\"$type\":\"extension\",\"number\":-1}")
      return
    }
    var days = seconds / 86400
    var rest = seconds % 86400
    if rest < 0 {
      rest &+= 86400
      days &-= 1
    }
    // Howard Hinnant's days to a civil date, in years that begin with March.
    let shifted = days &+ 719_468
    let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
    let day = shifted &- era &* 146_097
    let year = (day &- day / 1460 &+ day / 36_524 &- day / 146_096) / 365
    let inYear = day &- (365 &* year &+ year / 4 &- year / 100)
    let month = (5 &* inYear &+ 2) / 153
    let inMonth = inYear &- (153 &* month &+ 2) / 5 &+ 1
    let civil = month < 10 ? month &+ 3 : month &- 9
    json.append("{\"$type\":\"datetime\",\"iso\":\"")
    digits(Int(year &+ era &* 400 &+ (civil <= 2 ? 1 : 0)), 4, in: &json)
    json.append(0x2D)
    digits(Int(civil), 2, in: &json)
    json.append(0x2D)
    digits(Int(inMonth), 2, in: &json)
    json.append(0x54)
    digits(Int(rest / 3600), 2, in: &json)
    json.append(0x3A)
    digits(Int(rest / 60 % 60), 2, in: &json)
    json.append(0x3A)
    digits(Int(rest % 60), 2, in: &json)
    if nano >= 1000 {
      json.append(0x2E)
      digits(Int(truncatingIfNeeded: nano / 1000), 6, in: &json)
    }
    json.append("+00:00\"}")
  }
}
