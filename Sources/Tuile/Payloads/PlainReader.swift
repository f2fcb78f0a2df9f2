/// What most sessions hold, straight from what was stored to JSON, without a tree: text in
/// UTF-8, numbers, lists, and maps whose names are text and few. Whatever else comes, the
/// reader gives up, and the tree reads it: only that says what is malformed.
struct PlainReader: ~Copyable {
  /// An open list or map.
  struct Level {
    /// Values that follow; of a map its names, too.
    var left: Int
    let isMap: Bool
    /// Where its names begin among all.
    let names: Int
    /// Of a list in PHP the next key.
    var index: Int64 = 0
    var isFirst = true
    var pickle = PickleLevel()
  }

  struct Text {
    var from: Int32
    var to: Int32
  }

  static let deepest = 24
  private static let mostNames = 64

  let stored: Bytes
  var position = 0
  private(set) var depth = 0
  private let levels: UnsafeMutablePointer<Level>
  private let names: UnsafeMutablePointer<Text>
  private(set) var nameCount = 0

  init(_ stored: Bytes) {
    self.stored = stored
    levels = .allocate(capacity: PlainReader.deepest)
    names = .allocate(capacity: PlainReader.mostNames)
  }

  deinit {
    levels.deallocate()
    names.deallocate()
  }

  /// nil if it gave up; then `json` has part of it.
  static func read(_ stored: Bytes, _ format: PayloadFormat, into json: inout ByteBuffer) -> PayloadStatus? {
    // Each value takes an octet or more, so that there are no more than the tree takes.
    guard stored.count <= Payload.mostValues / 2, !stored.isEmpty else { return nil }
    var reader = PlainReader(stored)
    let done: Bool
    switch format {
    case .msgpack: done = reader.readMessagePack(into: &json)
    case .php, .phpSerialize: done = reader.readPHP(format, into: &json)
    case .pickle: done = reader.readPickle(into: &json)
    case .json, .phpBinary, .marshal: return nil
    }
    guard done, reader.position == stored.count, json.count <= Payload.largestJSON(stored.count) else { return nil }
    return json.failed ? .noMemory : .ok
  }

  // MARK: Lists and maps

  /// The innermost open one; only while there is one.
  var level: UnsafeMutablePointer<Level> { levels + (depth &- 1) }

  mutating func open(_ left: Int, isMap: Bool, in json: inout ByteBuffer) -> Bool {
    guard depth < PlainReader.deepest else { return false }
    levels[depth] = Level(left: left, isMap: isMap, names: nameCount)
    depth &+= 1
    json.append(isMap ? 0x7B : 0x5B)
    return true
  }

  mutating func close(in json: inout ByteBuffer) {
    json.append(level.pointee.isMap ? 0x7D : 0x5D)
    nameCount = level.pointee.names
    depth &-= 1
  }

  /// As it was when the list or map at that depth was opened and empty.
  mutating func goBack(to depth: Int) {
    self.depth = depth
    nameCount = level.pointee.names
  }

  /// What stands between values and names.
  mutating func separate(in json: inout ByteBuffer) {
    if !level.pointee.isFirst { json.append(0x2C) }
    level.pointee.isFirst = false
  }

  /// A name of the map: no other of its names, and none that could be a placeholder's.
  mutating func name(_ from: Int, _ to: Int, in json: inout ByteBuffer) -> Bool {
    let name = stored.slice(from, to)
    guard nameCount < PlainReader.mostNames, name[0] != 0x24 else { return false }
    var i = level.pointee.names
    while i < nameCount {
      let other = names[i]
      if Int(other.to &- other.from) == name.count, stored.slice(Int(other.from), Int(other.to)) == name {
        return false
      }
      i &+= 1
    }
    names[nameCount] = Text(from: Int32(truncatingIfNeeded: from), to: Int32(truncatingIfNeeded: to))
    nameCount &+= 1
    separate(in: &json)
    guard text(from, to, in: &json) else { return false }
    json.append(0x3A)
    return true
  }

  // MARK: Values

  func text(_ from: Int, _ to: Int, in json: inout ByteBuffer) -> Bool {
    do throws(Failure) {
      try JSONText.writeString(stored.slice(from, to), to: &json)
      return true
    } catch {
      return false
    }
  }

  func double(_ number: Double, in json: inout ByteBuffer) -> Bool {
    guard number.isFinite else { return false }
    JSONText.writeDouble(number, to: &json)
    return true
  }
}
