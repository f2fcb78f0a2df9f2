import CTuile

/// Where the sessions of a manager are kept, and what follows from that. This one:
/// in its store, under a key each. `CookieHome` is the other.
class SessionHome {
  /// Whether sessions have keys of their own, which the store finds them by.
  var hasKeys: Bool { true }

  /// How far other servers' clocks may be from this one's, in seconds, where sessions
  /// say themselves when they were made; nil: they don't.
  var skew: Int64? { nil }

  /// Whether what came in a cookie or a URL may name a session, or be one.
  func isKey(_ sent: Bytes) -> Bool { SessionKey.isValid(sent) }

  /// Reads a session into `data`; false if there is none.
  func fetch(_ key: Bytes, for session: Session) throws(Failure) -> Bool { try session.fetchFromStore(key) }

  func save(_ session: Session) throws(Failure) -> Session.Saved { try session.saveToStore() }

  /// A session that is saved only to live longer.
  func keepAlive(_ session: Session) throws(Failure) -> Session.Saved { try session.touchStored() }

  /// Gives the session a key for a login.
  func cycle(_ session: Session) throws(Failure) { try session.cycleStored() }

  /// Makes the old copies of a session that is flushed worth nothing.
  func end(_ session: Session) throws(Failure) {}
}

/// Sessions that are in their cookies: the key is the token, reading it asks nobody, and
/// saving it makes another.
final class CookieHome: SessionHome {
  let dialect: Dialect

  init(_ dialect: Dialect) { self.dialect = dialect }

  override var hasKeys: Bool { false }

  override var skew: Int64? { dialect.skew }

  override func isKey(_ sent: Bytes) -> Bool { Session.mayBeToken(sent) }

  override func fetch(_ key: Bytes, for session: Session) throws(Failure) -> Bool {
    try session.fetchFromCookie(key, dialect)
  }

  override func save(_ session: Session) throws(Failure) -> Session.Saved { try session.saveToCookie(dialect) }

  override func keepAlive(_ session: Session) throws(Failure) -> Session.Saved { try save(session) }

  override func cycle(_ session: Session) throws(Failure) { try session.cycleCookie() }

  override func end(_ session: Session) throws(Failure) { _ = try session.deny() }
}
