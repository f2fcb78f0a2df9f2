import CSystem
import CTuile

/// One per application: configuration, keys and store. Safe from all threads:
/// nothing but the counters changes after init.
final class Manager {
  let settings: Settings
  let store: any Store
  let codec: Codec
  let counters = Counters()
  private let ownsStore: Bool

  init(settings: Settings, store: any Store, ownsStore: Bool, codec: Codec) {
    self.settings = settings
    self.store = store
    self.ownsStore = ownsStore
    self.codec = codec
  }

  func close() { if ownsStore { store.close() } }

  /// Unix microseconds.
  var now: Int64 {
    if let clock = settings.clock { return clock(settings.clockContext) }
    return sys_now_microseconds()
  }

  func clearExpired(limit: Int) throws(Failure) -> Int {
    let present = now
    return try reaching { (store) throws(Failure) in try store.sweep(now: present, limit: limit) }
  }

  /// Calls the store and counts its failures.
  func reaching<Answer>(_ call: (any Store) throws(Failure) -> Answer) throws(Failure) -> Answer {
    do {
      return try call(store)
    } catch {
      counters.storeFailures.increment()
      throw error
    }
  }
}

/// What of `tuile_config` is needed at every request; its text is copied.
final class Settings {
  private let text: UnsafeMutablePointer<UInt8>
  let cookieName: Bytes
  let cookieDomain: Bytes
  let cookiePath: Bytes
  let cookieAge: Int64
  let cookieSameSite: SetCookie.SameSite
  let cookieSecure: Bool
  let cookieHTTPOnly: Bool
  let cookiePartitioned: Bool
  let expireAtBrowserClose: Bool
  let saveEveryRequest: Bool
  let maxData: Int
  let clock: tuile_clock?
  let clockContext: UnsafeMutableRawPointer?

  init(_ config: tuile_config) throws(Failure) {
    guard let name = Bytes(config.cookie_name), let domain = Bytes(config.cookie_domain),
      let path = Bytes(config.cookie_path)
    else { throw .argument("a view of the configuration is NULL and has a size") }
    guard let sameSite = SetCookie.SameSite(config.cookie_same_site) else {
      throw .argument("cookie_same_site is no tuile_same_site")
    }
    guard config.max_data > 0, config.max_data <= Signer.largest else {
      throw .argument("max_data is not between 1 byte and 64 MiB")
    }
    guard config.cookie_age >= 0, config.cookie_age <= Expiry.longest else {
      throw .argument("cookie_age is not between 0 and the year 9999")
    }
    guard name.count <= SetCookie.largestPair, domain.count <= SetCookie.largestPair,
      path.count <= SetCookie.largestPair
    else { throw .limit("a name, domain or path of the configuration is too long") }
    guard let raw = malloc(max(1, name.count &+ domain.count &+ path.count)) else { throw .memory }
    text = raw.assumingMemoryBound(to: UInt8.self)
    var next = text
    func keep(_ bytes: Bytes) -> Bytes {
      next.update(from: bytes.start, count: bytes.count)
      defer { next += bytes.count }
      return Bytes(next, bytes.count)
    }
    cookieName = keep(name)
    cookieDomain = keep(domain)
    cookiePath = keep(path)
    cookieAge = config.cookie_age
    cookieSameSite = sameSite
    cookieSecure = config.cookie_secure
    cookieHTTPOnly = config.cookie_http_only
    cookiePartitioned = config.cookie_partitioned
    expireAtBrowserClose = config.expire_at_browser_close
    saveEveryRequest = config.save_every_request
    maxData = config.max_data
    clock = config.clock
    clockContext = config.clock_context
    var sample = cookie
    sample.value = Bytes("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
    try sample.check()
  }

  deinit { free(text) }

  /// The session cookie without its value and age.
  var cookie: SetCookie {
    var cookie = SetCookie()
    cookie.name = cookieName
    cookie.domain = cookieDomain
    cookie.path = cookiePath
    cookie.sameSite = cookieSameSite
    cookie.secure = cookieSecure
    cookie.httpOnly = cookieHTTPOnly
    cookie.partitioned = cookiePartitioned
    return cookie
  }
}

extension SetCookie.SameSite {
  init?(_ value: tuile_same_site) {
    switch value {
    case TUILE_SAME_SITE_UNSET: self = .unset
    case TUILE_SAME_SITE_LAX: self = .lax
    case TUILE_SAME_SITE_STRICT: self = .strict
    case TUILE_SAME_SITE_NONE: self = .none
    default: return nil
    }
  }
}
