import CTuile

/// The one table of layouts: a layout more is a line in each of these two.
extension Layout {
  static let names: StaticString =
    "django, express (redis, postgresql, file), connect-redis, connect-pg-simple, session-file-store, php (redis, memcached, file), symfony, laravel (redis, memcached, file, sqlite, postgresql), django-cache, flask-session (redis, memcached, file, sqlite, postgresql), django-cached-db (sqlite, postgresql), django-redis, starsessions, aiohttp-session, redis-session-store, redis-actionpack, redis-rack (redis), rails-cache (redis, memcached), rack-dalli, mem-cache-store (memcached), activerecord-session-store (sqlite, postgresql)"

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
    case _ where name == Bytes("symfony"): made = Symfony(kind)
    case _ where name == Bytes("laravel"): made = Laravel(kind)
    case _ where name == Bytes("django-cache"):
      made =
        kind == .file
        ? DjangoFileCache() : kind.isTable ? DjangoTableCache() : DjangoCache(isOfDjangoRedis: false)
    case _ where name == Bytes("django-redis"): made = DjangoCache(isOfDjangoRedis: true)
    case _ where name == Bytes("flask-session"):
      made = kind == .file ? FlaskSessionFiles() : kind.isTable ? FlaskSessionTable() : FlaskSession()
    case _ where name == Bytes("starsessions"): made = StarSessions()
    case _ where name == Bytes("aiohttp-session"): made = AiohttpSession()
    case _ where name == Bytes("redis-session-store"): made = RedisSessionStore()
    case _ where name == Bytes("redis-actionpack"): made = RedisRack(isOfRails: true)
    case _ where name == Bytes("redis-rack"): made = RedisRack(isOfRails: false)
    case _ where name == Bytes("rails-cache"): made = RailsCache(kind)
    case _ where name == Bytes("activerecord-session-store"): made = ActiveRecordSessionStore()
    case _ where name == Bytes("rack-dalli"): made = Dalli(isOfRails: false)
    case _ where name == Bytes("mem-cache-store"): made = Dalli(isOfRails: true)
    default: return nil
    }
    return made.isFor(kind) ? made : nil
  }
}

extension Layout.Kind {
  var isTable: Bool { self == .sqlite || self == .postgresql }
}
