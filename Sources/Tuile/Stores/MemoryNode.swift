import CSystem

/// One session in memory: this header, then the key, then the data.
struct MemoryNode {
  var link: MemoryLink
  var dataSize: UInt32
  /// Bytes that the allocation has for data.
  var room: UInt32
  var keySize: UInt8
  var expires: Int64
  /// The session that was used before this one, and the one after it; where bytes are limited.
  var older: UnsafeMutablePointer<MemoryNode>?
  var newer: UnsafeMutablePointer<MemoryNode>?
  /// Its entry in an owner's list, which goes with it.
  var owned: MemoryOwned.Pointer?

  typealias Pointer = UnsafeMutablePointer<MemoryNode>

  private static let header = MemoryLayout<MemoryNode>.stride

  init(hash: UInt32, key: Bytes, room: Int, expires: Int64) {
    link = MemoryLink(next: nil, hash: hash)
    dataSize = 0
    self.room = UInt32(truncatingIfNeeded: room)
    keySize = UInt8(truncatingIfNeeded: key.count)
    self.expires = expires
  }

  static func bytes(_ node: Pointer) -> UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer(node + 1).assumingMemoryBound(to: UInt8.self)
  }
  static func key(_ node: Pointer) -> Bytes { Bytes(bytes(node), Int(node.pointee.keySize)) }
  static func data(_ node: Pointer) -> Bytes {
    Bytes(bytes(node) + Int(node.pointee.keySize), Int(node.pointee.dataSize))
  }
  static func of(_ entry: MemoryTable.Entry) -> Pointer {
    UnsafeMutableRawPointer(entry).assumingMemoryBound(to: MemoryNode.self)
  }
  static func entry(_ node: Pointer) -> MemoryTable.Entry {
    UnsafeMutableRawPointer(node).assumingMemoryBound(to: MemoryLink.self)
  }

  /// Keys have at most 40 bytes, data at most 128 MiB.
  static func make(_ hash: UInt32, _ key: Bytes, _ data: Bytes, _ expires: Int64) -> Pointer? {
    guard let raw = malloc(header &+ key.count &+ data.count) else { return nil }
    let node = raw.assumingMemoryBound(to: MemoryNode.self)
    let room = sys_usable(raw) &- header &- key.count
    node.initialize(to: MemoryNode(hash: hash, key: key, room: room, expires: expires))
    bytes(node).copy(key)
    write(node, data)
    return node
  }

  /// Whether new data belongs into the old place: it fits and does not waste most of it.
  static func suits(_ node: Pointer, _ data: Bytes) -> Bool {
    let room = Int(node.pointee.room)
    return data.count <= room && data.count &* 4 &+ 64 >= room
  }

  /// There is room for the data.
  static func write(_ node: Pointer, _ data: Bytes) {
    (bytes(node) + Int(node.pointee.keySize)).copy(data)
    node.pointee.dataSize = UInt32(truncatingIfNeeded: data.count)
  }

  /// What the allocator has given for it, its own word with it.
  static func allocated(_ node: Pointer) -> Int {
    header &+ Int(node.pointee.keySize) &+ Int(node.pointee.room) &+ MemoryLayout<Int>.size
  }

  /// Wiped, since key and data are secrets of a visitor.
  static func release(_ node: Pointer) {
    sys_wipe(node, header &+ Int(node.pointee.keySize) &+ Int(node.pointee.room))
    free(node)
  }
}

/// One entry in an owner's list: this header, then owner, key and record.
struct MemoryOwned {
  /// The hash is the owner's.
  var link: MemoryLink
  var keyHash: UInt32
  var recordSize: UInt16
  var ownerSize: UInt8
  var keySize: UInt8
  var allocated: UInt32
  /// Unix seconds.
  var made: Int64

  typealias Pointer = UnsafeMutablePointer<MemoryOwned>

  private static let header = MemoryLayout<MemoryOwned>.stride

  private static func part(_ owned: Pointer, _ from: Int, _ size: Int) -> Bytes {
    Bytes(UnsafeMutableRawPointer(owned + 1).assumingMemoryBound(to: UInt8.self) + from, size)
  }
  static func owner(_ owned: Pointer) -> Bytes { part(owned, 0, Int(owned.pointee.ownerSize)) }
  static func key(_ owned: Pointer) -> Bytes { part(owned, Int(owned.pointee.ownerSize), Int(owned.pointee.keySize)) }
  static func record(_ owned: Pointer) -> Bytes {
    part(owned, Int(owned.pointee.ownerSize) &+ Int(owned.pointee.keySize), Int(owned.pointee.recordSize))
  }
  static func of(_ entry: MemoryTable.Entry) -> Pointer {
    UnsafeMutableRawPointer(entry).assumingMemoryBound(to: MemoryOwned.self)
  }
  static func entry(_ owned: Pointer) -> MemoryTable.Entry {
    UnsafeMutableRawPointer(owned).assumingMemoryBound(to: MemoryLink.self)
  }

  /// Owners have at most 255 bytes, records at most 1024.
  static func make(_ hash: UInt32, _ owner: Bytes, _ keyHash: UInt32, _ key: Bytes, _ record: Bytes) -> Pointer? {
    let size = header &+ owner.count &+ key.count &+ record.count
    guard let raw = malloc(size) else { return nil }
    let owned = raw.assumingMemoryBound(to: MemoryOwned.self)
    owned.initialize(
      to: MemoryOwned(
        link: MemoryLink(next: nil, hash: hash), keyHash: keyHash,
        recordSize: UInt16(truncatingIfNeeded: record.count), ownerSize: UInt8(truncatingIfNeeded: owner.count),
        keySize: UInt8(truncatingIfNeeded: key.count),
        allocated: UInt32(truncatingIfNeeded: sys_usable(raw) &+ MemoryLayout<Int>.size), made: sys_now_seconds()))
    let room = UnsafeMutableRawPointer(owned + 1).assumingMemoryBound(to: UInt8.self)
    room.copy(owner)
    (room + owner.count).copy(key)
    (room + owner.count + key.count).copy(record)
    return owned
  }

  static func release(_ owned: Pointer) {
    sys_wipe(owned, Int(owned.pointee.allocated) &- MemoryLayout<Int>.size)
    free(owned)
  }
}
