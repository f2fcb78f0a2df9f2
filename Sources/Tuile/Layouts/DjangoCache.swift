import CTuile

/// Django's `cache` backend of sessions in Redis and memcached: by its own caches, which pickle, or by
/// django-redis, which writes what its serializer does. Nothing that is read is ever unpickled.
final class DjangoCache: PayloadLayout {
  private let isOfDjangoRedis: Bool
  private var serializer = PayloadFormat.pickle
  /// Django's VERSION of the cache.
  private var version: Int64 = 1

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
    } else {
      return false
    }
    return true
  }

  /// KEY_PREFIX:VERSION:KEY, as Django's default KEY_FUNCTION has it.
  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    var prefix = ByteBuffer()
    prefix.append(options.prefix?.bytes ?? Bytes())
    prefix.append(UInt8(ascii: ":"))
    Numbers.writeDecimal(version, to: &prefix)
    prefix.append(":django.contrib.sessions.cache")
    guard !prefix.failed else { throw .memory }
    Layout.write("key_prefix", prefix.bytes, to: &url)
    // pymemcache's and pylibmc's, of what is pickled and of what is deflated.
    if kind == .memcached { url.append("&item_flags=1&zlib_flag=8") }
  }

  /// JSON as json.dumps writes it, with spaces, also where nothing stored shows that.
  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    guard serializer == .json else { return try super.write(json, base: base, moment, to: &out) }
    try JSONText.write(json, .pythonSpaced, to: &out)
  }

  override var readsSessionExpiry: Bool { true }

  override func login(_ value: (StaticString) -> Bytes?) -> Bytes? { value("_auth_user_id") }
}
