/// Operations without an answer, the oldest first. Those that have begun stand before those
/// that wait, since they begin in that order.
struct OperationList: ~Copyable {
  private(set) var first: Operation?
  private unowned(unsafe) var last: Operation?
  /// The next one to begin.
  private(set) unowned(unsafe) var firstWaiting: Operation?
  /// Those that have begun, and go on with whichever worker comes, the oldest first.
  private var firstLeft: Operation?
  private unowned(unsafe) var lastLeft: Operation?

  /// Workers that have begun with some of them.
  var workers = 0
  /// When the last of those began, by the clock that nobody sets.
  var begun: Int64 = 0
  /// Workers that were woken for them, and have not come yet.
  var called = 0

  mutating func append(_ operation: Operation) {
    operation.before = last
    if let last { last.next = operation } else { first = operation }
    last = operation
    if firstWaiting == nil { firstWaiting = operation }
  }

  /// The number of what a worker would do next; nil: nothing.
  var nextNumber: UInt64? { firstLeft?.number ?? firstWaiting?.number }

  /// What one worker does: what was left, by itself, or those that wait, at most so many
  /// where the store takes them together.
  mutating func begin(most: Int) -> Operation? {
    if let left = firstLeft {
      firstLeft = left.follower
      if firstLeft == nil { lastLeft = nil }
      left.follower = nil
      return left
    }
    guard let first = beginWaiting() else { return nil }
    var (last, count) = (first, 1)
    while count < most, first.goesTogether, let next = firstWaiting, next.goesTogether, let operation = beginWaiting() {
      last.follower = operation
      (last, count) = (operation, count &+ 1)
    }
    return first
  }

  private mutating func beginWaiting() -> Operation? {
    guard let operation = firstWaiting else { return nil }
    firstWaiting = operation.next
    operation.state = .begun
    operation.isRunning = true
    return operation
  }

  /// One that has begun goes on with another worker.
  mutating func leave(_ operation: Operation) {
    operation.follower = nil
    if let lastLeft { lastLeft.follower = operation } else { firstLeft = operation }
    lastLeft = operation
  }

  mutating func remove(_ operation: Operation) {
    if firstWaiting === operation { firstWaiting = operation.next }
    let next = operation.next
    if let next { next.before = operation.before } else { last = operation.before }
    if let before = operation.before { before.next = next } else { first = next }
    (operation.next, operation.before) = (nil, nil)
  }

  func find(_ number: UInt64) -> Operation? {
    var next = first
    while let operation = next, operation.number != number { next = operation.next }
    return next
  }
}
