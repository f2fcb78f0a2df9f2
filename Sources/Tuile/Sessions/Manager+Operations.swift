import CSystem
import CTuile

/// What administrators see and do: the log, a health check, clearing expired sessions.
extension Manager {
  private func tells(_ level: tuile_log_level) -> Bool {
    settings.config.log != nil && level.rawValue <= settings.config.log_level.rawValue
  }

  private func log(_ level: tuile_log_level, _ message: Bytes) {
    if tells(level) { settings.config.log?(settings.config.log_context, level, message.c) }
  }

  func log(_ level: tuile_log_level, _ message: StaticString) { log(level, Bytes(message)) }

  func log(_ level: tuile_log_level, _ failure: Failure) {
    guard tells(level) else { return }
    var text = ByteBuffer()
    text.append(failure.message)
    if let detail = failure.detail {
      text.append(": ")
      text.append(detail.text.bytes)
    }
    log(level, text.bytes)
  }

  func countBadSignature() {
    counters.badSignatures.increment()
    log(TUILE_LOG_WARNING, "stored session data or a session cookie had a signature of none of the keys")
  }

  func clearExpired(limit: Int) throws(Failure) -> Int {
    let present = now
    var removed = try reaching(.sweep) { (store) throws(Failure) in try store.sweep(now: present, limit: limit) }
    if let revocations {
      let left = limit &- removed
      removed =
        removed
        &+ (try reaching(.sweep) { (_) throws(Failure) in try revocations.store.sweep(now: present, limit: left) })
    }
    counters.swept.increment(by: removed)
    guard removed > 0, tells(TUILE_LOG_INFO) else { return removed }
    var text = ByteBuffer()
    text.append("expired sessions removed: ")
    Numbers.writeDecimal(Int64(removed), to: &text)
    log(TUILE_LOG_INFO, text.bytes)
    return removed
  }

  /// Writes, reads and removes a session that nobody knows.
  func check() throws(Failure) {
    let store = revocations?.store ?? store
    guard revocations != nil || keys.home.hasKeys else { return }
    do throws(Failure) {
      try check(store)
    } catch {
      // Whether that session is there is nobody's concern.
      guard error.status == TUILE_E_UNKNOWN else { throw error }
      throw Failure(status: TUILE_E_STORE, message: error.message, detail: error.detail)
    }
  }

  private func check(_ store: any Store) throws(Failure) {
    var arena = Arena(limit: 4096)
    let key = try keys.makeKey(in: &arena)
    let present = now
    let expires = present &+ 60_000_000
    var form = ByteBuffer()
    if keys.codec.layout != nil {
      try keys.codec.encode(Bytes("{}"), base: Bytes(), moment(now: present, expires: expires), to: &form)
    } else {
      form.append("{}")
    }
    guard !form.failed else { throw .memory }
    let data = form.bytes
    _ = try reaching(.create) { (_) throws(Failure) in
      try store.create(key, data: data, expires: expires, now: present)
    }
    var found = ByteBuffer()
    let loaded = try store.load(key, now: present, into: &found) != nil && found.bytes == data
    try reaching(.remove) { (_) throws(Failure) in try store.remove(key) }
    guard loaded else {
      throw Failure(status: TUILE_E_STORE, message: "the store does not give back what was just put there")
    }
  }
}

/// The background thread that clears expired sessions, if the host starts it.
final class Sweeper {
  private var mutex = sys_mutex()
  private var timer: OpaquePointer?
  private var work: Unmanaged<Work>?

  private final class Work {
    unowned(unsafe) let manager: Manager
    let limit: Int
    init(_ manager: Manager, _ limit: Int) {
      self.manager = manager
      self.limit = limit
    }
  }

  init() { sys_mutex_init(&mutex) }

  deinit { sys_mutex_destroy(&mutex) }

  /// In place of one that runs already.
  func start(_ manager: Manager, seconds: UInt32, limit: Int) throws(Failure) {
    let work = Unmanaged.passRetained(Work(manager, limit))
    let started = sys_timer_start(
      seconds,
      { context in
        guard let context else { return }
        let work = Unmanaged<Work>.fromOpaque(context).takeUnretainedValue()
        // A failure is counted and logged where it happens.
        _ = try? work.manager.clearExpired(limit: work.limit)
      }, work.toOpaque())
    guard let started else {
      work.release()
      throw Failure(status: TUILE_E_MEMORY, message: "no thread was to be had")
    }
    swap(started, work)
  }

  func stop() { swap(nil, nil) }

  /// Puts another thread in the place of the one that runs, and ends that. Not
  /// while the lock is held: it may be at work.
  private func swap(_ fresh: OpaquePointer?, _ freshWork: Unmanaged<Work>?) {
    sys_mutex_lock(&mutex)
    let (timer, work) = (timer, work)
    self.timer = fresh
    self.work = freshWork
    sys_mutex_unlock(&mutex)
    if let timer { sys_timer_stop(timer) }
    work?.release()
  }
}
