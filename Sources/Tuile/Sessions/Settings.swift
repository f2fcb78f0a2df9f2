import CSystem
import CTuile

/// What of `tuile_config` is needed at every request; its text is copied.
final class Settings {
  private let text: UnsafeMutablePointer<UInt8>
  /// Its numbers, switches, constants and functions. What it points to is the caller's, and
  /// is taken out.
  let config: tuile_config
  let cookieName: Bytes
  let cookieDomain: Bytes
  let cookiePath: Bytes
  let cookieSameSite: SetCookie.SameSite
  /// The parameter of URLs that may hold a key; nil: none may.
  let urlName: Bytes?
  /// The cookie's name where sessions were kept before.
  let previousCookie: Bytes
  /// nil: sessions are not bound to devices.
  private(set) var device: DeviceSettings?

  /// Django's, in seconds. What another framework wrote without a time can't be
  /// known to be younger than a shorter one.
  static let standardAge: Int64 = 1_209_600

  /// Checks a configuration and takes over what it says. Not an init, since
  /// Embedded Swift leaks an object whose init throws halfway.
  static func make(_ config: tuile_config) throws(Failure) -> Settings {
    guard let name = Bytes(config.cookie_name), let domain = Bytes(config.cookie_domain),
      let path = Bytes(config.cookie_path), let urlName = Bytes(config.url_name),
      let previousCookie = Bytes(config.previous_cookie)
    else { throw .argument("a view of the configuration is NULL and has a size") }
    guard let sameSite = SetCookie.SameSite(config.cookie_same_site) else {
      throw .argument("cookie_same_site is no tuile_same_site")
    }
    guard CookieRule(config.cookie_rule, standard: .django) != nil else {
      throw .argument("cookie_rule is no tuile_cookie_rule")
    }
    let skipped = SetCookie.Rules(rawValue: config.cookie_skip_rules)
    guard skipped.isSubset(of: .all) else { throw .argument("cookie_skip_rules has a bit that is no tuile_rule") }
    guard config.max_data > 0, config.max_data <= Dialect.largest else {
      throw .argument("max_data is not between 1 byte and 64 MiB")
    }
    guard config.cookie_age >= 0, config.cookie_age <= Expiry.longest else {
      throw .argument("cookie_age is not between 0 and the year 9999")
    }
    let seconds = 0...Expiry.longest
    guard seconds.contains(config.lifetime), seconds.contains(config.refresh), seconds.contains(config.cycle_grace)
    else { throw .argument("lifetime, refresh or cycle_grace is negative or past the year 9999") }
    guard config.max_owned >= 0, config.max_owned <= Owner.mostSessions else {
      throw .argument("max_owned is over 10000")
    }
    let longest = SetCookie.largestPair
    if config.url_sessions {
      guard !urlName.isEmpty else { throw .argument("url_name is empty") }
      try URLParameter.check(urlName)
    }
    guard name.count <= longest, domain.count <= longest, path.count <= longest, urlName.count <= longest,
      previousCookie.count <= longest
    else { throw .limit("a name, domain or path of the configuration is too long") }
    let size = name.count &+ domain.count &+ path.count &+ urlName.count &+ previousCookie.count
    guard let raw = malloc(max(1, size)) else { throw .memory }
    let settings = Settings(
      config, text: raw.assumingMemoryBound(to: UInt8.self), sameSite,
      Names(cookie: name, domain: domain, path: path, url: urlName, previousCookie: previousCookie))
    var sample = settings.cookie
    sample.value = Bytes("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
    guard !name.isEmpty else { throw .syntax("the session cookie has no name") }
    try sample.check(skipping: skipped)
    settings.device = try DeviceSettings.make(config, settings.cookie)
    return settings
  }

  /// The caller's text.
  private struct Names {
    let cookie, domain, path, url, previousCookie: Bytes
  }

  private init(
    _ config: tuile_config, text: UnsafeMutablePointer<UInt8>, _ sameSite: SetCookie.SameSite, _ names: Names
  ) {
    self.text = text
    var next = text
    func keep(_ bytes: Bytes) -> Bytes {
      next.copy(bytes)
      defer { next += bytes.count }
      return Bytes(next, bytes.count)
    }
    urlName = config.url_sessions ? keep(names.url) : nil
    cookieName = keep(names.cookie)
    previousCookie = names.previousCookie.isEmpty ? cookieName : keep(names.previousCookie)
    cookieDomain = keep(names.domain)
    cookiePath = keep(names.path)
    cookieSameSite = sameSite
    self.config = Settings.plain(config)
  }

  private static func plain(_ config: tuile_config) -> tuile_config {
    let none = tuile_bytes()
    var plain = config
    (plain.secret, plain.fallbacks, plain.fallback_count, plain.keyring) = (none, nil, 0, nil)
    (plain.store, plain.open_store, plain.previous_store, plain.revocations) = (none, nil, none, none)
    (plain.cookie_name, plain.cookie_domain, plain.cookie_path) = (none, none, none)
    (plain.previous_cookie, plain.url_name, plain.device_path) = (none, none, none)
    return plain
  }

  deinit { free(text) }

  /// The session cookie without its value and age.
  var cookie: SetCookie {
    var cookie = SetCookie()
    cookie.name = cookieName
    cookie.domain = cookieDomain
    cookie.path = cookiePath
    cookie.sameSite = cookieSameSite
    cookie.secure = config.cookie_secure
    cookie.httpOnly = config.cookie_http_only
    cookie.partitioned = config.cookie_partitioned
    return cookie
  }
}

extension Settings {
  /// The session's key in a URL, if it may be there.
  func key(in url: Bytes) -> Bytes? {
    guard let urlName, !url.isEmpty else { return nil }
    return URLParameter(url: url, place: .path).value(of: urlName)
      ?? URLParameter(url: url, place: .query).value(of: urlName)
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
