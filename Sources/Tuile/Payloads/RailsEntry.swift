import CSystem

/// An entry of Rails' cache, ActiveSupport::Cache: a session in Marshal, when it ends, and
/// zlib around it where that is shorter. Rails writes one of three formats, by
/// `config.active_support.cache_format_version`, and reads all.
struct RailsEntry: ~Copyable {
  enum Format { case v61, v70, v71 }

  /// Of what was read.
  var format = Format.v71
  /// The session alone, in Marshal.
  private(set) var session = ByteBuffer()
  /// Unix seconds; nil: never.
  private(set) var expires: Double?
  /// 6.1, as 7.0 and later write it: the end is not counted from when it was made.
  private var isAbsolute = false
  /// What was read is as long as what would be compressed, and is not.
  private var staysPlain = false

  /// The entry is a Marshal string, as Dalli makes it of what is no object.
  var isString = false

  /// From so many bytes on it is compressed.
  static let threshold = 1024
  private static let object: UInt8 = 0x01
  private static let compressed: UInt8 = 0x80
  private static let headerSize = 15

  init(_ format: Format = .v71) { self.format = format }

  // MARK: Reading

  /// Whatever else Rails' cache may hold, or what another serializer or compressor wrote, is malformed.
  mutating func read(_ stored: Bytes) -> PayloadStatus {
    session.removeAll()
    expires = nil
    isAbsolute = false
    staysPlain = false
    let inner = MarshalEnvelope.openString(stored)
    isString = inner != nil
    let stored = inner ?? stored
    let status: PayloadStatus
    switch (stored[0], stored[1]) {
    case (0x00, 0x11): status = read71(stored)
    case (0x00, _): status = read70(stored.dropFirst(1), isCompressed: false)
    case (0x01, _): status = read70(stored.dropFirst(1), isCompressed: true)
    default: status = read61(stored)
    }
    guard status == .ok else { return status }
    guard expires.map({ $0.isFinite }) ?? true else { return .malformed }
    return session.failed ? .noMemory : .ok
  }

  private mutating func read71(_ stored: Bytes) -> PayloadStatus {
    format = .v71
    guard stored.count > RailsEntry.headerSize else { return .malformed }
    let type = stored[2]
    // A version is for values with `cache_version`, which no session is.
    guard type & 0x7F == RailsEntry.object, stored.littleEndian(11, 4) == 0xFFFF_FFFF else {
      return .malformed
    }
    let seconds = Double(bitPattern: stored.littleEndian(3, 8))
    expires = seconds < 0 ? nil : seconds
    let payload = stored.dropFirst(RailsEntry.headerSize)
    if type & RailsEntry.compressed != 0 { return RailsEntry.inflate(payload, to: &session) }
    session.append(payload)
    staysPlain = payload.count >= RailsEntry.threshold
    return .ok
  }

  private mutating func read70(_ payload: Bytes, isCompressed: Bool) -> PayloadStatus {
    format = .v70
    var facts = MarshalEnvelope.Facts()
    var inflated = ByteBuffer()
    if isCompressed {
      let status = RailsEntry.inflate(payload, to: &inflated)
      guard status == .ok else { return status }
    }
    let status = MarshalEnvelope.list.open(isCompressed ? inflated.bytes : payload, to: &session, &facts)
    expires = facts.expires
    staysPlain = !isCompressed && payload.count >= RailsEntry.threshold
    return status
  }

  private mutating func read61(_ stored: Bytes) -> PayloadStatus {
    format = .v61
    var facts = MarshalEnvelope.Facts()
    var value = ByteBuffer()
    var status = MarshalEnvelope.entry.open(stored, to: &value, &facts)
    guard status == .ok else { return status }
    isAbsolute = facts.created == 0
    expires = facts.expires.map { (facts.created ?? 0) + $0 }
    if facts.isCompressed {
      status = RailsEntry.inflate(value.bytes, to: &session)
    } else {
      session.append(value.bytes)
      staysPlain = value.count >= RailsEntry.threshold
    }
    return status
  }

  private static func inflate(_ packed: Bytes, to out: inout ByteBuffer) -> PayloadStatus {
    do throws(Failure) {
      try Deflated.inflate(packed, limit: Payload.largest, to: &out)
    } catch {
      return error.status == Failure.memory.status ? .noMemory : .malformed
    }
    return .ok
  }

  // MARK: Writing

  /// Appends the entry with another session, in the format that was read, or set. `now` and
  /// `expires` are Unix microseconds.
  func write(_ session: Bytes, now: Int64, expires: Int64, to out: inout ByteBuffer) -> PayloadStatus {
    guard isString else { return writePlain(session, now: now, expires: expires, to: &out) }
    var entry = ByteBuffer()
    let status = writePlain(session, now: now, expires: expires, to: &entry)
    guard status == .ok else { return status }
    return MarshalEnvelope.closeString(entry.bytes, to: &out) && !out.failed ? .ok : .noMemory
  }

  private func writePlain(_ session: Bytes, now: Int64, expires: Int64, to out: inout ByteBuffer) -> PayloadStatus {
    var facts = MarshalEnvelope.Facts()
    let end = Double(expires) / 1_000_000
    var packed = ByteBuffer()
    switch format {
    case .v71:
      guard let isCompressed = compress(session, to: &packed) else { return .noMemory }
      out.append(0x00)
      out.append(0x11)
      out.append(isCompressed ? RailsEntry.object | RailsEntry.compressed : RailsEntry.object)
      RailsEntry.append(end.bitPattern, size: 8, to: &out)
      RailsEntry.append(0xFFFF_FFFF, size: 4, to: &out)
      out.append(isCompressed ? packed.bytes : session)
    case .v70:
      facts.expires = end
      var list = ByteBuffer()
      let status = MarshalEnvelope.list.close(session, facts, to: &list)
      guard status == .ok else { return status }
      guard let isCompressed = compress(list.bytes, to: &packed) else { return .noMemory }
      out.append(isCompressed ? 0x01 : 0x00)
      out.append(isCompressed ? packed.bytes : list.bytes)
    case .v61:
      facts.created = isAbsolute ? 0 : Double(now) / 1_000_000
      facts.expires = isAbsolute ? end : Double(max(0, expires &- now)) / 1_000_000
      guard let isCompressed = compress(session, to: &packed) else { return .noMemory }
      facts.isCompressed = isCompressed
      return MarshalEnvelope.entry.close(isCompressed ? packed.bytes : session, facts, to: &out)
    }
    return out.failed ? .noMemory : .ok
  }

  /// false: it is not to be compressed, or would not get shorter; nil without memory.
  private func compress(_ data: Bytes, to packed: inout ByteBuffer) -> Bool? {
    guard data.count >= RailsEntry.threshold, !staysPlain else { return false }
    let room = data.count &- 1
    var size = 0
    let filled = packed.fill(room) { start in
      size = sys_compress(data.start, data.count, start, room)
      return size
    }
    guard filled, size != SYS_Z_MEMORY else { return nil }
    return size > 0
  }

  private static func append(_ number: UInt64, size: UInt64, to out: inout ByteBuffer) {
    var i: UInt64 = 0
    while i < size {
      out.append(UInt8(truncatingIfNeeded: number &>> (8 &* i)))
      i &+= 1
    }
  }
}
