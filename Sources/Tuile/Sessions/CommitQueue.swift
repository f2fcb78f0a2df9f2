import CSystem
import CTuile
import Synchronization

/// Commits of one session that meet in this process: one at a time writes, the others
/// stand in line behind it, newcomers last, and where nothing of the host's runs in
/// between it writes their changes with its own (`Session+Turn.swift`). A line begins
/// with a conflict, and lasts a second longer than its last commit. It is advice and no
/// lock: every write still compares, so that whoever waits for too long goes alone, and
/// so does whoever would wait for its own thread (a store's callback that uses sessions,
/// a coroutine, a greenlet). A child of fork() begins without lines.
final class CommitQueue {
  /// Most commits that are written as one.
  static let mostTogether = 64
  /// A line without commits goes after so many microseconds.
  private static let warmth: Int64 = 1_000_000

  private var mutex = sys_mutex()
  /// How many lines there are, for those who need none.
  private let count = Atomic<Int>(0)
  private var first: Line?
  private var generation = sys_fork_generation()
  /// For so many milliseconds whoever leads may do without an answer of the store.
  private let patience: Int32
  /// Whether commits are written together.
  private let merges: Bool
  private let isOff: Bool

  init(_ store: any Store) {
    sys_mutex_init(&mutex)
    isOff = store.isInstant
    merges = !store.runsHostCode
    // A host's store may wait for what another commit's thread holds, such as a row.
    patience = merges ? 1000 : 250
  }

  deinit {
    while let line = first {
      first = line.next
      line.next = nil
    }
    sys_mutex_destroy(&mutex)
  }

  /// The commits of one session: `leader` has the turn.
  final class Line {
    fileprivate var key = ByteBuffer()
    fileprivate var next: Line?
    fileprivate var isListed = true
    fileprivate var leader: UInt?
    fileprivate var firstWaiting: Place?
    fileprivate var lastWaiting: Place?
    /// When the leader was last heard of, by the clock that nobody sets.
    fileprivate var heard: Int64
    /// What this process stored last under the key, its expiry, and when that was known.
    fileprivate(set) var handed = ByteBuffer()
    fileprivate(set) var handedExpires: Int64 = 0
    fileprivate(set) var handedAt: Int64 = .min

    fileprivate init(_ key: Bytes, now: Int64) {
      heard = now
      self.key.append(key)
    }
  }

  /// One commit in a line.
  final class Place {
    /// Whose thread waits, and touches nothing of it until it has its answer.
    unowned(unsafe) let session: Session
    var attempts: SessionData.Attempts
    fileprivate enum State { case waiting, taken, leads, alone, answered }
    fileprivate var state = State.waiting
    fileprivate let thread = sys_thread()
    fileprivate let mayMerge: Bool
    fileprivate var answer = Answer.deleted
    /// Behind it: in the line, then among those that the leader took.
    fileprivate(set) var next: Place?
    /// It stood behind another one.
    fileprivate(set) var hasWaited = false
    private var cancelling: Int32 = 0
    fileprivate var called = sys_gate()

    /// Until it goes its thread can't be cancelled: others wait for it.
    init(_ session: Session, mayMerge: Bool = true) {
      self.session = session
      self.mayMerge = mayMerge
      attempts = SessionData.Attempts(session.data)
      sys_gate_init(&called, 0)
      cancelling = sys_cancelling_off()
    }

    deinit { sys_gate_destroy(&called) }

    /// By its own thread, at the end of its commit.
    func end() { sys_cancelling_restore(cancelling) }

    fileprivate func call(_ state: State) {
      self.state = state
      sys_gate_leave(&called)
    }
  }

  /// What the leader writes with its own commit, in that order.
  struct Taken {
    fileprivate(set) var first: Place?
    fileprivate var last: Place?
    fileprivate var count = 0
  }

  enum Answer { case saved, deleted, failed(Failure) }

  enum Turn {
    /// Without the queue.
    case alone
    /// Until `leave`.
    case leads(Line)
    /// Whoever led has written it, or could not.
    case answered(Answer)
  }

  /// Whether some commit of some session may be in a line.
  var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

  /// Whether commits of that session may be in one.
  func hasLine(for key: Bytes) -> Bool {
    guard !isOff, !isEmpty else { return false }
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    var next = first
    while let line = next {
      if line.key.bytes == key { return true }
      next = line.next
    }
    return false
  }

  /// Waits for the turn. `met`: another commit of that session was first.
  func wait(_ place: Place, for key: Bytes, met: Bool) -> Turn {
    if isOff || isEmpty && !met { return .alone }
    sys_mutex_lock(&mutex)
    let now = sys_monotonic_microseconds()
    forgetParent()
    guard let line = find(key, now: now) ?? (met ? begin(key, now: now) : nil), line.leader != place.thread else {
      sys_mutex_unlock(&mutex)
      return .alone
    }
    if line.leader == nil {
      (line.leader, line.heard) = (place.thread, now)
      sys_mutex_unlock(&mutex)
      return .leads(line)
    }
    (place.state, place.hasWaited) = (.waiting, true)
    if let last = line.lastWaiting { last.next = place } else { line.firstWaiting = place }
    line.lastWaiting = place
    sys_mutex_unlock(&mutex)
    return stand(place, in: line)
  }

  private func stand(_ place: Place, in line: Line) -> Turn {
    var milliseconds = patience
    while !sys_gate_enter_within(&place.called, milliseconds) {
      sys_mutex_lock(&mutex)
      let quiet = (sys_monotonic_microseconds() &- line.heard) / 1000
      // What is taken is answered, however long that takes.
      if place.state == .waiting, quiet >= Int64(patience) { dissolve(line) }
      milliseconds = max(1, patience &- Int32(truncatingIfNeeded: max(0, min(quiet, Int64(patience)))))
      if place.state == .taken { milliseconds = patience }
      sys_mutex_unlock(&mutex)
    }
    // Whoever called it is done with it; the lock says so to ThreadSanitizer, which does not know what the gate waits with.
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    switch place.state {
    case .leads: return .leads(line)
    case .answered: return .answered(place.answer)
    case .waiting, .taken, .alone: return .alone
    }
  }

  /// Takes those that wait.
  func take(_ line: Line, for leader: Session, _ taken: inout Taken) {
    guard merges else { return }
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    while let place = line.firstWaiting, place.mayMerge, place.session.keys === leader.keys,
      taken.count < CommitQueue.mostTogether
    {
      line.firstWaiting = place.next
      if place.next == nil { line.lastWaiting = nil }
      (place.state, place.next) = (.taken, nil)
      if let last = taken.last { last.next = place } else { taken.first = place }
      (taken.last, taken.count) = (place, taken.count &+ 1)
    }
  }

  /// Answers one of them, which is behind `before`; nil: it has to try by itself.
  func drop(_ place: Place, behind before: Place?, _ answer: Answer?, _ taken: inout Taken) {
    sys_mutex_lock(&mutex)
    if let before { before.next = place.next } else { taken.first = place.next }
    if place.next == nil { taken.last = before }
    (place.next, taken.count) = (nil, taken.count &- 1)
    reply(place, answer)
    sys_mutex_unlock(&mutex)
  }

  /// The leader got an answer from the store.
  func hear(_ line: Line) {
    sys_mutex_lock(&mutex)
    line.heard = sys_monotonic_microseconds()
    sys_mutex_unlock(&mutex)
  }

  /// Ends the turn: those that were taken are saved. What is stored now goes to the
  /// next one, if that is known.
  func leave(_ line: Line, stored: Bytes? = nil, expires: Int64 = 0, _ taken: inout Taken) {
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    forgetParent()
    if line.isListed {
      let now = sys_monotonic_microseconds()
      line.handed.removeAll()
      if let stored { line.handed.append(stored) }
      line.handedAt = stored == nil || line.handed.failed ? .min : now
      (line.handedExpires, line.heard, line.leader) = (expires, now, nil)
      if let next = line.firstWaiting {
        line.firstWaiting = next.next
        if next.next == nil { line.lastWaiting = nil }
        next.next = nil
        line.leader = next.thread
        next.call(.leads)
      }
    }
    reply(&taken, .saved)
  }

  /// Ends the turn where there is nothing to write to: those that were taken get
  /// `answer`; whoever waits asks the store itself, all at once.
  func fail(_ line: Line, _ answer: Answer?, _ taken: inout Taken) {
    sys_mutex_lock(&mutex)
    forgetParent()
    dissolve(line)
    reply(&taken, answer)
    sys_mutex_unlock(&mutex)
  }

  // MARK: Under the mutex

  private func reply(_ taken: inout Taken, _ answer: Answer?) {
    while let place = taken.first {
      taken.first = place.next
      place.next = nil
      reply(place, answer)
    }
    taken = Taken()
  }

  private func reply(_ place: Place, _ answer: Answer?) {
    guard let answer else { return place.call(.alone) }
    place.answer = answer
    place.call(.answered)
  }

  private func find(_ key: Bytes, now: Int64) -> Line? {
    var before: Line?
    var next = first
    var found: Line?
    while let line = next {
      next = line.next
      if line.key.bytes == key {
        found = line
      } else if line.leader == nil, now &- line.heard > CommitQueue.warmth {
        if let before { before.next = line.next } else { first = line.next }
        (line.isListed, line.next) = (false, nil)
        count.wrappingSubtract(1, ordering: .relaxed)
        continue
      }
      before = line
    }
    return found
  }

  private func begin(_ key: Bytes, now: Int64) -> Line? {
    let line = Line(key, now: now)
    guard !line.key.failed else { return nil }
    line.next = first
    first = line
    count.wrappingAdd(1, ordering: .relaxed)
    return line
  }

  private func dissolve(_ line: Line) {
    guard line.isListed else { return }
    if first === line { first = line.next }
    var next = first
    while let other = next {
      if other.next === line { other.next = line.next }
      next = other.next
    }
    (line.isListed, line.next) = (false, nil)
    count.wrappingSubtract(1, ordering: .relaxed)
    var waiting = line.firstWaiting
    (line.firstWaiting, line.lastWaiting) = (nil, nil)
    while let place = waiting {
      waiting = place.next
      place.next = nil
      place.call(.alone)
    }
  }

  /// The threads that stood in the parent's lines are not here.
  private func forgetParent() {
    guard generation != sys_fork_generation() else { return }
    generation = sys_fork_generation()
    while let line = first {
      first = line.next
      (line.isListed, line.next, line.firstWaiting, line.lastWaiting) = (false, nil, nil, nil)
    }
    count.store(0, ordering: .relaxed)
  }
}
