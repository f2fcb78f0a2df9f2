import CSystem
import CTuile
import Synchronization

/// Keys that were written while the cache was away, so that it may have old copies of
/// them: marked by whoever asks it next, and by a thread that tries each second, so
/// that other processes, too, see no old copy for long. After `fresh` no copy of that
/// time counts any more.
final class UnmarkedKeys {
  private static let most = 1024
  private static let size = 256
  private var mutex = sys_mutex()
  private var keys = ByteBuffer()
  /// When the newest of them was written, by the monotonic clock.
  private var until: Int64 = 0
  /// More than are kept: until then the cache is not asked.
  private let hiddenUntil = Atomic<Int64>(0)
  private let used = Atomic<Bool>(false)
  private var settling = false
  private var timer: OpaquePointer?

  init() { sys_mutex_init(&mutex) }

  deinit { sys_mutex_destroy(&mutex) }

  var isUsed: Bool { used.load(ordering: .acquiring) }
  func hidesAll(now: Int64) -> Bool { now < hiddenUntil.load(ordering: .relaxed) }

  func add(_ key: Bytes, fresh: Int64, _ store: CachedStore) {
    let end = sys_monotonic_microseconds() &+ fresh
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    until = max(until, end)
    if key.count < UnmarkedKeys.size, keys.count < UnmarkedKeys.most &* 40 {
      keys.append(UInt8(truncatingIfNeeded: key.count))
      keys.append(key)
    }
    if key.count >= UnmarkedKeys.size || keys.count >= UnmarkedKeys.most &* 40 || keys.failed {
      hiddenUntil.store(end, ordering: .relaxed)
    }
    used.store(true, ordering: .releasing)
    guard timer == nil else { return }
    timer = sys_timer_start(
      1,
      { context in
        guard let context else { return }
        Unmanaged<CachedStore>.fromOpaque(context).takeUnretainedValue().tryAgain()
      }, Unmanaged.passUnretained(store).toOpaque())
  }

  /// Marks them; those that can't be are kept. false while another thread is at it.
  func settle(now: Int64, _ mark: (Bytes) throws(Failure) -> Void) throws(Failure) -> Bool {
    var taken = ByteBuffer()
    sys_mutex_lock(&mutex)
    if settling {
      sys_mutex_unlock(&mutex)
      return false
    }
    settling = true
    swap(&taken, &keys)
    let isOver = now >= until
    sys_mutex_unlock(&mutex)
    var at = 0
    do throws(Failure) {
      while !isOver, at < taken.count {
        let size = Int(taken.bytes[at])
        try mark(taken.bytes.slice(at &+ 1, at &+ 1 &+ size))
        at &+= 1 &+ size
      }
    } catch {
      sys_mutex_lock(&mutex)
      settling = false
      keys.append(taken.bytes.dropFirst(at))
      if keys.failed { hiddenUntil.store(until, ordering: .relaxed) }
      sys_mutex_unlock(&mutex)
      throw error
    }
    sys_mutex_lock(&mutex)
    settling = false
    let isDone = keys.count == 0
    if isDone, now >= hiddenUntil.load(ordering: .relaxed) { used.store(false, ordering: .relaxed) }
    sys_mutex_unlock(&mutex)
    return isDone
  }

  /// Nobody uses the store any more.
  func stop() {
    sys_mutex_lock(&mutex)
    let running = timer
    timer = nil
    sys_mutex_unlock(&mutex)
    if let running { sys_timer_stop(running) }
  }
}
