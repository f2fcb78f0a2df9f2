import CTuile

/// What the stores of Rails and Rack have in common: the cookie holds random hexadecimal digits
/// as they are, the store has the session under their SHA-256, in Marshal, and Devise logs in.
class RubyLayout: PayloadLayout {
  override var format: PayloadFormat { .marshal }
  override var keyAlphabet: StaticString { "0123456789abcdef" }
  /// SecureRandom.hex(16).
  override var keySize: Int { 32 }

  /// No digits with `::` behind them, either: those are a key of the store's, which whoever can
  /// see into the store knows.
  /// A longer one is of a session that is bound to a device: Rack takes any text.
  override func isKey(_ key: Bytes) -> Bool {
    (key.count == keySize || BoundID(keyAlphabet).contains(key)) && RubyLayout.isHex(key)
  }

  // MARK: The store's key

  private static let version: StaticString = "2::"

  override var mapsKeys: Bool { true }

  /// Rack::Session::SessionId#private_id.
  override func writeStoreKey(_ key: Bytes, to out: inout ByteBuffer) {
    out.append(RubyLayout.version)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Digest.largest) { room in
      guard let hash = room.baseAddress else { return }
      Digest.sha256.hash(key, to: hash)
      Hex.encode(Bytes(hash, Digest.sha256.size), to: &out)
    }
  }

  override func isStoreKey(_ key: Bytes) -> Bool {
    key.count == RubyLayout.version.count &+ 64 && key.hasPrefix(Bytes(RubyLayout.version))
      && RubyLayout.isHex(key.dropFirst(RubyLayout.version.count))
  }

  private static func isHex(_ text: Bytes) -> Bool {
    var i = 0
    while i < text.count {
      guard Hex.digit(text[i], false) != nil else { return false }
      i &+= 1
    }
    return true
  }

  // MARK: Who is logged in

  /// Devise's, for its scope `user`: [[id], the beginning of the password's hash].
  override func login(_ value: (StaticString) -> Bytes?) -> Bytes? {
    guard let stored = value("warden.user.user.key"), let record = JSONText.first(of: stored),
      let key = JSONText.first(of: record)
    else { return nil }
    return key
  }
}

/// In Marshal, or in JSON where that was found or is asked for.
class RubySerializedLayout: RubyLayout {
  private var serializer = PayloadFormat.marshal

  override var format: PayloadFormat { serializer }

  override func format(of stored: Bytes) -> PayloadFormat {
    if stored.isEmpty { return format }
    return stored[0] == 0x04 && stored[1] == 0x08 ? .marshal : .json
  }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    guard option.name == Bytes("serializer") else { return false }
    serializer = try option.choice("serializer (marshal, json)", ("marshal", PayloadFormat.marshal), ("json", .json))
    return true
  }
}

/// The same in Redis, with nothing around the session.
class RubyRedisLayout: RubySerializedLayout {
  override func isFor(_ kind: Kind) -> Bool { kind == .redis }
  override var shared: LayoutOptions.Names { [.prefix, .ttl] }

  /// Of the framework's own setting, where the URL has none.
  var standardPrefix: StaticString { "" }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    Layout.write("key_prefix", options.prefix?.bytes ?? Bytes(standardPrefix), to: &url)
  }
}
