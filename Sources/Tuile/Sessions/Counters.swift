import Synchronization

/// A count that many threads add to; it orders nothing else.
struct Counter: ~Copyable {
  private let count = Atomic<UInt64>(0)

  func increment(by number: Int = 1) { count.wrappingAdd(UInt64(truncatingIfNeeded: number), ordering: .relaxed) }
  var total: UInt64 { count.load(ordering: .relaxed) }
}

/// What `tuile_manager_stats` reports.
struct Counters: ~Copyable {
  let loads = Counter()
  let misses = Counter()
  let saves = Counter()
  let conflicts = Counter()
  let deletes = Counter()
  let badSignatures = Counter()
  let resurrectionsRefused = Counter()
  let storeFailures = Counter()
  let oldKeyLoads = Counter()
  let touches = Counter()
  let cookieBytes = Counter()
  let revoked = Counter()
  let swept = Counter()
}
