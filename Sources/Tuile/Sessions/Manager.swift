import CSystem
import CTuile

/// One per application: configuration, keys and store. Safe from all threads:
/// nothing but the counters changes after init.
final class Manager {
  let settings: Settings
  let store: any Store
  let codec: Codec
  /// How sessions are written into their cookies; nil: a store keeps them.
  let cookieDialect: Dialect?
  let counters = Counters()
  private let ownsStore: Bool

  init(settings: Settings, store: any Store, ownsStore: Bool, codec: Codec, cookieDialect: Dialect?) {
    self.settings = settings
    self.store = store
    self.ownsStore = ownsStore
    self.codec = codec
    self.cookieDialect = cookieDialect
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
