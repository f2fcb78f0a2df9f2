import CTuile

/// Saving one session from many threads at once: see `CommitQueue`. Whoever leads starts
/// from what this process stored last, makes its own changes and then, in their order,
/// those of the commits that wait, each in its own session's data, and replaces what is
/// stored once for all of them.
extension Session {
  func replaceStored(_ key: Bytes, now present: Int64) throws(Failure) -> Saved {
    var wait = Backoff()
    // Nobody else is at it, as nearly always.
    if ahead != nil || manager.queue.isEmpty {
      if ahead == nil { try encode(now: present) }
      if let saved = try replaceOnce(key, now: present) { return saved }
      try wait.next(manager)
      return try replaceInLine(key, now: present, met: true, &wait)
    }
    return try replaceInLine(key, now: present, met: false, &wait)
  }

  /// `met`: another request was first, so that what is stored has to be read again.
  private func replaceInLine(
    _ key: Bytes, now present: Int64, met: Bool, _ wait: inout Backoff
  ) throws(Failure) -> Saved {
    let place = CommitQueue.Place(self)
    defer { place.end() }
    var met = met
    while true {
      switch manager.queue.wait(place, for: key, met: met) {
      case .leads(let line): return try lead(line, place, key, now: present, met: met)
      case .answered(.saved):
        didSave()
        return .saved
      case .answered(.deleted):
        didFindDeleted()
        return .deleted
      case .answered(.failed(let failure)): throw failure
      case .alone: break
      }
      if met || place.hasWaited {
        try beginAgain(&place.attempts)
        guard try fetch(key), movedTo == nil else {
          didFindDeleted()
          return .deleted
        }
      }
      try encode(now: present)
      if let saved = try replaceOnce(key, now: present) { return saved }
      met = true
      try wait.next(manager)
    }
  }

  /// nil: another request was first.
  private func replaceOnce(_ key: Bytes, now: Int64) throws(Failure) -> Saved? {
    // The expiry may have come with another request's changes.
    switch try replace(key, expires: expires(now: now)) {
    case .replaced:
      didSave()
      return .saved
    case .absent:
      didFindDeleted()
      return .deleted
    case .conflict: return nil
    }
  }

  private func lead(
    _ line: CommitQueue.Line, _ place: CommitQueue.Place, _ key: Bytes, now: Int64, met: Bool
  ) throws(Failure) -> Saved {
    let queue = manager.queue
    var taken = CommitQueue.Taken()
    do throws(Failure) {
      var wait = Backoff()
      var met = met || place.hasWaited
      var isFirst = true
      while true {
        guard try readAgain(line, place, key, now: now, isFirst: isFirst, met: met) else {
          queue.fail(line, nil, &taken)
          didFindDeleted()
          return .deleted
        }
        try encode(now: now)
        queue.take(line, for: self, &taken)
        let (form, expires) = join(&taken, now: now)
        switch try write(form, key, expires: expires, taken) {
        case .replaced:
          queue.leave(line, stored: form, expires: expires, &taken)
          didSave()
          return .saved
        case .absent:
          queue.fail(line, .deleted, &taken)
          didFindDeleted()
          return .deleted
        case .conflict:
          (isFirst, met) = (false, true)
          queue.hear(line)
          try wait.next(manager)
        }
      }
    } catch {
      // What is wrong with this commit need not be with the others.
      let isStores = error.status == TUILE_E_STORE || error.status == TUILE_E_BUSY || error.status == TUILE_E_UNKNOWN
      queue.fail(line, isStores ? .failed(error) : nil, &taken)
      throw error
    }
  }

  /// false if the session is gone, or is no longer under that key.
  private func readAgain(
    _ line: CommitQueue.Line, _ place: CommitQueue.Place, _ key: Bytes, now: Int64, isFirst: Bool, met: Bool
  ) throws(Failure) -> Bool {
    if isFirst, line.handedAt >= fetchedAt, line.handedExpires > now {
      try beginAgain(&place.attempts)
      return try take(line.handed.bytes, expires: line.handedExpires, now: now) && movedTo == nil
    }
    guard met else { return true }
    try beginAgain(&place.attempts)
    return try fetch(key) && movedTo == nil
  }

  /// Makes the changes of those that were taken, in their sessions. What is to be
  /// stored then, valid until one of them has its answer, and its expiry.
  private func join(_ taken: inout CommitQueue.Taken, now: Int64) -> (Bytes, Int64) {
    var (form, expires) = (encoded.bytes, expires(now: now))
    var before: CommitQueue.Place?
    var next = taken.first
    while let place = next {
      next = place.next
      let other = place.session
      do throws(Failure) {
        try other.beginAgain(&place.attempts)
        if try other.take(form, expires: expires, now: now), other.movedTo == nil {
          try other.encode(now: now)
          (form, expires) = (other.encoded.bytes, other.expires(now: now))
          before = place
        } else {
          manager.queue.drop(place, behind: before, nil, &taken)
        }
      } catch {
        manager.queue.drop(place, behind: before, .failed(error), &taken)
      }
    }
    return (form, expires)
  }

  private func write(
    _ form: Bytes, _ key: Bytes, expires: Int64, _ taken: CommitQueue.Taken
  ) throws(Failure) -> Replaced {
    do throws(Failure) {
      return try replace(key, expected: stored.bytes, data: form, expires: expires)
    } catch {
      guard error.status == TUILE_E_UNKNOWN else { throw error }
      let isMerged = taken.first != nil
      var next = taken.first
      while let place = next {
        next = place.next
        place.session.rememberAttempt(form, on: stored.bytes, isMerged: true)
      }
      rememberAttempt(form, isMerged: isMerged)
      throw error
    }
  }

  /// The turn of a commit that writes more than one record, for which nobody else is taken.
  struct Turn: ~Copyable {
    private var place: CommitQueue.Place?
    private var line: CommitQueue.Line?

    /// Once; whether or not it comes, the commit goes on.
    mutating func wait(_ session: Session, for key: Bytes) {
      if let line { return session.manager.queue.hear(line) }
      guard place == nil else { return }
      let fresh = CommitQueue.Place(session, mayMerge: false)
      place = fresh
      if case .leads(let line) = session.manager.queue.wait(fresh, for: key, met: true) { self.line = line }
    }

    mutating func end(_ manager: Manager) {
      var nobody = CommitQueue.Taken()
      if let line { manager.queue.leave(line, &nobody) }
      place?.end()
    }
  }
}
