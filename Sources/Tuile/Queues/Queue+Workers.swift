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

  /// Workers that take operations together at a time: one is at the store while the other
  /// one gets the next ones ready. More would only make each take fewer.
  private static let pair = 2
  /// Microseconds after which the store counts as slow, so that others go on beside those.
  private static let slow: Int64 = 20_000

  /// Wakes a worker; whether there is none to wake and another one may be started.
  func callWorker(for list: inout OperationList) -> Bool {
    // Whoever is at it comes back for what waits.
    if mostTogether > 1, list.workers &+ list.called >= Queue.pair,
      sys_monotonic_microseconds() &- list.begun < Queue.slow
    {
      return false
    }
    guard idle > 0 || started <= config.workers else { return false }
    list.called &+= 1
    return !wake()
  }

  /// Whether somebody had nothing to do.
  private func wake() -> Bool {
    guard idle > 0 else { return false }
    idle &-= 1
    sys_gate_leave(&called)
    return true
  }

  /// The next to be done, the oldest first. Changes leave one worker to those who only
  /// read: they wait for locks that nobody needs for reading.
  private func begin() -> Operation? {
    let mayChange = changes.workers < max(1, config.workers &- 1)
    guard let change = changes.nextNumber, mayChange else { return begin(&reads) }
    if let read = reads.nextNumber, read < change { return begin(&reads) }
    return begin(&changes)
  }

  private func begin(_ list: inout OperationList) -> Operation? {
    guard let first = list.begin(most: mostTogether) else { return nil }
    list.workers &+= 1
    list.begun = sys_monotonic_microseconds()
    list.called = max(0, list.called &- 1)
    return first
  }

  // MARK: The threads

  private func work() {
    sys_mutex_lock(&mutex)
    while true {
      guard let first = begin() else {
        if isStopping { break }
        (reads.called, changes.called) = (0, 0)
        idle &+= 1
        sys_mutex_unlock(&mutex)
        // Nothing to do: days are as good as for ever.
        while !sys_gate_enter_within(&called, Int32.max) {}
        sys_mutex_lock(&mutex)
        continue
      }
      let reads = first.work.reads
      work(first)
      if reads { self.reads.workers &-= 1 } else { changes.workers &-= 1 }
      guard event < 0, hasDone else { continue }
      sys_mutex_unlock(&mutex)
      _ = deliver()
      sys_mutex_lock(&mutex)
    }
    sys_mutex_unlock(&mutex)
  }

  /// Does one operation, or several. What takes longer than the others' is left to those
  /// who come. The lock is not taken for each: the host's loop wants it, too.
  private func work(_ first: Operation) {
    let isMany = first.follower != nil
    sys_mutex_unlock(&mutex)
    if isMany { makeAhead(first) }
    var next: Operation? = first
    while let operation = next {
      next = operation.follower
      if !isMany || operation.session?.isNearlyDone ?? false { operation.made = operation.run(manager) }
    }
    sys_mutex_lock(&mutex)
    var needsThread = false
    next = first
    while let operation = next {
      next = operation.follower
      operation.follower = nil
      if let made = operation.made {
        operation.made = nil
        finish(operation, made)
        continue
      }
      if operation.work.reads { reads.leave(operation) } else { changes.leave(operation) }
      if !wake() { needsThread = true }
    }
    guard needsThread, started <= config.workers else { return }
    sys_mutex_unlock(&mutex)
    startWorker()
    sys_mutex_lock(&mutex)
  }

  /// Asks the store what the operations begin with, all at once.
  private func makeAhead(_ first: Operation) {
    // A commit of what was not loaded begins with a load.
    for _ in Indices(2) {
      var calls: StoreCall?
      var last: StoreCall?
      var next: Operation? = first
      while let operation = next {
        next = operation.follower
        guard let call = operation.nextCall() else { continue }
        if let last { last.next = call } else { calls = call }
        last = call
      }
      guard let calls else { return }
      manager.reachTogether(calls)
      calls.each { $0.next = nil }
    }
  }

  private func finish(_ operation: Operation, _ outcome: Operation.Outcome) {
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
