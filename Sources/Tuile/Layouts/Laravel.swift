import CTuile

/// Laravel's sessions, in its files, its table, or Redis and memcached by its cache: an array as PHP's
/// serialize or json_encode writes it, encrypted where `session.encrypt` says so. The cookie is encrypted
/// with the application's key in any case.
final class Laravel: Layout {
  private let kind: Kind
  /// Of new sessions; one that is there keeps its own.
  private var serializer = PayloadFormat.phpSerialize
  private var isEncrypted = false
  private var isGCM = false
  private var guardName: LayoutText?

  init(_ kind: Kind) { self.kind = kind }

  override func isFor(_ kind: Kind) -> Bool { kind == .redis || kind == .memcached || kind == .file || isTable }
  private var isTable: Bool { kind == .sqlite || kind == .postgresql }

  // MARK: The cookie

  override var cookieDialect: tuile_dialect? { isGCM ? TUILE_DIALECT_LARAVEL_GCM : TUILE_DIALECT_LARAVEL }

  /// Str::random(40), which Laravel wants every ID to look like.
  override var keyAlphabet: StaticString { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" }
  override var keySize: Int { 40 }
  override func isKey(_ key: Bytes) -> Bool {
    super.isKey(key) && key.count == 40 && !key.contains(UInt8(ascii: "-")) && !key.contains(UInt8(ascii: "_"))
      && !key.contains(UInt8(ascii: ",")) && !key.contains(UInt8(ascii: ":"))
  }

  // MARK: Options

  override var shared: LayoutOptions.Names {
    kind == .redis || kind == .memcached ? [.prefix, .ttl] : isTable ? [.table, .ttl] : [.ttl]
  }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("guard") {
      guardName = try LayoutText.decoded(option.value)
    } else if option.name == Bytes("serializer") {
      serializer = try option.choice("serializer (php, json)", ("php", PayloadFormat.phpSerialize), ("json", .json))
    } else if option.name == Bytes("encrypt") {
      isEncrypted = try option.choice("encrypt (true, false)", ("true", true), ("false", false))
    } else if option.name == Bytes("cipher") {
      isGCM = try option.choice("cipher (cbc, gcm)", ("cbc", false), ("gcm", true))
    } else {
      return false
    }
    return true
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    if kind == .redis {
      // The two prefixes of Laravel's own settings stand one behind the other.
      Layout.write("key_prefix", options.prefix?.bytes ?? Bytes("laravel_database_laravel_cache:"), to: &url)
    } else if kind == .memcached {
      Layout.write("key_prefix", options.prefix?.bytes ?? Bytes("laravel_cache:"), to: &url)
      url.append("&php_compression=1")
    } else if isTable {
      var columns = ByteBuffer()
      columns.append("id:key,payload:text,last_activity:seconds-")
      Numbers.writeDecimal(standardAge ?? 0, to: &columns)
      guard !columns.failed else { throw .memory }
      Layout.write("table", options.table?.bytes ?? Bytes("sessions"), to: &url)
      Layout.write("columns", columns.bytes, to: &url)
    }
  }

  // MARK: What is stored

  override var sealingDialect: tuile_dialect? { isEncrypted ? cookieDialect : nil }

  /// Without the key: what is not encrypted.
  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    try read(stored, nil, limit: limit, into: &json) != nil
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) { try write(json, base: base, moment, nil, to: &out) }

  override func read(
    _ stored: Bytes, _ sealer: Sealer?, limit: Int, into json: inout ByteBuffer
  ) throws(Failure) -> Int? {
    guard stored.count <= limit &* 3 &+ 1024 else { throw .limit("the session is larger than max_data") }
    var payload = ByteBuffer()
    defer { payload.wipe() }
    guard let key = try unwrap(stored, sealer, to: &payload) else { return nil }
    guard payload.count <= limit else { throw .limit("the session is larger than max_data") }
    // Laravel writes an empty file where it only reserves its place; PHP has one empty array.
    if payload.count == 0 || payload.bytes == Bytes("[]") {
      json.append("{}")
      return key
    }
    switch Payload.read(payload.bytes, Laravel.format(of: payload.bytes), into: &json) {
    case .ok: break
    case .noMemory: throw .memory
    default: return nil
    }
    guard json.count <= limit else { throw .limit("the session is larger than max_data") }
    return key
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, _ sealer: Sealer?, to out: inout ByteBuffer
  ) throws(Failure) {
    var old = ByteBuffer()
    var new = ByteBuffer()
    defer {
      old.wipe()
      new.wipe()
    }
    if !base.isEmpty {
      guard try unwrap(base, sealer, to: &old) != nil else { throw Laravel.unreadable }
    }
    let format = old.count == 0 ? serializer : Laravel.format(of: old.bytes)
    if old.bytes == Bytes("[]") { old.removeAll() }
    let answer =
      format == .json
      ? PayloadJSON.rewrite(old.bytes, as: json, .php, into: &new)
      : Payload.rewrite(old.bytes, format, as: json, into: &new)
    switch answer {
    case .ok: break
    case .malformed: throw Laravel.unreadable
    default: try PayloadLayout.check(answer)
    }
    try wrap(new.bytes, sealer, to: &out)
  }

  private static var unreadable: Failure {
    Failure(status: TUILE_E_CORRUPT, message: "what the store has is no session of Laravel's with these secrets")
  }

  private static func format(of payload: Bytes) -> PayloadFormat {
    payload[0] == UInt8(ascii: "{") || payload[0] == UInt8(ascii: "[") ? .json : .phpSerialize
  }

  /// Appends the array's text, and says with which key it was encrypted; nil: it is none of Laravel's.
  private func unwrap(_ stored: Bytes, _ sealer: Sealer?, to payload: inout ByteBuffer) throws(Failure) -> Int? {
    var decoded = ByteBuffer()
    defer { decoded.wipe() }
    var text = stored
    if kind == .redis {
      // Its cache serializes what it is given, which is a text already.
      guard let inner = PHPText.read(stored) else { return nil }
      text = inner
    } else if isTable {
      guard try Base64.standard.decode(stored, to: &decoded) else { return nil }
      text = decoded.bytes
    }
    guard let sealer else {
      guard !isEncrypted else { return nil }
      payload.append(text)
      guard !payload.failed else { throw .memory }
      return 0
    }
    if text.isEmpty { return 0 }
    var plain = ByteBuffer()
    defer { plain.wipe() }
    guard let key = try sealer.open(text, limit: text.count, to: &plain), let inner = PHPText.read(plain.bytes) else {
      return nil
    }
    payload.append(inner)
    guard !payload.failed else { throw .memory }
    return key
  }

  private func wrap(_ payload: Bytes, _ sealer: Sealer?, to out: inout ByteBuffer) throws(Failure) {
    guard let sealer else {
      guard !isEncrypted else { throw .argument("encrypt=true needs the application's key as the secret") }
      return try put(payload, to: &out)
    }
    var plain = ByteBuffer()
    defer { plain.wipe() }
    guard plain.reserve(payload.count &+ 32) else { throw .memory }
    PHPText.write(payload, to: &plain)
    var sealed = ByteBuffer()
    try sealer.seal(plain.bytes, to: &sealed)
    try put(sealed.bytes, to: &out)
  }

  private func put(_ text: Bytes, to out: inout ByteBuffer) throws(Failure) {
    switch kind {
    case .redis: PHPText.write(text, to: &out)
    case .sqlite, .postgresql: Base64.standard.encode(text, to: &out)
    default: out.append(text)
    }
    guard !out.failed else { throw .memory }
  }

  // MARK: Its end

  /// session.lifetime, which is in minutes.
  override var standardAge: Int64? { options.ttl ?? 7200 }

  override var writesInPlace: Bool { true }

  override func fileExpires(_ content: Bytes, modified: Int64) -> Int64? {
    let (expires, overflow) = modified.addingReportingOverflow((standardAge ?? 0) &* 1_000_000)
    return overflow ? .max : expires
  }

  // MARK: Who is logged in

  /// `login_GUARD_` and the SHA-1 of the guard's class.
  override func isLogin(_ name: Bytes) -> Bool {
    let before = Bytes("login_")
    let who = guardName?.bytes ?? Bytes("web")
    let digest = name.dropFirst(before.count &+ who.count &+ 1)
    guard name.hasPrefix(before), name.dropFirst(before.count).hasPrefix(who),
      name[before.count &+ who.count] == UInt8(ascii: "_"), digest.count == 40
    else { return false }
    for i in Indices(digest.count) {
      guard digest[i] &- UInt8(ascii: "0") < 10 || digest[i] &- UInt8(ascii: "a") < 6 else { return false }
    }
    return true
  }
}
