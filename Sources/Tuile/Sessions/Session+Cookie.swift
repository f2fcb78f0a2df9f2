import CTuile

/// A session that is kept in its cookie: the key is the token, reading it asks
/// nobody, and saving it makes another. Two requests at once can't know of each
/// other: the later answer's cookie stays, as in every framework that does this.
extension Session {
  /// Octets of a cookie that is taken for a session.
  private static let longestToken = 8192

  static func mayBeToken(_ text: Bytes) -> Bool { !text.isEmpty && text.count <= longestToken }

  /// What a framework of that rule takes for the cookie's value.
  func keep(_ found: CookieRule.Found, _ rule: CookieRule) throws(Failure) -> Bytes {
    guard !found.value.isEmpty, found.value.count <= 4 &* Session.longestToken else { return Bytes() }
    guard let room = data.arena.take(found.value.count &* 2) else { throw .memory }
    var writer = ByteWriter(room, capacity: found.value.count &* 2)
    rule.write(found.value, to: &writer)
    return writer.written
  }

  /// When the token was made, in Unix seconds, where its format does not say it: in
  /// the token alone, never in the data that the host sees.
  static let issuedName: StaticString = "_session_issued"

  private func stamp(now: Int64) throws(Failure) {
    json.truncate(json.count &- 1)
    if json.count > 1 { json.append(UInt8(ascii: ",")) }
    json.append("\"")
    json.append(Session.issuedName)
    json.append("\":")
    Numbers.writeDecimal(now / 1_000_000, to: &json)
    json.append("}")
    guard !json.failed else { throw .memory }
  }

  /// Takes a session over that was kept in its cookie before: it has no key yet,
  /// and is saved with the commit.
  func fetchFromPreviousCookie() throws(Failure) {
    guard case .unread(let token) = previous, let dialect = keys.previousDialect else { return }
    didReadPrevious(false)
    let found = try fetchFromCookie(token, dialect)
    didReadPrevious(found)
    if found { markModified() }
  }

  /// Reads the token in `key`; false if it is none of ours, too old, or revoked.
  func fetchFromCookie(_ key: Bytes, _ dialect: Dialect) throws(Failure) -> Bool {
    json.removeAll()
    let present = manager.now
    do throws(Failure) {
      // Ages are looked at below; but itsdangerous refuses what is from the future only if one is asked for.
      let opened = try dialect.openAsSent(
        key, json: true, maxAge: Expiry.longest, now: present / 1_000_000, limit: manager.settings.config.max_data,
        to: &json)
      guard case .valid(let timestamp, let secret) = opened else {
        if case .badSignature = opened { didFindUnreadable() }
        manager.counters.misses.increment()
        return false
      }
      try data.replay(on: json.bytes)
      let isGood = try take(key, timestamp: timestamp, now: present)
      guard isGood, try !isRevoked() else {
        data.drop()
        manager.counters.misses.increment()
        return false
      }
      if secret > 0 { manager.counters.oldKeyLoads.increment() }
    } catch {
      // Signed with our key, but no dictionary: as with a bad signature.
      guard error.status == TUILE_E_SYNTAX else { throw error }
      didFindUnreadable()
      return false
    }
    manager.counters.loads.increment()
    return true
  }

  /// Notes when a token ends, and whose copy it is; false if it has ended, or if a
  /// limit was set and nothing tells whether it has.
  private func take(_ token: Bytes, timestamp: Int64?, now: Int64) throws(Failure) -> Bool {
    let settings = manager.settings
    func said(_ name: StaticString) -> Bytes? { JSONText.member(name, of: json.bytes)?.raw }
    let ends = Session.ends(said(Session.endsName))
    guard settings.config.lifetime == 0 || ends != nil, ends ?? .max > now else { return false }
    guard let seconds = timestamp ?? said(Session.issuedName).flatMap({ Numbers.read($0, base: 10) }) else {
      // The framework itself wrote it: good for ever there, or until an end that its cipher has let pass.
      known.expires = ends
      return settings.config.cookie_age >= Settings.standardAge && manager.revocations == nil
    }
    let issued = max(0, min(Expiry.longest, seconds)) &* 1_000_000
    let expiry = Expiry(said(Expiry.name))
    let date = limited(expiry.date(standard: settings.config.cookie_age, now: issued), now: issued)
    known.expires = min(date, ends ?? date)
    // As in Django a token of just `cookie_age` is good, in whole seconds.
    guard date > (expiry.isStandard ? now &- 1_000_000 : now) else { return false }
    if data.cleared { try keepLimits() }
    if let i = data.entries.find(Bytes(Session.issuedName)) { data.entries.kill(i, change: .none) }
    try identify(token, issued: issued)
    return true
  }

  /// A request that drops what is in a session it has not read gives it no other name or end.
  private func keepLimits() throws(Failure) {
    for name in 0..<3 {
      let name = name == 0 ? Session.idName : name == 1 ? Session.sinceName : Session.endsName
      if let said = JSONText.member(name, of: json.bytes)?.raw { try data.set(Bytes(name), .json(said)) }
    }
  }

  func saveToCookie(_ dialect: Dialect) throws(Failure) -> Saved {
    try load()
    let present = manager.now
    // It may have been revoked since it was read.
    if key != nil || previous.isTaken, try isRevoked() {
      didFindDeleted()
      data.drop()
      return .deleted
    }
    try identify(anew: false)
    try limitLife(now: present)
    try data.write(to: &json)
    if !dialect.isTimed { try stamp(now: present) }
    guard json.count <= manager.settings.config.max_data else { throw .limit("the session is larger than max_data") }
    encoded.removeAll()
    let lifetime = max(1, age(now: present))
    try dialect.dumps(json.bytes, compress: true, now: present / 1_000_000, lifetime: lifetime, to: &encoded)
    if dialect.isPercentInCookies {
      var plain = ByteBuffer()
      plain.append(encoded.bytes)
      encoded.removeAll()
      Percent.encode(plain.bytes, to: &encoded)
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
    known.expires = expires(now: present)
    didSave()
    return .saved
  }
}
