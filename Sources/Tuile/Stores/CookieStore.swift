import CTuile

/// The store `cookie:`, which is none: the session is the cookie. Nothing is kept
/// here, and nothing found; Session+Cookie does what there is to do.
final class CookieStore: Store {
  static let scheme: StaticString = "cookie:"

  var trusted: Bool { false }
  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? { nil }
  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool { true }
  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced { .replaced }
  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool { true }
  func remove(_ key: Bytes) throws(Failure) {}
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int { 0 }
  func close() {}

  /// How the cookies of a URL are made; nil if it names another kind of store.
  static func dialect(_ url: Bytes, _ secrets: SecretList, _ settings: Settings) throws(Failure) -> Dialect? {
    guard url.hasPrefix(Bytes(scheme)) else { return nil }
    var signer = SignerSettings(secrets: secrets)
    signer.name = settings.cookieName
    signer.lifetime = settings.cookieAge > 0 ? settings.cookieAge : nil
    let name = url.dropFirst(scheme.utf8CodeUnitCount)
    let kind: tuile_dialect
    if name.isEmpty || name == Bytes("django") {
      kind = TUILE_DIALECT_DJANGO
      signer.salt = Bytes("django.contrib.sessions.backends.signed_cookies")
    } else if name == Bytes("sealed") {
      kind = TUILE_DIALECT_SEALED
      signer.salt = Bytes("tuile session")
    } else if name == Bytes("flask") {
      kind = TUILE_DIALECT_FLASK
    } else if name == Bytes("starlette") {
      kind = TUILE_DIALECT_STARLETTE
    } else if name == Bytes("rails") {
      kind = TUILE_DIALECT_RAILS_ENCRYPTED
      // Rails says the session's end by the cookie alone.
      signer.lifetime = nil
    } else if name == Bytes("gorilla") {
      kind = TUILE_DIALECT_GORILLA
    } else if name == Bytes("rack") {
      kind = TUILE_DIALECT_RACK
    } else if name == Bytes("iron-session") {
      kind = TUILE_DIALECT_IRON_SESSION
    } else {
      throw .syntax(
        "cookie: is followed by none of django, sealed, flask, starlette, rails, gorilla, rack, iron-session",
        at: scheme.utf8CodeUnitCount)
    }
    return try Dialect.make(kind, signer)
  }
}
