/// How far a list or map of a pickle is. A pickle does not say of an empty one that it is
/// empty, nor of one with one value before that value has ended.
struct PickleLevel {
  enum Phase {
    /// What comes next decides.
    case opened
    /// Its values go to the end of a mark.
    case marked
    /// The one value, or name and value, of it: if no SETITEM or APPEND follows, it was empty.
    case single
    /// A mark has ended; another may follow.
    case filled
  }

  var phase = Phase.opened
  /// Values and names so far.
  var count = 0
  /// Where `single` began, and how much there was of JSON and of the memo.
  var position = 0
  var written = 0
  var numbered = 0
}

/// What has a number in a pickle's memo.
private struct PickleMemo: ~Copyable {
  private static let most = 512
  private let texts: UnsafeMutablePointer<PlainReader.Text>
  var count = 0

  init() { texts = .allocate(capacity: PickleMemo.most) }

  deinit { texts.deallocate() }

  mutating func add(_ text: PlainReader.Text) {
    if count < PickleMemo.most { texts[count] = text }
    count &+= 1
  }

  /// nil for a list or map, and for what is beyond the room.
  func text(_ index: Int) -> PlainReader.Text? {
    guard index >= 0, index < count, index < PickleMemo.most, texts[index].from >= 0 else { return nil }
    return texts[index]
  }
}

/// Pickles of maps, lists, text and numbers as Python's own picklers write them.
extension PlainReader {
  private static let container = Text(from: -1, to: -1)
  /// How often what looked like the value of a list or map may turn out to follow it.
  private static let mostReturns = 8

  mutating func readPickle(into json: inout ByteBuffer) -> Bool {
    guard stored[0] == 0x80, stored[1] >= 2, stored[1] <= 5 else { return false }
    position = 2
    var memo = PickleMemo()
    // What a memo opcode now would number.
    var last: Text?
    var returns = 0
    while position < stored.count {
      let at = position
      let op = stored[at]
      position &+= 1
      if op == 0x95 {  // FRAME
        position &+= 8
      } else if op == 0x94 || op == 0x71 || op == 0x72 {  // MEMOIZE, BINPUT, LONG_BINPUT
        let index = op == 0x94 ? memo.count : number(op == 0x71 ? 1 : 4)
        guard let text = last, index == memo.count else { return false }
        memo.add(text)
        last = nil
      } else {
        last = nil
        if !step(op, at, memo, &last, &json) {
          guard returns < PlainReader.mostReturns, goBack(&memo, &json) else { return false }
          returns &+= 1
          last = nil
        } else if op == 0x2E {
          return true
        }
      }
    }
    return false
  }

  /// The innermost list or map whose one value was being read was empty instead.
  private mutating func goBack(_ memo: inout PickleMemo, _ json: inout ByteBuffer) -> Bool {
    var at = depth
    while at > 0 {
      goBack(to: at)
      let found = level.pointee.pickle
      if found.phase == .single {
        position = found.position
        json.truncate(found.written)
        memo.count = found.numbered
        close(in: &json)
        return true
      }
      at &-= 1
    }
    return false
  }

  private mutating func step(
    _ op: UInt8, _ at: Int, _ memo: borrowing PickleMemo, _ last: inout Text?, _ json: inout ByteBuffer
  ) -> Bool {
    while depth > 0 {
      let phase = level.pointee.pickle.phase
      guard phase == .opened || phase == .filled else { break }
      if op == 0x28 {  // MARK
        level.pointee.pickle.phase = .marked
        return true
      }
      if phase == .opened, level.pointee.isMap ? isText(op) : isValue(op) {
        level.pointee.pickle.phase = .single
        level.pointee.pickle.position = at
        level.pointee.pickle.written = json.count
        level.pointee.pickle.numbered = memo.count
        break
      }
      close(in: &json)
    }
    guard depth > 0 else {
      if json.count > 0, op == 0x2E { return position == stored.count }
      return json.count == 0 && op == 0x7D && container(isMap: true, &last, &json)
    }
    let count = level.pointee.pickle.count
    let isMap = level.pointee.isMap
    switch (op, level.pointee.pickle.phase) {
    case (0x73, .single), (0x61, .single):  // SETITEM, APPEND
      guard (op == 0x73) == isMap, count == (isMap ? 2 : 1) else { return false }
      close(in: &json)
      return true
    case (0x75, .marked), (0x65, .marked):  // SETITEMS, APPENDS
      guard (op == 0x75) == isMap, !isMap || count & 1 == 0 else { return false }
      level.pointee.pickle.phase = .filled
      return true
    default: break
    }
    if level.pointee.pickle.phase == .single, count == (isMap ? 2 : 1) { return false }
    level.pointee.pickle.count &+= 1
    guard isMap, count & 1 == 0 else {
      if !isMap { separate(in: &json) }
      return value(op, memo, &last, &json)
    }
    guard let found = text(op, memo, &last) else { return false }
    return name(Int(found.from), Int(found.to), in: &json)
  }

  /// BINGET, LONG_BINGET, SHORT_BINUNICODE, BINUNICODE.
  private func isText(_ op: UInt8) -> Bool { op == 0x68 || op == 0x6A || op == 0x8C || op == 0x58 }

  private func isValue(_ op: UInt8) -> Bool {
    switch op {
    case 0x4E, 0x88, 0x89, 0x4B, 0x4D, 0x4A, 0x8A, 0x47, 0x7D, 0x5D: true
    default: isText(op)
    }
  }

  /// The number of `size` octets that follows; beyond what is stored it leads to nothing.
  private mutating func number(_ size: Int) -> Int {
    position &+= size
    return Int(truncatingIfNeeded: stored.littleEndian(position &- size, size))
  }

  private mutating func text(_ op: UInt8, _ memo: borrowing PickleMemo, _ last: inout Text?) -> Text? {
    guard isText(op) else { return nil }
    let size = number(op == 0x68 || op == 0x8C ? 1 : 4)
    if op == 0x68 || op == 0x6A { return memo.text(size) }
    let from = position
    guard from <= stored.count, size <= stored.count &- from else { return nil }
    position = from &+ size
    let text = Text(from: Int32(truncatingIfNeeded: from), to: Int32(truncatingIfNeeded: position))
    last = text
    return text
  }

  private mutating func container(isMap: Bool, _ last: inout Text?, _ json: inout ByteBuffer) -> Bool {
    last = PlainReader.container
    return open(0, isMap: isMap, in: &json)
  }

  private mutating func value(
    _ op: UInt8, _ memo: borrowing PickleMemo, _ last: inout Text?, _ json: inout ByteBuffer
  ) -> Bool {
    switch op {
    case 0x4E: json.append("null")
    case 0x88: json.append("true")
    case 0x89: json.append("false")
    case 0x7D, 0x5D: return container(isMap: op == 0x7D, &last, &json)
    case 0x4B, 0x4D, 0x4A, 0x8A:  // BININT1, BININT2, BININT, LONG1
      let size = op == 0x8A ? number(1) : op == 0x4B ? 1 : op == 0x4D ? 2 : 4
      guard size <= 8, position <= stored.count, size <= stored.count &- position else { return false }
      let octets = stored.slice(position, position &+ size)
      let isSigned = op == 0x4A || op == 0x8A
      Numbers.writeDecimal(isSigned ? PayloadTree.signed(octets) : Int64(number(size)), to: &json)
      if isSigned { position &+= size }
    case 0x47:  // BINFLOAT
      guard position <= stored.count, stored.count &- position >= 8 else { return false }
      position &+= 8
      return double(Double(bitPattern: stored.bigEndian(position &- 8, 8)), in: &json)
    default:
      // What is referred to takes two octets, however long it is.
      guard json.count <= Payload.largestJSON(stored.count), let found = text(op, memo, &last) else { return false }
      return text(Int(found.from), Int(found.to), in: &json)
    }
    return true
  }
}
