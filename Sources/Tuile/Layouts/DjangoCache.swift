import CTuile

/// Django's `cache` backend of sessions in Redis and memcached: by its own caches, which pickle,
/// or by django-redis, which writes what its serializer and compressor do. Nothing that is read
/// is ever unpickled.
class DjangoCache: WrappedPayload {
  private let isOfDjangoRedis: Bool
  private var serializer = PayloadFormat.pickle
  private var compressor: Compressor?
  /// Django's VERSION of the cache.
  private var version: Int64 = 1
  private var isOfTable = false

  init(isOfDjangoRedis: Bool) { self.isOfDjangoRedis = isOfDjangoRedis }

  override func isFor(_ kind: Kind) -> Bool { kind == .redis || kind == .memcached && !isOfDjangoRedis }
  override var format: PayloadFormat { serializer }
  override var cookieRule: CookieRule { .django }
  override func isKey(_ key: Bytes) -> Bool { SessionKey.isValid(key) }

  override var shared: LayoutOptions.Names { .prefix }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("version") {
      version = try option.number(0...Expiry.longest)
    } else if option.name == Bytes("serializer"), isOfDjangoRedis {
      serializer = try option.choice(
        "serializer (pickle, json, msgpack)", ("pickle", PayloadFormat.pickle), ("json", .json), ("msgpack", .msgpack))
    } else if option.name == Bytes("compressor"), isOfDjangoRedis {
      compressor = try Compressor.make(option)
    } else {
      return false
    }
    return true
  }

  override func beCacheOfTable() -> Bool {
    isOfTable = true
    return true
  }

  /// KEY_PREFIX:VERSION:KEY, as Django's default KEY_FUNCTION has it.
  final func writeKeyPrefix(to out: inout ByteBuffer) {
    out.append(options.prefix?.bytes ?? Bytes())
    out.append(UInt8(ascii: ":"))
    Numbers.writeDecimal(version, to: &out)
    out.append(isOfTable ? ":django.contrib.sessions.cached_db" : ":django.contrib.sessions.cache")
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    var prefix = ByteBuffer()
    writeKeyPrefix(to: &prefix)
    guard !prefix.failed else { throw .memory }
    Layout.write("key_prefix", prefix.bytes, to: &url)
    // pymemcache's and pylibmc's, of what is pickled and of what is deflated.
    if kind == .memcached { url.append("&item_flags=1&zlib_flag=8") }
  }

  /// What does not decompress is taken as it is, as django-redis does.
  override func unwrap(_ stored: Bytes, limit: Int, into payload: inout ByteBuffer) throws(Failure) -> Bool {
    if let compressor, try compressor.decode(stored, limit: limit, to: &payload) { return true }
    payload.append(stored)
    return true
  }

  override func wrap(
    _ payload: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    guard let compressor, payload.count > compressor.shortest else { return out.append(payload) }
    try compressor.encode(payload, to: &out)
  }

  /// JSON as json.dumps writes it, with spaces, also where nothing stored shows that.
  override func writePayload(_ json: Bytes, base: Bytes, to out: inout ByteBuffer) throws(Failure) {
    guard serializer == .json else { return try super.writePayload(json, base: base, to: &out) }
    try JSONText.write(json, .pythonSpaced, to: &out)
  }

  override var readsSessionExpiry: Bool { true }

  override func login(_ value: (StaticString) -> Bytes?) -> Bytes? { value("_auth_user_id") }
}
