import CSystem

/// Memory that is handed out in pieces, never moves, and is freed at once: what
/// a session lends to its caller stays valid until the session ends.
struct Arena: ~Copyable {
  private struct Block {
    var next: UnsafeMutablePointer<Block>?
    var size: Int
  }

  private var blocks: UnsafeMutablePointer<Block>?
  private var room: UnsafeMutablePointer<UInt8>?
  private var left = 0
  private var total = 0
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  deinit {
    var next = blocks
    // Of the newest block, which comes first, the end was never written.
    var unused = left
    while let block = next {
      next = block.pointee.next
      sys_wipe(block, block.pointee.size &- unused)
      unused = 0
      free(block)
    }
  }

  /// Whether so many more bytes are within the limit.
  func allows(_ size: Int) -> Bool { size <= left || size <= limit &- total }

  /// `size` bytes, or nil past the limit or without memory.
  mutating func take(_ size: Int) -> UnsafeMutablePointer<UInt8>? {
    if size > left {
      let header = MemoryLayout<Block>.stride
      guard size >= 0, size <= limit &- total else { return nil }
      let wanted = max(size &+ header, 2048)
      guard let raw = malloc(wanted) else { return nil }
      let block = raw.assumingMemoryBound(to: Block.self)
      block.pointee = Block(next: blocks, size: wanted)
      blocks = block
      room = raw.assumingMemoryBound(to: UInt8.self) + header
      left = wanted &- header
      total &+= wanted
    }
    guard let piece = room else { return nil }
    room = piece + size
    left &-= size
    return piece
  }

  mutating func copy(_ bytes: Bytes) -> Bytes? {
    if bytes.isEmpty { return Bytes() }
    guard let piece = take(bytes.count) else { return nil }
    piece.copy(bytes)
    return Bytes(UnsafePointer(piece), bytes.count)
  }

  /// How much was handed out at some moment.
  struct Mark {
    fileprivate let block: UnsafeMutableRawPointer?
    fileprivate let room: UnsafeMutablePointer<UInt8>?
    fileprivate let left: Int
  }

  var mark: Mark { Mark(block: UnsafeMutableRawPointer(blocks), room: room, left: left) }

  /// Takes back all that was handed out since.
  mutating func release(to mark: Mark) {
    // Of the mark's own block nothing was handed out that lies behind what is left.
    var given = mark.left &- left
    while let block = blocks, UnsafeMutableRawPointer(block) != mark.block {
      given = mark.left
      blocks = block.pointee.next
      total &-= block.pointee.size
      sys_wipe(block, block.pointee.size)
      free(block)
    }
    room = mark.room
    left = mark.left
    if let room { sys_wipe(room, given) }
  }
}
