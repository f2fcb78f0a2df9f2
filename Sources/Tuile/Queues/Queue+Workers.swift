import CSystem
import CTuile
import Synchronization

/// The threads of a queue: one that keeps the time, and workers. Each keeps the queue until
/// it ends.
extension Queue {
  typealias Run = @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?

  /// The timekeeper and one worker: what is given later is done by them at least.
  func startFirst() throws(Failure) {
    let clock: Run = { context in
      if let context { Unmanaged<Queue>.fromOpaque(context).takeRetainedValue().keepTime() }
      return nil
    }
    guard start(clock), startWorker() else {
      throw Failure(status: TUILE_E_MEMORY, message: "no thread was to be had")
    }
  }

  @discardableResult
  func startWorker() -> Bool {
    start { context in
      if let context { Unmanaged<Queue>.fromOpaque(context).takeRetainedValue().work() }
      return nil
    }
  }

  /// Under the lock, so that whoever stops knows all threads.
  private func start(_ run: Run) -> Bool {
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    guard !isStopping, started <= config.workers else { return false }
    let queue = Unmanaged.passRetained(self)
    guard sys_worker_start(threads + started, run, queue.toOpaque()) else {
      queue.release()
      return false
    }
    started &+= 1
    return true
  }

  // MARK: Under the lock

  /// Wakes a worker; whether there is none to wake and another one may be started.
  func callWorker() -> Bool {
    guard idle == 0 else {
      idle &-= 1
      sys_gate_leave(&called)
      return false
    }
    return started <= config.workers
  }

  /// The next to be done, the oldest first. Changes leave one worker to those who only
  /// read: they wait for locks that nobody needs for reading.
  private func begin() -> Operation? {
    let mayChange = changing < max(1, config.workers &- 1)
    guard let change = changes.firstWaiting, mayChange else { return reads.begin() }
    if let read = reads.firstWaiting, read.number < change.number { return reads.begin() }
    changing &+= 1
    return changes.begin()
  }

  // MARK: The threads

  private func work() {
    sys_mutex_lock(&mutex)
    while true {
      guard let operation = begin() else {
        if isStopping { break }
        idle &+= 1
        sys_mutex_unlock(&mutex)
        // Nothing to do: days are as good as for ever.
        while !sys_gate_enter_within(&called, Int32.max) {}
        sys_mutex_lock(&mutex)
        continue
      }
      sys_mutex_unlock(&mutex)
      let outcome = wasLeft(operation) ? Operation.Outcome(Operation.cancelled) : operation.run(manager)
      sys_mutex_lock(&mutex)
      finish(operation, outcome)
      guard event < 0, hasDone else { continue }
      sys_mutex_unlock(&mutex)
      _ = deliver()
      sys_mutex_lock(&mutex)
    }
    sys_mutex_unlock(&mutex)
  }

  /// The host has ended its session meanwhile.
  private func wasLeft(_ operation: Operation) -> Bool {
    operation.session?.isEnded.load(ordering: .acquiring) ?? false
  }

  private func finish(_ operation: Operation, _ outcome: Operation.Outcome) {
    if !operation.work.reads { changing &-= 1 }
    operation.isRunning = false
    guard operation.state == .begun else {
      // Its deadline was first: who was told has the session back from here on.
      if operation.isDelivered { operation.session?.isQueued.store(false, ordering: .releasing) }
      return
    }
    take(operation)
    answer(operation, outcome, byWorker: true)
  }

  /// Answers what is late; delivers, if that is for workers, what none of them has.
  private func keepTime() {
    sys_mutex_lock(&mutex)
    while !isStopping {
      let now = sys_monotonic_microseconds()
      while let operation = oldest, operation.deadline <= now {
        let late = operation.late()
        take(operation)
        answer(operation, Operation.Outcome(late))
      }
      if event < 0, hasDone {
        sys_mutex_unlock(&mutex)
        _ = deliver()
        sys_mutex_lock(&mutex)
        continue
      }
      clockWakes = oldest?.deadline ?? .max
      let milliseconds = clockWakes == .max ? Int64(Int32.max) : max(1, (clockWakes &- now &+ 999) / 1000)
      sys_mutex_unlock(&mutex)
      _ = sys_gate_enter_within(&clock, Int32(truncatingIfNeeded: min(milliseconds, Int64(Int32.max))))
      sys_mutex_lock(&mutex)
      clockWakes = 0
    }
    sys_mutex_unlock(&mutex)
  }

  private var oldest: Operation? {
    guard let read = reads.first else { return changes.first }
    guard let change = changes.first, change.number < read.number else { return read }
    return change
  }
}
