import CSystem

/// What uses a manager's store on threads of its own.
class Dependent {
  fileprivate var next: Dependent?

  /// Once this returns none of its threads uses the store, now or later.
  func stop() {}
}

/// All of them, to be stopped before the store is closed.
final class Dependents {
  private var mutex = sys_mutex()
  private var first: Dependent?

  init() { sys_mutex_init(&mutex) }

  deinit { sys_mutex_destroy(&mutex) }

  func add(_ dependent: Dependent) {
    sys_mutex_lock(&mutex)
    dependent.next = first
    first = dependent
    sys_mutex_unlock(&mutex)
  }

  func remove(_ dependent: Dependent) {
    sys_mutex_lock(&mutex)
    var before: Dependent?
    var next = first
    while let other = next, other !== dependent {
      before = other
      next = other.next
    }
    if next != nil {
      if let before { before.next = dependent.next } else { first = dependent.next }
      dependent.next = nil
    }
    sys_mutex_unlock(&mutex)
  }

  /// Not while the lock is held: they may be long in ending.
  func stopAll() {
    while let dependent = takeFirst() { dependent.stop() }
  }

  private func takeFirst() -> Dependent? {
    sys_mutex_lock(&mutex)
    let taken = first
    first = taken?.next
    taken?.next = nil
    sys_mutex_unlock(&mutex)
    return taken
  }
}
