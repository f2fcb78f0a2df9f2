import CSystem
import CTuile

/// Flask-Session in Redis and memcached, under a key that is in the cookie as it is, or signed.
/// Version 0.8 writes MessagePack or JSON, 0.5 pickles; what is there is written as it was found.
class FlaskSession: WrappedPayload {
  private var serialization = PayloadFormat.msgpack
  /// SESSION_USE_SIGNER.
  private var isSigned = false

  override func isFor(_ kind: Kind) -> Bool { kind == .redis || kind == .memcached }

  override var format: PayloadFormat { serialization }
  override func format(of stored: Bytes) -> PayloadFormat {
    guard !stored.isEmpty else { return format }
    if stored[0] == UInt8(ascii: "{") { return .json }
    // An empty map of MessagePack's is alone; a pickle has its protocol behind that.
    return stored[0] == 0x80 && stored.count > 1 ? .pickle : .msgpack
  }

  // MARK: The cookie

  override var cookieRule: CookieRule { .flask }
  override var cookieDialect: tuile_dialect? { isSigned ? TUILE_DIALECT_ITSDANGEROUS : nil }

  override func setUpCookie(_ settings: inout SignerSettings) {
    settings.salt = Bytes("flask-session")
    settings.derivation = .hmac
    settings.timed = false
  }

  /// secrets.token_urlsafe(32); of 0.5 it was a UUID.
  override var keyAlphabet: StaticString { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" }
  override var keySize: Int { 43 }
  override func isKey(_ key: Bytes) -> Bool { super.isKey(key) && key.count >= 16 }

  // MARK: Options

  override var shared: LayoutOptions.Names { [.prefix, .ttl] }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("signer") {
      isSigned = try option.choice("signer (on, off)", ("on", true), ("off", false))
    } else if option.name == Bytes("serializer") {
      serialization = try option.choice(
        "serializer (msgpack, json, pickle)", ("msgpack", PayloadFormat.msgpack), ("json", .json), ("pickle", .pickle))
    } else {
      return false
    }
    return true
  }

  /// SESSION_KEY_PREFIX.
  final var keyPrefix: Bytes { options.prefix?.bytes ?? Bytes("session:") }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    Layout.write("key_prefix", keyPrefix, to: &url)
    // Bytes have no flag, unless the client deflated them.
    if kind == .memcached { url.append("&item_flags=0&zlib_flag=8") }
  }

  /// PERMANENT_SESSION_LIFETIME.
  override var standardAge: Int64? { options.ttl ?? 2_678_400 }

  /// Flask-Login's.
  override func login(_ value: (StaticString) -> Bytes?) -> Bytes? { value("_user_id") }
}

/// In the table of its SQLAlchemy interface.
final class FlaskSessionTable: FlaskSession {
  override func isFor(_ kind: Kind) -> Bool { kind == .sqlite || kind == .postgresql }
  override var shared: LayoutOptions.Names { [.prefix, .ttl, .table] }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    Layout.write("table", options.table?.bytes ?? Bytes("sessions"), to: &url)
    Layout.write("columns", Bytes("session_id:key,data:bytes,expiry:utc"), to: &url)
  }

  override var mapsKeys: Bool { true }
  override func writeStoreKey(_ key: Bytes, to out: inout ByteBuffer) {
    out.append(keyPrefix)
    out.append(key)
  }
  override var readsStoreKeys: Bool { true }
  override func readStoreKey(_ stored: Bytes) throws(Failure) -> Bytes? {
    stored.hasPrefix(keyPrefix) ? stored.dropFirst(keyPrefix.count) : nil
  }
}

/// In the files of cachelib's FileSystemCache: Unix seconds of the end, four bytes, and
/// behind them a pickle; the name is a hash.
final class FlaskSessionFiles: FlaskSession {
  /// What cachelib's `hash_method` is; MD5 was its own before 0.14.
  private var isMD5 = false

  override func isFor(_ kind: Kind) -> Bool { kind == .file }
  override var format: PayloadFormat { .pickle }
  override func format(of stored: Bytes) -> PayloadFormat { .pickle }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("serializer") { return false }
    guard option.name == Bytes("hash") else { return try super.takeOwn(option) }
    isMD5 = try option.choice("hash (sha256, md5)", ("sha256", false), ("md5", true))
    return true
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {}

  override var mapsKeys: Bool { true }
  override func isStoreKey(_ key: Bytes) -> Bool { LayoutText.isHex(key, isMD5 ? 32 : 64) }

  override func writeStoreKey(_ key: Bytes, to out: inout ByteBuffer) {
    var text = ByteBuffer()
    text.append(keyPrefix)
    text.append(key)
    let digest = UnsafeMutablePointer<UInt8>.allocate(capacity: Digest.largest)
    defer { digest.deallocate() }
    if isMD5 {
      sys_md5_of(text.bytes.start, text.count, digest)
    } else {
      Digest.sha256.hash(text.bytes, to: digest)
    }
    Hex.encode(Bytes(digest, isMD5 ? 16 : 32), to: &out)
  }

  // MARK: The end

  override var expiresInside: Bool { true }

  /// 0 is never.
  override func fileExpires(_ content: Bytes, modified: Int64) -> Int64? {
    guard content.count > 4 else { return nil }
    var seconds: Int64 = 0
    for i in Indices(4) { seconds |= Int64(content[i]) &<< Int64(8 &* i) }
    return seconds == 0 ? nil : seconds &* 1_000_000
  }

  override func unwrap(_ stored: Bytes, limit: Int, into payload: inout ByteBuffer) throws(Failure) -> Bool {
    guard stored.count > 4 else { return false }
    payload.append(stored.dropFirst(4))
    return true
  }

  override func wrap(
    _ payload: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    let seconds = max(1, min(Int64(UInt32.max), SessionTable.seconds(moment.expires)))
    for i in Indices(4) { out.append(UInt8(truncatingIfNeeded: seconds &>> Int64(8 &* i))) }
    out.append(payload)
  }
}
