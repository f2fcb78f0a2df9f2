import CSystem
import CTuile

extension Dialect {
  /// The one place that knows which dialects there are.
  static func make(_ dialect: tuile_dialect, _ given: SignerSettings) throws(Failure) -> Dialect {
    var settings = given
    if dialect != TUILE_DIALECT_RAILS_SIGNED, dialect != TUILE_DIALECT_RAILS_ENCRYPTED {
      guard settings.cipher == nil, settings.macDigest == nil, settings.macSalt.isEmpty else {
        throw .argument("cipher, mac_digest and mac_salt are settings of Rails alone")
      }
    }
    sys_ciphers_fetch()
    switch dialect {
    case TUILE_DIALECT_DJANGO:
      return try DjangoSigner.make(secrets: settings.secrets, salt: settings.salt, timed: settings.timed)
    case TUILE_DIALECT_DJANGO_COOKIE: return try DjangoCookieSigner.make(settings)
    case TUILE_DIALECT_ITSDANGEROUS: return try ItsDangerous.make(settings, .urlSafe)
    case TUILE_DIALECT_FLASK:
      if settings.salt.isEmpty { settings.salt = Bytes("cookie-session") }
      settings.derivation = settings.derivation ?? .hmac
      settings.timed = true
      return try ItsDangerous.make(settings, .flask)
    case TUILE_DIALECT_STARLETTE:
      if settings.salt.isEmpty { settings.salt = Bytes("itsdangerous.Signer") }
      settings.timed = true
      return try ItsDangerous.make(settings, .starlette)
    case TUILE_DIALECT_COOKIE_SIGNATURE: return try CookieSignature.make(settings, express: false)
    case TUILE_DIALECT_EXPRESS: return try CookieSignature.make(settings, express: true)
    case TUILE_DIALECT_KEYGRIP: return try Keygrip.make(settings)
    case TUILE_DIALECT_RAILS_SIGNED: return try RailsCookies.make(settings, encrypted: false)
    case TUILE_DIALECT_RAILS_ENCRYPTED: return try RailsCookies.make(settings, encrypted: true)
    case TUILE_DIALECT_GORILLA: return try GorillaSecureCookie.make(settings)
    case TUILE_DIALECT_RACK: return try RackSession.make(settings)
    case TUILE_DIALECT_COOKIE_RS_SIGNED: return try CookieRS.make(settings, isPrivate: false)
    case TUILE_DIALECT_COOKIE_RS_PRIVATE: return try CookieRS.make(settings, isPrivate: true)
    case TUILE_DIALECT_IRON_SESSION: return try IronSession.make(settings)
    case TUILE_DIALECT_SEALED: return try NativeToken.make(settings, sealed: true)
    case TUILE_DIALECT_SIGNED: return try NativeToken.make(settings, sealed: false)
    case TUILE_DIALECT_FERNET: return try Fernet.make(settings)
    case TUILE_DIALECT_TORNADO: return try TornadoSignedValue.make(settings)
    case TUILE_DIALECT_HONO: return try HonoCookie.make(settings)
    case TUILE_DIALECT_JWT: return try JSONWebToken.make(settings)
    case TUILE_DIALECT_LARAVEL: return try LaravelCookie.make(settings, gcm: false)
    case TUILE_DIALECT_LARAVEL_GCM: return try LaravelCookie.make(settings, gcm: true)
    case TUILE_DIALECT_AUTH_JS: return try AuthJSSession.make(settings)
    case TUILE_DIALECT_DATA_PROTECTION: return try DataProtection.make(settings)
    default: throw .argument("dialect is no tuile_dialect")
    }
  }
}
