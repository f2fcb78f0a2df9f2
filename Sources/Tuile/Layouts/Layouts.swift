import CTuile

/// The one table of layouts: a layout more is a line in each of these two.
extension Layout {
  static let names: StaticString =
    "django, express (redis, postgresql, file), connect-redis, connect-pg-simple, session-file-store, php, laravel (redis, file), django-cache, django-redis, flask-session (redis)"

  /// nil: there is no such layout, or not for that kind of store. `django` is what a URL
  /// without a layout means.
  static func make(_ name: Bytes, for kind: Kind) -> Layout? {
    let made: Layout
    switch name {
    case _ where name == Bytes("express"): made = kind == .file ? ExpressFiles() : Express()
    case _ where name == Bytes("connect-redis"): made = Express(only: .redis)
    case _ where name == Bytes("connect-pg-simple"): made = Express(only: .postgresql)
    case _ where name == Bytes("session-file-store"): made = ExpressFiles()
    case _ where name == Bytes("php"): made = PHPLayout()
    case _ where name == Bytes("laravel"): made = Laravel(kind)
    case _ where name == Bytes("django-cache"): made = DjangoCache(isOfDjangoRedis: false)
    case _ where name == Bytes("django-redis"): made = DjangoCache(isOfDjangoRedis: true)
    case _ where name == Bytes("flask-session"): made = FlaskSession()
    default: return nil
    }
    return made.isFor(kind) ? made : nil
  }
}
