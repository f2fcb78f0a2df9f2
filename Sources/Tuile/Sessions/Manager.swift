import CSystem
import CTuile
import Synchronization

/// One per application: configuration, keys and store. Safe from all threads:
/// nothing but the counters and the keys changes once it is in use.
final class Manager {
  let settings: Settings
  let store: any Store
  let counters = Counters()
  let latency = Latency()
  let queue: CommitQueue
  /// What uses the store on threads of its own.
  let dependents = Dependents()
  /// Runs clear_expired by itself, if the host has it so.
  let sweeper = Sweeper()
  /// Of the names in sessions.
  let hashing: SeededHash
  private let ownsStore: Bool
  /// The newest ManagerKeys, retained; what came before hangs on it.
  private let newest: Atomic<UInt>
  private let listed = RecentKeys()
  /// Only with sessions in cookies.
  let revocations: Revocations?

  init(
    settings: Settings, store: any Store, ownsStore: Bool, keys: ManagerKeys, revocations: Revocations?,
    hashing: SeededHash
  ) {
    self.hashing = hashing
    self.revocations = revocations
    self.settings = settings
    self.store = store
    queue = CommitQueue(store)
    self.ownsStore = ownsStore
    newest = Atomic(UInt(bitPattern: Unmanaged.passRetained(keys).toOpaque()))
  }

  deinit { Manager.keys(newest.load(ordering: .acquiring)).release() }

  func close() {
    sweeper.stop()
    dependents.stopAll()
    if ownsStore { store.close() }
    revocations?.store.close()
  }

  private static func keys(_ address: UInt) -> Unmanaged<ManagerKeys> {
    // Made from an object's address, so never 0.
    .fromOpaque(UnsafeRawPointer(bitPattern: address).unsafelyUnwrapped)
  }

  /// Safe to take without a lock, since no keys go before the manager does.
  var keys: ManagerKeys { Manager.keys(newest.load(ordering: .acquiring)).takeUnretainedValue() }

  func replaceKeys(_ fresh: ManagerKeys) {
    let address = UInt(bitPattern: Unmanaged.passRetained(fresh).toOpaque())
    var old = newest.load(ordering: .acquiring)
    while true {
      fresh.previous = Manager.keys(old).takeUnretainedValue()
      let (exchanged, original) = newest.compareExchange(
        expected: old, desired: address, ordering: .acquiringAndReleasing)
      if exchanged { break }
      old = original
    }
    // The retain that came with the address moved to `previous`.
    Manager.keys(old).release()
  }

  /// Whether an owner's list was told of the session within this minute, by this process.
  func wasListed(_ key: Bytes) -> Bool { listed.contains(key, minute: now / 60_000_000) }
  func noteListed(_ key: Bytes) { listed.insert(key, minute: now / 60_000_000) }

  /// Unix microseconds.
  var now: Int64 {
    if let clock = settings.config.clock { return clock(settings.config.clock_context) }
    return sys_now_microseconds()
  }

  /// What the store has to say.
  func logRemarks() {
    while let remark = store.takeRemark() ?? revocations?.store.takeRemark() { log(TUILE_LOG_WARNING, remark) }
  }

  /// Calls the store, and counts, times and reports it. What is in this process's
  /// memory is not timed: a clock would cost as much.
  func reaching<Answer>(
    _ operation: Latency.Operation, _ call: (any Store) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    let began = store.trusted ? 0 : sys_monotonic_microseconds()
    defer {
      if began != 0 { latency.add(operation, sys_monotonic_microseconds() &- began) }
      logRemarks()
    }
    do {
      return try call(store)
    } catch {
      counters.storeFailures.increment()
      log(TUILE_LOG_ERROR, error)
      throw error
    }
  }
}
