import CTuile

/// A session that is kept in its cookie: the key is the token, reading it asks
/// nobody, and saving it makes another. Two requests at once can't know of each
/// other: the later answer's cookie stays, as in every framework that does this.
extension Session {
  /// Octets of a cookie that is taken for a session.
  private static let longestToken = 8192

  static func mayBeToken(_ text: Bytes) -> Bool { !text.isEmpty && text.count <= longestToken }

  /// Takes a session over that was kept in its cookie before: it has no key yet,
  /// and is saved with the commit.
  func fetchFromPreviousCookie() throws(Failure) {
    guard let token = previousToken, let dialect = keys.previousDialect else { return }
    previousToken = nil
    cameFromCookie = try fetchFromCookie(token, dialect)
    if cameFromCookie { markModified() }
  }

  /// Reads the token in `key`; false if it is none of ours, or too old.
  func fetchFromCookie(_ key: Bytes, _ dialect: Dialect) throws(Failure) -> Bool {
    json.removeAll()
    let opened: Dialect.Opened
    do throws(Failure) {
      opened = try dialect.open(
        key, json: true, maxAge: manager.settings.cookieAge, now: manager.now / 1_000_000,
        limit: manager.settings.maxData, to: &json)
      guard case .valid(let timestamp, let key) = opened else {
        if case .badSignature = opened { didFindUnreadable() }
        manager.counters.misses.increment()
        return false
      }
      try data.replay(on: json.bytes)
      let revoked = try isRevoked(timestamp: timestamp)
      if revoked || ends ?? .max <= manager.now {
        data.drop()
        manager.counters.misses.increment()
        return false
      }
      if key > 0 { manager.counters.oldKeyLoads.increment() }
    } catch {
      // Signed with our key, but no dictionary: as with a bad signature.
      guard error.status == TUILE_E_SYNTAX else { throw error }
      didFindUnreadable()
      return false
    }
    manager.counters.loads.increment()
    return true
  }

  func saveToCookie(_ dialect: Dialect) throws(Failure) -> Saved {
    try load()
    try identify(anew: false)
    try limitLife(now: manager.now)
    try data.write(to: &json)
    guard json.count <= manager.settings.maxData else { throw .limit("the session is larger than max_data") }
    encoded.removeAll()
    try dialect.dumps(json.bytes, compress: true, now: manager.now / 1_000_000, to: &encoded)
    if dialect.needsPercent {
      var plain = ByteBuffer()
      plain.append(encoded.bytes)
      encoded.removeAll()
      CookieText.percentEncode(plain.bytes, to: &encoded)
      guard !plain.failed, !encoded.failed else { throw .memory }
    }
    let size = manager.settings.cookieName.count &+ encoded.count
    guard size <= SetCookie.largestPair else {
      throw Failure(
        status: TUILE_E_LIMIT,
        message: "the session does not fit into a cookie of 4096 octets; offset says how many it has",
        offset: size)
    }
    try adopt(token: encoded.bytes)
    didSave()
    return .saved
  }
}
