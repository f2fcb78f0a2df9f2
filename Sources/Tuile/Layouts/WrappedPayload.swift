import CSystem
import CTuile

/// A payload of a language's own format inside something else: base64, a compressor, a head.
class WrappedPayload: PayloadLayout {
  /// Most bytes of a payload, whatever it was compressed to.
  static let largest = 16 << 20

  /// Appends the payload; false if nothing of the framework's is stored.
  func unwrap(_ stored: Bytes, limit: Int, into payload: inout ByteBuffer) throws(Failure) -> Bool {
    payload.append(stored)
    return true
  }

  /// Appends what is stored for a payload; `base` is what the store has now, or empty.
  func wrap(
    _ payload: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    out.append(payload)
  }

  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    guard !stored.isEmpty else { return false }
    var payload = ByteBuffer()
    guard try unwrap(stored, limit: min(limit, WrappedPayload.largest), into: &payload) else { return false }
    guard !payload.failed else { throw .memory }
    return try super.read(payload.bytes, limit: limit, into: &json)
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    var old = ByteBuffer()
    if !base.isEmpty {
      guard try unwrap(base, limit: WrappedPayload.largest, into: &old) else {
        return try PayloadLayout.check(.malformed)
      }
    }
    var new = ByteBuffer()
    try writePayload(json, base: old.bytes, to: &new)
    guard !old.failed, !new.failed else { throw .memory }
    try wrap(new.bytes, base: base, moment, to: &out)
    guard !out.failed else { throw .memory }
  }

  func writePayload(_ json: Bytes, base: Bytes, to out: inout ByteBuffer) throws(Failure) {
    try PayloadLayout.check(Payload.rewrite(base, format(of: base), as: json, into: &out))
  }
}

/// A compressor, as the framework uses it.
struct Compressor {
  let codec: sys_codec
  /// No more than that stays as it is.
  let shortest: Int

  /// The compressor of an option's value; its library is there then.
  static func make(_ option: URLText.Option) throws(Failure) -> Compressor? {
    let codec: sys_codec? = try option.choice(
      "compressor (none, zlib, gzip, lzma, lz4, zstd)", ("none", nil), ("zlib", SYS_ZLIB), ("gzip", SYS_GZIP),
      ("lzma", SYS_LZMA), ("lz4", SYS_LZ4), ("zstd", SYS_ZSTD))
    guard let codec else { return nil }
    guard sys_codec_load(codec) else {
      let package: StaticString = codec == SYS_LZMA ? "liblzma5" : codec == SYS_LZ4 ? "liblz4-1" : "libzstd1"
      throw Failure(
        status: TUILE_E_STORE, message: "the compressor of the store's URL needs a library that is not here: install",
        offset: option.offset, detail: Failure.Detail(Bytes(package)))
    }
    return Compressor(codec: codec, shortest: codec == SYS_LZMA ? 100 : 15)
  }

  func encode(_ data: Bytes, to out: inout ByteBuffer) throws(Failure) {
    let room = sys_codec_bound(codec, data.count)
    var size = 0
    let filled = out.fill(room) { start in
      size = sys_codec_encode(codec, data.start, data.count, start, room)
      return size
    }
    guard filled, size >= 0 else { throw .memory }
  }

  /// Appends at most `limit` bytes; false if these are no such data. Grows the room step by
  /// step, since little can be compressed to very much.
  func decode(_ packed: Bytes, limit: Int, to out: inout ByteBuffer) throws(Failure) -> Bool {
    var room = min(limit, max(512, packed.count &* 4))
    while true {
      var size = 0
      let filled = out.fill(room) { start in
        size = sys_codec_decode(codec, packed.start, packed.count, start, room)
        return size
      }
      guard filled, size != SYS_Z_MEMORY else { throw .memory }
      if size >= 0 { return true }
      guard size == SYS_Z_SPACE else { return false }
      guard room < limit else { throw .limit("the session is larger than max_data") }
      room = min(limit, room &* 4)
    }
  }
}
