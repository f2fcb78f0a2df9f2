import CSystem
import CTuile

/// Django's `cache` backend on DatabaseCache: base64 of the pickle, in a table that
/// `createcachetable` made.
final class DjangoTableCache: DjangoCache {
  init() { super.init(isOfDjangoRedis: false) }

  override func isFor(_ kind: Kind) -> Bool { kind == .sqlite || kind == .postgresql }
  override var shared: LayoutOptions.Names { [.prefix, .table] }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    guard let table = options.table else {
      throw .syntax("the layout of the store's URL needs the option table: LOCATION of Django's cache")
    }
    Layout.write("table", table.bytes, to: &url)
    Layout.write("columns", Bytes("cache_key:key,value:text,expires:whole"), to: &url)
  }

  override var mapsKeys: Bool { true }
  override func writeStoreKey(_ key: Bytes, to out: inout ByteBuffer) {
    writeKeyPrefix(to: &out)
    out.append(key)
  }
  override var readsStoreKeys: Bool { true }
  override func readStoreKey(_ stored: Bytes) throws(Failure) -> Bytes? {
    var prefix = ByteBuffer()
    writeKeyPrefix(to: &prefix)
    guard !prefix.failed else { throw .memory }
    return stored.hasPrefix(prefix.bytes) ? stored.dropFirst(prefix.count) : nil
  }

  override func unwrap(_ stored: Bytes, limit: Int, into payload: inout ByteBuffer) throws(Failure) -> Bool {
    try Base64.standard.decode(stored, to: &payload)
  }

  override func wrap(
    _ payload: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    Base64.standard.encode(payload, to: &out)
  }
}

/// Django's `cache` backend on FileBasedCache: a file named after the MD5 of its key holds
/// the pickle of the end, and behind it the pickle of the session by zlib.
final class DjangoFileCache: DjangoCache {
  private static let zlib = Compressor(codec: SYS_ZLIB, shortest: 0)

  init() { super.init(isOfDjangoRedis: false) }

  override func isFor(_ kind: Kind) -> Bool { kind == .file }
  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {}

  // MARK: Names

  override var mapsKeys: Bool { true }
  override var fileSuffix: StaticString { ".djcache" }
  override func isStoreKey(_ key: Bytes) -> Bool { LayoutText.isHex(key, 32) }

  override func writeStoreKey(_ key: Bytes, to out: inout ByteBuffer) {
    var text = ByteBuffer()
    writeKeyPrefix(to: &text)
    text.append(key)
    let digest = UnsafeMutablePointer<UInt8>.allocate(capacity: 16)
    defer { digest.deallocate() }
    sys_md5_of(text.bytes.start, text.count, digest)
    Hex.encode(Bytes(digest, 16), to: &out)
  }

  // MARK: The end

  override var expiresInside: Bool { true }

  override func fileExpires(_ content: Bytes, modified: Int64) -> Int64? { DjangoFileCache.head(content)?.expires }

  /// The pickle in front: Unix seconds or None. nil if it is none.
  private static func head(_ content: Bytes) -> (expires: Int64?, size: Int)? {
    var i = 0
    if content[i] == 0x80 { i &+= 2 }
    if content[i] == 0x95 { i &+= 9 }
    let code = content[i]
    let width = code == UInt8(ascii: "G") ? 8 : code == UInt8(ascii: "J") ? 4 : code == UInt8(ascii: "N") ? 0 : -1
    guard width >= 0, i &+ 1 &+ width < content.count, content[i &+ 1 &+ width] == UInt8(ascii: ".") else { return nil }
    var bits: UInt64 = 0
    for place in Indices(width) {
      let byte = UInt64(content[i &+ 1 &+ place])
      // A float is big-endian, an integer little-endian.
      bits |= byte &<< UInt64((width == 8 ? 7 &- place : place) &* 8)
    }
    let size = i &+ width &+ 2
    switch width {
    case 0: return (nil, size)
    case 4: return (Int64(Int32(truncatingIfNeeded: bits)) &* 1_000_000, size)
    default:
      let seconds = Double(bitPattern: bits)
      guard seconds == seconds else { return nil }
      return (sys_microseconds(seconds, Expiry.longest &* 1_000_000), size)
    }
  }

  override func unwrap(_ stored: Bytes, limit: Int, into payload: inout ByteBuffer) throws(Failure) -> Bool {
    guard let head = DjangoFileCache.head(stored) else { return false }
    return try DjangoFileCache.zlib.decode(stored.dropFirst(head.size), limit: limit, to: &payload)
  }

  /// The end as Python's pickle writes a float by protocol 5.
  override func wrap(
    _ payload: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    // PROTO 5, and a FRAME of 10 bytes with BINFLOAT.
    out.append(0x80)
    out.append(5)
    out.append(0x95)
    out.append(10)
    for _ in Indices(7) { out.append(0) }
    out.append(UInt8(ascii: "G"))
    let bits = (Double(moment.expires) / 1_000_000).bitPattern
    for place in Indices(8) { out.append(UInt8(truncatingIfNeeded: bits &>> UInt64((7 &- place) &* 8))) }
    out.append(UInt8(ascii: "."))
    try DjangoFileCache.zlib.encode(payload, to: &out)
  }
}
