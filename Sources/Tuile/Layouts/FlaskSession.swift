import CTuile

/// Flask-Session 0.8 in Redis and memcached: MessagePack, or JSON, under a key that is in the cookie as it is.
final class FlaskSession: PayloadLayout {
  private var serialization = PayloadFormat.msgpack

  override func isFor(_ kind: Kind) -> Bool { kind == .redis || kind == .memcached }
  override var format: PayloadFormat { serialization }
  override var cookieRule: CookieRule { .flask }

  /// secrets.token_urlsafe(32).
  override var keyAlphabet: StaticString { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" }
  override var keySize: Int { 43 }
  override func isKey(_ key: Bytes) -> Bool { super.isKey(key) && key.count >= 16 }

  override var shared: LayoutOptions.Names { [.prefix, .ttl] }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    guard option.name == Bytes("serializer") else { return false }
    serialization = try option.choice(
      "serializer (msgpack, json)", ("msgpack", PayloadFormat.msgpack), ("json", .json))
    return true
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    Layout.write("key_prefix", options.prefix?.bytes ?? Bytes("session:"), to: &url)
    // Bytes have no flag, unless the client deflated them.
    if kind == .memcached { url.append("&item_flags=0&zlib_flag=8") }
  }

  /// PERMANENT_SESSION_LIFETIME.
  override var standardAge: Int64? { options.ttl ?? 2_678_400 }

  /// Flask-Login's.
  override func login(_ value: (StaticString) -> Bytes?) -> Bytes? { value("_user_id") }
}
