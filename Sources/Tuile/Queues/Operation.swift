import CTuile
import Synchronization

/// One call that was given to a queue.
final class Operation {
  enum Work {
    case load
    case commit(httpStatus: Int32)
    case flush
    case sessions
    case revoke
    case revokeAll

    /// It changes nothing in the store.
    var reads: Bool {
      switch self {
      case .load, .sessions: return true
      default: return false
      }
    }
  }

  /// What the host is told, and how.
  struct Host {
    var complete: tuile_complete?
    var context: UnsafeMutableRawPointer?
    var addHeader: tuile_add_header?
    var receive: tuile_receive_owned_session?
    var revoked: UnsafeMutablePointer<size_t>?
    /// Given to `addHeader` or `receive`.
    var resultContext: UnsafeMutableRawPointer?
  }

  enum State {
    /// Nobody has begun with it: it can be cancelled.
    case waiting
    /// A worker has it.
    case begun
    /// Its answer is known, which need not be what a worker will have done.
    case answered
  }

  let work: Work
  /// Kept while this is here, whatever the host does.
  let session: Session?
  let host: Host
  /// Of an owner's calls.
  var owner = ByteBuffer()
  var id = ByteBuffer()

  // Under the queue's lock.
  var state = State.waiting
  /// A worker has not come back from it.
  var isRunning = false
  /// The host was told.
  var isDelivered = false
  var number: UInt64 = 0
  /// By the clock that nobody sets.
  var deadline: Int64 = 0
  /// Behind it among those without an answer, then among those with one.
  var next: Operation?
  unowned(unsafe) var before: Operation?
  /// Behind it among those that one worker began with, or left to others.
  var follower: Operation?
  /// What it came to, until its worker has the lock.
  var made: Outcome?
  var outcome: Outcome?

  init(_ work: Work, _ session: Session?, _ host: Host) {
    self.work = work
    self.session = session
    self.host = host
  }

  /// What a call came to.
  final class Outcome {
    var status = TUILE_OK
    var failure: Failure?
    fileprivate(set) var firstHeader: Header?
    private var lastHeader: Header?
    var owned: Manager.OwnedSessions?
    var revoked: Int?

    init() {}

    convenience init(_ failure: Failure) {
      self.init()
      fail(failure)
    }

    func fail(_ failure: Failure) {
      self.failure = failure
      status = failure.status
    }

    func add(_ name: StaticString, _ value: Bytes) throws(Failure) {
      let header = Header(name)
      header.value.append(value)
      guard !header.value.failed else { throw .memory }
      if let lastHeader { lastHeader.next = header } else { firstHeader = header }
      lastHeader = header
    }
  }

  /// Of a response, until the host gets it.
  final class Header {
    let name: StaticString
    var value = ByteBuffer()
    fileprivate(set) var next: Header?
    init(_ name: StaticString) { self.name = name }
  }

  // MARK: Doing it

  /// Whether its first call may be made with those of others.
  var goesTogether: Bool {
    switch work {
    case .load, .commit: return true
    default: return false
    }
  }

  /// That call; nil: there is none, or its answer has come already.
  func nextCall() -> StoreCall? {
    guard !wasEnded else { return nil }
    switch work {
    case .load: return session?.callForLoad()
    case .commit(let httpStatus): return session?.callForCommit(httpStatus: httpStatus)
    default: return nil
    }
  }

  /// The host has ended its session meanwhile.
  private var wasEnded: Bool { session?.isEnded.load(ordering: .acquiring) ?? false }

  /// The call itself, which waits for the store.
  func run(_ manager: Manager) -> Outcome {
    if session?.ahead == nil, wasEnded { return Outcome(Operation.cancelled) }
    let outcome = Outcome()
    do throws(Failure) {
      outcome.status = try call(manager, outcome)
      try session?.forgetAhead()
    } catch {
      outcome.fail(error)
      session?.ahead = nil
    }
    return outcome
  }

  private func call(_ manager: Manager, _ outcome: Outcome) throws(Failure) -> tuile_status {
    switch work {
    case .load: return try session?.found() ?? TUILE_ABSENT
    case .commit(let httpStatus):
      let committed = try session?.commit(httpStatus: httpStatus) { (name, value) throws(Failure) in
        try outcome.add(name, value)
      }
      return committed == .deleted ? TUILE_DELETED : TUILE_OK
    case .flush: try session?.flush()
    case .sessions: outcome.owned = try manager.sessions(of: owner.bytes)
    case .revoke: return try manager.revoke(id.bytes, of: owner.bytes) ? TUILE_OK : TUILE_ABSENT
    case .revokeAll: outcome.revoked = try manager.revokeAll(of: owner.bytes, but: session)
    }
    return TUILE_OK
  }

  /// Whether the store is not asked, so that it can be done at once.
  func isImmediate() -> Bool {
    guard let session else { return false }
    switch work {
    case .load: return session.isSettled
    case .commit(let httpStatus): return session.commitsWithoutStore(httpStatus: httpStatus)
    default: return false
    }
  }

  /// The answer of one that nobody waits for any longer.
  func late() -> Failure {
    guard state == .begun else {
      return Failure(status: TUILE_E_BUSY, message: "the store did not come to it by the deadline: nothing was done")
    }
    guard !work.reads else {
      return Failure(status: TUILE_E_BUSY, message: "the store gave no answer by the deadline")
    }
    return Failure(status: TUILE_E_UNKNOWN, message: "the store gave no answer by the deadline: it may still be done")
  }

  static var cancelled: Failure {
    Failure(status: TUILE_E_CANCELLED, message: "it was cancelled before it began")
  }
}

extension Session {
  /// What a load answers.
  func found() throws(Failure) -> tuile_status {
    try access()
    if key != nil { return TUILE_OK }
    return isUnreadable ? TUILE_UNREADABLE : TUILE_ABSENT
  }

  /// Nothing is left to be asked of the store before the commit.
  var isSettled: Bool {
    if case .pending = loading { return false }
    return true
  }

  /// Only where that is certain.
  func commitsWithoutStore(httpStatus: Int32) -> Bool {
    let saves = modified || touching || manager.settings.config.save_every_request
    if case .failed = loading { return true }
    if isDeleted { return true }
    guard isSettled else { return !saves && !accessed }
    if isEmpty || httpStatus >= 500 { return true }
    return !saves && !hasOldSignature && !wantsRefresh(now: manager.now) && (!accessed || !manager.keepsOwners)
  }
}
