// Section 2: The manager
// One per application: configuration, keys and the store. All functions are safe from all
// threads, and in a child after fork(); tuile_manager_close once no other thread uses the
// manager.

import CTuile

/// Sets all fields to what TUILE_CONFIG_INIT sets.
///
/// Pass sizeof(tuile_config) as `size`: nothing beyond that is written, since an older
/// program has a shorter struct. Before 0.2 this function had no `size`.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
/// Since 0.1.
@_cdecl("tuile_config_init")
public func tuile_config_init(_ config: UnsafeMutablePointer<tuile_config>?, _ size: size_t) -> tuile_status {
  initialize(config, size)
}

/// Sets `cookie_age`, `lifetime` and `refresh` to the limits of a policy.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL, a struct of a size that no version has or an
/// unknown policy. Since 0.1.
@_cdecl("tuile_config_set_policy")
public func tuile_config_set_policy(
  _ config: UnsafeMutablePointer<tuile_config>?, _ policy: tuile_policy
) -> tuile_status {
  answering(nil) { () throws(Failure) in
    guard let config else { throw .argument("config is NULL") }
    var set = try tuile_config(given: config)
    // A shorter struct has no place for the limits.
    let end = MemoryLayout<tuile_config>.offset(of: \.cycle_grace) ?? Int.max
    guard config.pointee.size >= end else { throw .argument("the configuration has no lifetime and refresh") }
    let (idle, longest): (Int64, Int64)
    switch policy {
    case TUILE_POLICY_AAL2: (idle, longest) = (3600, 86400)
    case TUILE_POLICY_AAL3: (idle, longest) = (900, 43200)
    default: throw .argument("policy is no tuile_policy")
    }
    set.cookie_age = idle
    set.lifetime = longest
    set.refresh = idle / 60
    try set.store(in: config)
    return TUILE_OK
  }
}

/// Opens a manager. `*manager` is the caller's, to be closed with
/// tuile_manager_close.
///
/// The store is opened now, and its table made if it is missing. So a wrong path, a damaged
/// file, an unknown option, or a server that can't be reached, refuses the password or is
/// of another kind is reported here, and not at the first request. A Redis URL with
/// `open=lazy` opens without asking its server: then the first request does, or
/// tuile_manager_check.
///
/// With "cookie:" the session is kept in its cookie, as Django's signed_cookies
/// backend does; "cookie:sealed" encrypts it in Tuile's format, and "cookie:flask",
/// "cookie:starlette", "cookie:rails", "cookie:gorilla", "cookie:rack" and
/// "cookie:iron-session" share it with those frameworks. Such a session must fit
/// into 4096 octets, two requests at once can lose an update, and a logout takes
/// the cookie away but can't end a copy of it.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an invalid number or constant, a struct of
/// a size that no version has, no secret where the store needs one, or one under 32 bytes
/// without `allow_weak_secrets`; TUILE_E_SYNTAX, TUILE_E_LIMIT or TUILE_E_RULE as
/// tuile_set_cookie_write for the session cookie, and as tuile_store_open for the store's
/// URL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT, TUILE_E_MEMORY, TUILE_E_RANDOM. Since
/// 0.1.
@_cdecl("tuile_manager_open")
public func tuile_manager_open(
  _ config: UnsafePointer<tuile_config>?, _ manager: UnsafeMutablePointer<UnsafeMutablePointer<tuile_manager>?>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let config, let manager else { throw .argument("config or manager is NULL") }
    manager.pointee = Handle.give(try Manager.open(try tuile_config(given: config)))
    return TUILE_OK
  }
}

/// Closes a manager, and its store unless that came as `open_store`; wipes its
/// keys. NULL is fine. No session of it may be open. Since 0.1.
@_cdecl("tuile_manager_close")
public func tuile_manager_close(_ manager: UnsafeMutablePointer<tuile_manager>?) {
  guard let manager else { return }
  let object: Manager = Handle.take(manager)
  object.close()
}

/// Gives the manager new secrets. Requests that have begun keep the old ones until they
/// end.
///
/// Of the configuration only `secret`, `fallbacks` and `keyring` count: short secrets are
/// accepted if the manager was opened with `allow_weak_secrets`. To rotate, make the old
/// secret a fallback: what it signed is read, and signed anew when it is read; when
/// `old_secret_loads` in tuile_stats grows no more, nobody needs it. The old secrets are
/// wiped when the manager is closed.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, a struct of a size that no
/// version has, an empty keyring, or a secret under 32 bytes without
/// `allow_weak_secrets`; TUILE_E_LIMIT for more than 64 fallbacks; TUILE_E_MEMORY. After
/// an error the secrets are as they were. Since 0.1.
@_cdecl("tuile_manager_reload")
public func tuile_manager_reload(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ config: UnsafePointer<tuile_config>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let manager, let config else { throw .argument("manager or config is NULL") }
    let given = try tuile_config(given: config)
    let object: Manager = Handle.borrow(manager)
    object.replaceKeys(try object.keys.renewed(try secrets(given, object.settings), object.settings))
    object.log(TUILE_LOG_INFO, "the manager has new keys")
    return TUILE_OK
  }
}

/// nil if the configuration has none.
private func secrets(_ config: tuile_config, _ settings: Settings) throws(Failure) -> SecretList? {
  if let keyring = config.keyring { return try SecretList(Handle.borrow(keyring)) }
  if config.secret.size == 0, config.fallback_count == 0 { return nil }
  let list = try SecretList(secret: config.secret, fallbacks: config.fallbacks, count: config.fallback_count)
  if !settings.config.allow_weak_secrets { try list.checkStrength() }
  return list
}

extension Manager {
  /// Opens what a configuration of the C interface says.
  fileprivate static func open(_ config: tuile_config) throws(Failure) -> Manager {
    let settings = try Settings.make(config)
    let secrets = try secrets(config, settings)
    var store: any Store
    var kind: CookieKind?
    var previous: CookieKind?
    var revocations: Revocations?
    var moving: MovingStore?
    var layout: Layout?
    if let open = config.open_store {
      guard config.store.size == 0 else { throw .argument("both store and open_store are given") }
      let handle: StoreHandle = Handle.borrow(open)
      store = handle.store
      layout = handle.layout
    } else {
      let url = try StoreURL.check(config.store)
      guard !url.isEmpty else { throw .argument("no store is given") }
      try StoreURL.checkScheme(url)
      // Before the store makes its file.
      let needsSecret = try LayoutURL.needsSecret(url)
      let needsNone = url.hasPrefix(Bytes(MemoryStore.scheme)) || !needsSecret
      guard secrets != nil || needsNone else { throw .argument("the store needs a secret") }
      kind = try CookieKind.parse(url)
      if kind != nil {
        store = NoStore()
      } else {
        let opened = try StoreURL.openAny(url)
        (store, layout) = (opened.store, opened.layout)
      }
    }
    let ownsStore = config.open_store == nil
    do throws(Failure) {
      let before = try StoreURL.check(config.previous_store)
      let url = try StoreURL.check(config.revocations)
      previous = try CookieKind.parse(before)
      let keys = try ManagerKeys.make(
        secrets, ManagerKeys.Place(trusted: store.trusted, kind: kind, previous: previous, layout: layout), settings)
      guard layout == nil || settings.urlName == nil else {
        throw .argument("url_sessions can't be with a layout: a session ID in a URL is not signed")
      }
      if !before.isEmpty, previous == nil {
        guard ownsStore, kind == nil else { throw .argument("previous_store moves to a store that has a URL") }
        guard layout == nil else {
          throw .argument("previous_store is for stores without a layout")
        }
        let old = try StoreURL.openPlain(before)
        let both = MovingStore(new: store, old: old)
        (store, moving) = (both, both)
        guard old.trusted == store.trusted else { throw .argument("sessions can't move to or from memory:") }
      }
      if !url.isEmpty {
        guard let skew = keys.home.skew else { throw .argument("revocations are for sessions in cookies") }
        guard !url.hasPrefix(Bytes(CachedStore.scheme)) else {
          throw .argument("revocations can't be in a cached store: another server's would come late")
        }
        revocations = Revocations(
          store: try StoreURL.openPlain(url), age: settings.config.cookie_age &* 1_000_000,
          margin: skew &* 1_000_000 &+ Revocations.clocksApart)
      }
      try Forks.prepare()
      let manager = Manager(
        settings: settings, store: store, ownsStore: ownsStore, keys: keys, revocations: revocations,
        hashing: try SeededHash.make())
      moving?.reader = manager
      manager.logRemarks()
      return manager
    } catch {
      if ownsStore { store.close() }
      throw error
    }
  }
}
