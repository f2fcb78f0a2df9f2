import CTuile

/// The session's key in a cookie that a layout has signed, or not.
extension ManagerKeys {
  var layout: Layout? { codec.layout }

  /// Whether a client may send such a key.
  func isKey(_ key: Bytes) -> Bool { layout?.isKey(key) ?? SessionKey.isValid(key) }

  /// The same, or what a walk through the store gives, which a client never may.
  func names(_ key: Bytes) -> Bool { layout?.names(key) ?? SessionKey.isValid(key) }

  func makeKey(in arena: inout Arena) throws(Failure) -> Bytes {
    guard let layout else { return try SessionKey.make(in: &arena) }
    guard let room = arena.take(layout.keySize) else { throw .memory }
    try Random.characters(of: layout.keyAlphabet, room, count: layout.keySize)
    return Bytes(room, layout.keySize)
  }

  /// Refuses a layout whose framework would not take IDs of sessions that are bound to devices.
  func checkBoundIDs() throws(Failure) {
    var arena = Arena(limit: 4096)
    let alphabet = layout?.keyAlphabet ?? SessionKey.alphabet
    let sample = try boundID.make(Bytes(alphabet).slice(0, boundID.bindingSize), in: &arena)
    guard isKey(sample) else {
      throw .argument("device_binding can't be with this layout: its IDs have no room to say that a session is bound")
    }
  }

  /// Appends the key that a cookie of the layout's holds; false if none of the secrets made it.
  func readCookie(_ value: Bytes, _ layout: Layout, to key: inout ByteBuffer) throws(Failure) -> Bool {
    guard let keyDialect else {
      guard Percent.decode(value, to: &key) else { throw .memory }
      return true
    }
    do throws(Failure) {
      let opened = try keyDialect.openAsSent(
        value, json: false, maxAge: nil, now: 0, limit: SessionKey.longest, to: &key)
      if case .valid = opened { return true }
      return false
    } catch {
      // Genuine, and no key: too long, or no text.
      guard error.status == TUILE_E_SYNTAX || error.status == TUILE_E_LIMIT || error.status == TUILE_E_TYPE else {
        throw error
      }
      return false
    }
  }

  func writeCookie(_ key: Bytes, now: Int64, to value: inout ByteBuffer) throws(Failure) {
    if let keyDialect { return try keyDialect.sign(key, now: now, to: &value) }
    Percent.encode(key, to: &value)
    guard !value.failed else { throw .memory }
  }
}

extension Manager {
  /// What a layout needs to know of what it writes.
  func moment(now: Int64, expires: Int64) -> LayoutMoment {
    LayoutMoment(now: now, expires: expires, ages: settings.ages, cookie: settings.cookie)
  }
}

extension Settings {
  var ages: LayoutAges { LayoutAges(cookieAge: config.cookie_age, atBrowserClose: config.expire_at_browser_close) }
}
