import CTuile

/// How sessions are written into their cookies: what stands behind "cookie:".
enum CookieKind {
  case django, sealed, flask, starlette, rails, gorilla, rack, ironSession

  init?(_ name: Bytes) {
    switch name {
    case _ where name.isEmpty || name == Bytes("django"): self = .django
    case _ where name == Bytes("sealed"): self = .sealed
    case _ where name == Bytes("flask"): self = .flask
    case _ where name == Bytes("starlette"): self = .starlette
    case _ where name == Bytes("rails"): self = .rails
    case _ where name == Bytes("gorilla"): self = .gorilla
    case _ where name == Bytes("rack"): self = .rack
    case _ where name == Bytes("iron-session"): self = .ironSession
    default: return nil
    }
  }

  /// Of a URL cookie:NAME; nil if it names a store.
  static func parse(_ url: Bytes) throws(Failure) -> CookieKind? {
    guard url.hasPrefix(Bytes(StoreURL.cookieScheme)) else { return nil }
    guard let kind = CookieKind(url.dropFirst(StoreURL.cookieScheme.count)) else {
      throw .syntax(
        "cookie: is followed by none of django, sealed, flask, starlette, rails, gorilla, rack, iron-session",
        at: StoreURL.cookieScheme.count)
    }
    return kind
  }

  /// How its framework reads cookies.
  var rule: CookieRule {
    switch self {
    case .django, .sealed, .starlette: return .django
    case .flask: return .flask
    case .gorilla: return .go
    case .ironSession: return .express
    case .rails, .rack: return .rack
    }
  }

  func dialect(_ secrets: SecretList, _ settings: Settings, name: Bytes) throws(Failure) -> Dialect {
    var signer = SignerSettings(secrets: secrets)
    signer.name = name
    switch self {
    case .django:
      signer.salt = Bytes("django.contrib.sessions.backends.signed_cookies")
      return try Dialect.make(TUILE_DIALECT_DJANGO, signer)
    case .sealed:
      signer.salt = Bytes("tuile session")
      return try Dialect.make(TUILE_DIALECT_SEALED, signer)
    case .flask: return try Dialect.make(TUILE_DIALECT_FLASK, signer)
    case .starlette: return try Dialect.make(TUILE_DIALECT_STARLETTE, signer)
    case .rails: return try Dialect.make(TUILE_DIALECT_RAILS_ENCRYPTED, signer)
    case .gorilla: return try Dialect.make(TUILE_DIALECT_GORILLA, signer)
    case .rack: return try Dialect.make(TUILE_DIALECT_RACK, signer)
    case .ironSession: return try Dialect.make(TUILE_DIALECT_IRON_SESSION, signer)
    }
  }
}
