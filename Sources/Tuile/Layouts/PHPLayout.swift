import CTuile

/// PHP's own sessions, in its files, in Redis by phpredis or in memcached by php-memcached. The cookie holds the session's
/// ID as it is; the data is in the form of one of PHP's three serializers.
class PHPLayout: PayloadLayout {
  private var handler = PayloadFormat.php
  /// Folders between that of the sessions and a file, each named after a character of the ID.
  private var depth = 0
  /// Which of several memcached servers has a session.
  private var distribution: LayoutText?

  override func isFor(_ kind: Kind) -> Bool { kind == .redis || kind == .memcached || kind == .file }
  override var format: PayloadFormat { handler }

  /// In Redis.
  var standardPrefix: StaticString { "PHPREDIS_SESSION:" }

  /// 130 bits, as Debian has it.
  override var keyAlphabet: StaticString { "0123456789abcdefghijklmnopqrstuv" }
  override var keySize: Int { 26 }

  override func isKey(_ key: Bytes) -> Bool {
    super.isKey(key) && key.count >= 8 && !key.contains(UInt8(ascii: "_")) && !key.contains(UInt8(ascii: ":"))
  }

  override var shared: LayoutOptions.Names { [.prefix, .ttl] }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("depth") {
      depth = Int(truncatingIfNeeded: try option.number(0...8))
    } else if option.name == Bytes("distribution") {
      distribution = try LayoutText.decoded(option.value)
    } else if option.name == Bytes("handler") {
      handler = try option.choice(
        "handler (php, php_serialize, php_binary)", ("php", PayloadFormat.php), ("php_serialize", .phpSerialize),
        ("php_binary", .phpBinary))
    } else {
      return false
    }
    return true
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    guard depth == 0 || kind == .file else { throw .syntax("depth is an option of PHP's files") }
    guard distribution == nil || kind == .memcached else {
      throw .syntax("distribution is an option of sessions in memcached")
    }
    if kind == .redis {
      Layout.write("key_prefix", options.prefix?.bytes ?? Bytes(standardPrefix), to: &url)
      Layout.write("lock_suffix", Bytes("_LOCK"), to: &url)
    } else if kind == .memcached {
      Layout.write("key_prefix", options.prefix?.bytes ?? Bytes("memc.sess.key."), to: &url)
      Layout.write("distribution", distribution?.bytes ?? Bytes("ketama"), to: &url)
      url.append("&lock_prefix=lock.&hash_prefix=0")
    } else {
      guard options.prefix == nil else { throw .syntax("prefix is an option of PHP's sessions on servers") }
    }
  }

  /// session.gc_maxlifetime.
  override var standardAge: Int64? { options.ttl ?? 1440 }

  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    guard stored.isEmpty else { return try super.read(stored, limit: limit, into: &json) }
    // A session in which nothing is set yet.
    json.append("{}")
    return true
  }

  // MARK: Files

  override var writesInPlace: Bool { true }
  override var filePrefix: StaticString { "sess_" }
  override var fileDepth: Int { depth }

  override func fileExpires(_ content: Bytes, modified: Int64) -> Int64? {
    let (expires, overflow) = modified.addingReportingOverflow((standardAge ?? 0) &* 1_000_000)
    return overflow ? .max : expires
  }
}
