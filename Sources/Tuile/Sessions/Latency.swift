import Synchronization

/// How long the calls of a store take: for each operation a histogram whose
/// buckets end at powers of two microseconds.
final class Latency {
  enum Operation: Int {
    case load, create, replace, touch, remove, sweep, put, own, owned, disown
    static let count = 10

    var name: StaticString {
      switch self {
      case .load: return "load"
      case .create: return "create"
      case .replace: return "replace"
      case .touch: return "touch"
      case .remove: return "remove"
      case .sweep: return "sweep"
      case .put: return "put"
      case .own: return "own"
      case .owned: return "owned"
      case .disown: return "disown"
      }
    }
  }

  /// The last one has no end.
  static let buckets = 24
  private static let width = buckets + 1
  /// For each operation its buckets, then the sum of all times.
  private let cells: UnsafeMutablePointer<Atomic<UInt64>>

  init() {
    let count = Operation.count &* Latency.width
    cells = .allocate(capacity: count)
    for i in Indices(count) {
      (cells + i).initialize(to: Atomic(0))
    }
  }

  // Atomic integers have nothing to deinitialize, and Swift 6.2 crashes on it.
  deinit {
    cells.deallocate()
  }

  func add(_ operation: Operation, _ microseconds: Int64) {
    let time = UInt64(max(0, microseconds))
    // The first bucket whose end, 2^i, is not below.
    let bucket = time <= 1 ? 0 : min(Latency.buckets &- 1, 64 &- (time &- 1).leadingZeroBitCount)
    let first = operation.rawValue &* Latency.width
    cells[first &+ bucket].wrappingAdd(1, ordering: .relaxed)
    cells[first &+ Latency.buckets].wrappingAdd(time, ordering: .relaxed)
  }

  func calls(_ operation: Operation, bucket: Int) -> UInt64 {
    cells[operation.rawValue &* Latency.width &+ min(max(0, bucket), Latency.buckets &- 1)].load(ordering: .relaxed)
  }

  /// Microseconds of all calls together.
  func sum(_ operation: Operation) -> UInt64 {
    cells[operation.rawValue &* Latency.width &+ Latency.buckets].load(ordering: .relaxed)
  }
}
