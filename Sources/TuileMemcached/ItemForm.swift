import CMemcached
import CSystem
import CTuile

/// How a framework's client says by an item's flags what its value is: as it is, or compressed
/// in one of the client's ways. An item keeps its way; a new one is not compressed.
struct ItemForm {
  /// Of an item whose value is as it is.
  var plain: UInt32 = 0
  /// Added to that where the value is zlib data; 0: the client has no such.
  var zlib: UInt32 = 0
  /// The client is php-memcached: by flags of its own, the value is its length before that, in
  /// this machine's order of four bytes, and zlib data or FastLZ's.
  var isPHP = false

  /// MEMC_VAL_COMPRESSED with the one or the other, behind four bits of the type.
  private static let phpZlib: UInt32 = 0x30
  private static let phpFastLZ: UInt32 = 0x50
  /// memcached.compression_factor: less is not worth it, and php-memcached stores it as it is.
  private static func isWorth(_ packed: Int, of size: Int) -> Bool { size > packed &+ packed &* 3 / 10 }

  /// Appends what the value stands for; false: the flags are no such client's, or the value is damaged.
  func unpack(_ value: Bytes, flags: UInt32, to data: inout ByteBuffer) throws(Failure) -> Bool {
    if flags == plain {
      data.append(value)
      guard !data.failed else { throw .memory }
      return true
    }
    if zlib != 0, flags == plain | zlib { return try ItemForm.inflate(value, to: &data) }
    guard isPHP, flags == ItemForm.phpZlib || flags == ItemForm.phpFastLZ, value.count >= 4 else { return false }
    let size = Int(UnsafeRawPointer(value.start).loadUnaligned(as: UInt32.self))
    guard size <= Int(CM_LARGEST) else { throw .limit("what the item's value becomes is larger than 64 MiB") }
    let packed = value.dropFirst(4)
    let before = data.count
    if flags == ItemForm.phpZlib {
      return try ItemForm.inflate(packed, to: &data) && data.count &- before == size
    }
    // Nothing becomes longer by more than that, so that no room is made for a length that is a lie.
    guard size <= packed.count &* 256 else { return false }
    var isWhole = false
    let filled = data.fill(size) { start in
      isWhole = cm_fastlz_decode(packed.start, packed.count, start, size)
      return isWhole ? size : 0
    }
    guard filled else { throw .memory }
    return isWhole
  }

  /// nil: the value is the data as it is, and its flags are `plain`.
  func pack(_ data: Bytes, flags: UInt32) throws(Failure) -> ByteBuffer? {
    var packed = ByteBuffer()
    if zlib != 0, flags == plain | zlib {
      try ItemForm.deflate(data, to: &packed)
      return packed
    }
    guard isPHP, flags == ItemForm.phpZlib || flags == ItemForm.phpFastLZ else { return nil }
    let hasHead = packed.fill(4) { start in
      UnsafeMutableRawPointer(start).storeBytes(of: UInt32(truncatingIfNeeded: data.count), as: UInt32.self)
      return 4
    }
    guard hasHead else { throw .memory }
    if flags == ItemForm.phpZlib {
      try ItemForm.deflate(data, to: &packed)
    } else {
      var size = 0
      let filled = packed.fill(cm_fastlz_bound(data.count)) { start in
        size = cm_fastlz_encode(data.start, data.count, start)
        return size
      }
      guard filled, size > 0 else { throw .memory }
    }
    guard ItemForm.isWorth(packed.count &- 4, of: data.count) else { return nil }
    return packed
  }

  private static func deflate(_ data: Bytes, to packed: inout ByteBuffer) throws(Failure) {
    let room = data.count &+ data.count / 1000 &+ 64
    var size = 0
    let filled = packed.fill(room) { start in
      size = sys_compress(data.start, data.count, start, room)
      return size
    }
    guard filled, size > 0 else { throw .memory }
  }

  private static func inflate(_ value: Bytes, to data: inout ByteBuffer) throws(Failure) -> Bool {
    do throws(Failure) {
      try Deflated.inflate(value, limit: Int(CM_LARGEST), to: &data)
      return true
    } catch {
      guard error.status == TUILE_E_SYNTAX else { throw error }
      return false
    }
  }
}
