import CSystem
import CTuile

/// Rails' `cache_store` sessions: entries of its cache, in Redis by RedisCacheStore and in memcached
/// by MemCacheStore. An entry says itself when it ends, and Rails looks at that.
final class RailsCache: RubyLayout {
  private var namespace: LayoutText?
  /// Of new entries.
  private var entryFormat = RailsEntry.Format.v71
  private let isInMemcached: Bool

  init(_ kind: Kind) { isInMemcached = kind == .memcached }

  override func isFor(_ kind: Kind) -> Bool { kind == .redis || kind == .memcached }
  override var shared: LayoutOptions.Names { .ttl }
  override var expiresInside: Bool { true }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    if isInMemcached { try Dalli.refuseDistribution(option) }
    if option.name == Bytes("namespace") {
      namespace = try LayoutText.decoded(option.value)
    } else if option.name == Bytes("format") {
      entryFormat = try option.choice(
        "format (7.1, 7.0, 6.1)", ("7.1", RailsEntry.Format.v71), ("7.0", .v70), ("6.1", .v61))
    } else if option.name == Bytes("prefix") {
      // Also the store's own, which would stand for nothing.
      throw .syntax("rails-cache has the option namespace, and no prefix", at: option.offset)
    } else {
      return false
    }
    return true
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    var prefix = ByteBuffer()
    if let namespace, !namespace.bytes.isEmpty {
      prefix.append(namespace.bytes)
      prefix.append(UInt8(ascii: ":"))
    }
    prefix.append("_session_id:")
    guard !prefix.failed else { throw .memory }
    Layout.write("key_prefix", prefix.bytes, to: &url)
    if kind == .memcached { Dalli.writeOptions(to: &url) }
  }

  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    guard stored.count <= limit else { throw .limit("the session is larger than max_data") }
    var entry = RailsEntry()
    switch entry.read(stored) {
    case .ok: break
    case .noMemory: throw .memory
    default: return false
    }
    guard isReadable(entry) else { return false }
    // Which the store may have for longer: Rails takes it for none.
    if let expires = entry.expires, expires <= Double(sys_now_microseconds()) / 1_000_000 { return false }
    return try super.read(entry.session.bytes, limit: limit, into: &json)
  }

  /// Dalli makes a Marshal string of an entry that is none of Marshal's objects.
  private func isReadable(_ entry: borrowing RailsEntry) -> Bool {
    entry.isString == (isInMemcached && entry.format != .v61)
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    var entry = RailsEntry(entryFormat)
    var status = PayloadStatus.ok
    if base.isEmpty {
      entry.isString = isInMemcached && entryFormat != .v61
    } else {
      status = entry.read(base)
      if status == .ok, !isReadable(entry) { status = .malformed }
    }
    if status == .ok {
      var session = ByteBuffer()
      try super.write(json, base: entry.session.bytes, moment, to: &session)
      status = entry.write(session.bytes, now: moment.now, expires: moment.expires, to: &out)
    }
    try PayloadLayout.check(status)
  }
}
