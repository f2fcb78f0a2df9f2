import CSystem
import CTuile
import Synchronization

/// Calls that wait for a store, made by a few threads in place of the host's: given with
/// `add`, done by a worker (`Queue+Workers.swift`), and told to the host by `deliver`. Each
/// is answered once: with what it came to, or, at its deadline, with what is known of it.
///
/// All of it is under one lock, which nothing of the host's and no call of the store's runs
/// under. A child of fork() has no workers: the queue is of the process that opened it.
final class Queue: Dependent {
  let manager: Manager
  let config: tuile_queue_config
  private let generation = sys_fork_generation()
  /// Can be read from while something is to be delivered; -1 if workers deliver.
  let event: Int32
  /// No call of the store's is worth a worker.
  private let isInstant: Bool
  /// Operations whose calls the store makes at once; 1: none.
  let mostTogether: Int

  var mutex = sys_mutex()
  // Under it.
  var reads = OperationList()
  var changes = OperationList()
  /// Answered, and not delivered yet.
  private var firstDone: Operation?
  private unowned(unsafe) var lastDone: Operation?
  private var doneCount = 0
  /// Given, and not delivered yet.
  private var count = 0
  private var lastNumber: UInt64 = 0
  private(set) var isStopping = false

  var threads: UnsafeMutablePointer<sys_worker>
  /// Of `threads`; the first one keeps the time.
  var started = 0
  /// Workers that wait for something to do, at `called`.
  var idle = 0
  var called = sys_gate()
  /// Where the timekeeper waits, and until when; 0 while it looks by itself.
  var clock = sys_gate()
  var clockWakes: Int64 = 0

  static func make(_ manager: Manager, _ config: tuile_queue_config) throws(Failure) -> Queue {
    guard config.workers >= 1, config.workers <= 256 else { throw .argument("workers is not 1 to 256") }
    guard config.max_waiting >= 1 else { throw .argument("max_waiting is 0") }
    guard config.deadline >= 1, config.deadline <= 3_600_000 else { throw .argument("deadline is not 1 to 3600000") }
    try Forks.prepare()
    guard let room = malloc((config.workers &+ 1) &* MemoryLayout<sys_worker>.stride) else { throw .memory }
    let event = config.deliver_on_workers ? -1 : sys_event_make()
    guard config.deliver_on_workers || event >= 0 else {
      free(room)
      throw Failure(status: TUILE_E_FILE, message: "no descriptor was to be had", detail: .init(strerror(0 &- event)))
    }
    let queue = Queue(manager, config, event, room.assumingMemoryBound(to: sys_worker.self))
    do throws(Failure) {
      try queue.startFirst()
    } catch {
      queue.stop()
      throw error
    }
    manager.dependents.add(queue)
    return queue
  }

  private init(
    _ manager: Manager, _ config: tuile_queue_config, _ event: Int32, _ threads: UnsafeMutablePointer<sys_worker>
  ) {
    self.manager = manager
    self.config = config
    self.event = event
    self.threads = threads
    isInstant = (manager.store.isInstant || !manager.keys.home.hasKeys) && manager.revocations == nil
    mostTogether = manager.keys.home.hasKeys ? min(256, manager.store.mostTogether) : 1
    super.init()
    sys_mutex_init(&mutex)
    sys_gate_init(&called, 0)
    sys_gate_init(&clock, 0)
  }

  deinit {
    sys_gate_destroy(&clock)
    sys_gate_destroy(&called)
    sys_mutex_destroy(&mutex)
    if event >= 0 { sys_descriptor_close(event) }
    free(threads)
  }

  /// Of a parent of this process.
  var isParents: Bool { generation != sys_fork_generation() }

  // MARK: Given by the host

  /// Takes the operation, and its session with it until it is delivered. `tell` gets its
  /// number, before anybody can answer it.
  func add(_ operation: Operation, _ tell: (UInt64) -> Void) throws(Failure) {
    guard !isParents else { throw .argument("the queue is the parent's: a child of fork() opens one of its own") }
    guard operation.session.map({ $0.manager === manager }) ?? true else {
      throw .argument("the session is of another manager than the queue")
    }
    if let session = operation.session, session.isQueued.exchange(true, ordering: .acquiring) { throw .queued }
    do throws(Failure) {
      try addTaken(operation, tell)
    } catch {
      operation.session?.isQueued.store(false, ordering: .releasing)
      throw error
    }
  }

  private func addTaken(_ operation: Operation, _ tell: (UInt64) -> Void) throws(Failure) {
    let isImmediate = isInstant || operation.isImmediate()
    sys_mutex_lock(&mutex)
    if isStopping || count >= config.max_waiting {
      let stopping = isStopping
      sys_mutex_unlock(&mutex)
      if stopping { throw .argument("the queue's manager is closed") }
      throw Failure(status: TUILE_E_BUSY, message: "as many operations wait in the queue as may")
    }
    count &+= 1
    lastNumber &+= 1
    operation.number = lastNumber
    tell(lastNumber)
    if isImmediate {
      sys_mutex_unlock(&mutex)
      let outcome = operation.run(manager)
      sys_mutex_lock(&mutex)
      answer(operation, outcome)
      sys_mutex_unlock(&mutex)
      return
    }
    operation.deadline = sys_monotonic_microseconds() &+ Int64(config.deadline) &* 1000
    if operation.work.reads { reads.append(operation) } else { changes.append(operation) }
    if operation.deadline < clockWakes { wakeTimekeeper() }
    let needsThread = operation.work.reads ? callWorker(for: &reads) : callWorker(for: &changes)
    sys_mutex_unlock(&mutex)
    // There is one at least: without another it takes longer.
    if needsThread { startWorker() }
  }

  /// Whether it had not begun, and now never will.
  func cancel(_ number: UInt64) -> tuile_status {
    guard !isParents else { return TUILE_E_ARGUMENT }
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    guard let operation = reads.find(number) ?? changes.find(number) else { return TUILE_ABSENT }
    guard operation.state == .waiting else { return TUILE_CONFLICT }
    take(operation)
    answer(operation, Operation.Outcome(Operation.cancelled))
    return TUILE_OK
  }

  // MARK: Under the lock

  /// Out of its list, where it stands for as long as it has no answer.
  func take(_ operation: Operation) {
    if operation.work.reads { reads.remove(operation) } else { changes.remove(operation) }
  }

  /// Puts one that is in no list among those to be delivered.
  func answer(_ operation: Operation, _ outcome: Operation.Outcome, byWorker: Bool = false) {
    operation.state = .answered
    operation.outcome = outcome
    let wasEmpty = firstDone == nil
    if let lastDone { lastDone.next = operation } else { firstDone = operation }
    lastDone = operation
    doneCount &+= 1
    guard wasEmpty else { return }
    if event >= 0 { sys_event_set(event) } else if !byWorker { wakeTimekeeper() }
  }

  private func wakeTimekeeper() {
    guard clockWakes > 0 else { return }
    clockWakes = 0
    sys_gate_leave(&clock)
  }

  private func takeDone() -> Operation? {
    guard let operation = firstDone else { return nil }
    firstDone = operation.next
    if firstDone == nil { lastDone = nil }
    operation.next = nil
    operation.isDelivered = true
    doneCount &-= 1
    count &-= 1
    return operation
  }

  // MARK: Delivered to the host

  /// Calls the completions of those that are answered now; how many.
  func deliver() -> Int {
    if event >= 0 { sys_event_clear(event) }
    sys_mutex_lock(&mutex)
    var left = doneCount
    var delivered = 0
    // One by one: a completion may close the queue, which delivers the others.
    while left > 0, let operation = takeDone() {
      let isRunning = operation.isRunning
      sys_mutex_unlock(&mutex)
      deliver(operation, isRunning)
      delivered &+= 1
      left &-= 1
      sys_mutex_lock(&mutex)
    }
    if event >= 0, firstDone != nil { sys_event_set(event) }
    sys_mutex_unlock(&mutex)
    return delivered
  }

  var hasDone: Bool { firstDone != nil }

  private func deliver(_ operation: Operation, _ isRunning: Bool) {
    guard let outcome = operation.outcome, let complete = operation.host.complete else { return }
    // Of one that runs its worker says when.
    if !isRunning { operation.session?.isQueued.store(false, ordering: .releasing) }
    giveResults(operation, outcome)
    guard let failure = outcome.failure, failure.status.rawValue < 0 else {
      return complete(operation.host.context, outcome.status, nil)
    }
    var error = tuile_error()
    complete(operation.host.context, report(failure, &error), &error)
  }

  private func giveResults(_ operation: Operation, _ outcome: Operation.Outcome) {
    let host = operation.host
    if let revoked = outcome.revoked { host.revoked?.pointee = revoked }
    if let owned = outcome.owned, let receive = host.receive {
      manager.show(owned, current: operation.session, receive, host.resultContext)
    }
    guard let addHeader = host.addHeader else { return }
    var next = outcome.firstHeader
    while let header = next {
      next = header.next
      guard addHeader(host.resultContext, Bytes(header.name).c, header.value.bytes.c) != TUILE_OK else { continue }
      if outcome.failure == nil {
        outcome.fail(Failure(status: TUILE_E_CALLBACK, message: "add_header refused a header"))
      }
      return
    }
  }

  // MARK: The end

  /// Cancels what has not begun, and waits for the rest. The completions of both come with
  /// the next `deliver`.
  override func stop() {
    guard !isParents else { return }
    sys_mutex_lock(&mutex)
    let isFirst = !isStopping
    isStopping = true
    while let operation = reads.firstWaiting ?? changes.firstWaiting {
      take(operation)
      answer(operation, Operation.Outcome(Operation.cancelled))
    }
    let started = started
    sys_mutex_unlock(&mutex)
    guard isFirst else { return }
    sys_gate_leave(&clock)
    for _ in Indices(started) { sys_gate_leave(&called) }
    for i in Indices(started) { sys_worker_join(threads + i) }
  }

  /// Every completion is called before this returns, by this thread or a worker's.
  func close() {
    guard !isParents else { return }
    manager.dependents.remove(self)
    stop()
    while deliver() > 0 {}
  }
}

extension Failure {
  /// Of the host's use of a session that it has given away.
  static var queued: Failure {
    Failure(status: TUILE_E_BUSY, message: "a queue has the session until it has called the completion")
  }
}
