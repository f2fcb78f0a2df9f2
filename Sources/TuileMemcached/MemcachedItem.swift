import CMemcached
import CSystem
import CTuile

/// What a server has under a key.
final class MemcachedItem {
  private var item: cm_item
  /// Of our own: octets of expiry in front of the data.
  static let headSize = 8
  /// Of our own items, so that nobody takes theirs for text.
  static let ownFlags: UInt32 = 0x5455_494C

  init(_ item: cm_item) { self.item = item }

  deinit { cm_item_free(&item) }

  var flags: UInt32 { item.flags }
  var cas: UInt64 { item.cas }
  /// Whoever reads it keeps the object alive.
  var value: Bytes {
    guard let start = item.value else { return Bytes() }
    return Bytes(UnsafeRawPointer(start).assumingMemoryBound(to: UInt8.self), item.size)
  }

  /// When the server lets it go, in whole seconds from now, as Unix microseconds; nil: it stays.
  var end: Int64? { item.left < 0 ? nil : sys_now_microseconds() &+ item.left &* 1_000_000 }

  /// Of our own: when it ends, and the data behind that. The server's time is in whole seconds,
  /// and it does not tell it to everybody.
  func own() throws(Failure) -> (expires: Int64, data: Bytes) {
    guard flags == MemcachedItem.ownFlags, value.count >= MemcachedItem.headSize else { throw MemcachedItem.noSession }
    var bits: UInt64 = 0
    for i in Indices(8) { bits = bits &<< 8 | UInt64(value[i]) }
    return (Int64(bitPattern: bits), value.dropFirst(8))
  }

  /// Appends the data of a framework's item.
  func appendForeign(_ options: MemcachedOptions, to data: inout ByteBuffer) throws(Failure) {
    guard try options.form.unpack(value, flags: flags, to: &data) else { throw MemcachedItem.noSession }
  }

  private static var noSession: Failure {
    Failure(status: TUILE_E_CORRUPT, message: "the key holds something that is no session")
  }
}
