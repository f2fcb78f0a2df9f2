/// Operations without an answer, the oldest first. Those that have begun stand before those
/// that wait, since they begin in that order.
struct OperationList: ~Copyable {
  private(set) var first: Operation?
  private unowned(unsafe) var last: Operation?
  /// The next one to begin.
  private(set) unowned(unsafe) var firstWaiting: Operation?

  mutating func append(_ operation: Operation) {
    operation.before = last
    if let last { last.next = operation } else { first = operation }
    last = operation
    if firstWaiting == nil { firstWaiting = operation }
  }

  /// The next one to begin is begun.
  mutating func begin() -> Operation? {
    guard let operation = firstWaiting else { return nil }
    firstWaiting = operation.next
    operation.state = .begun
    operation.isRunning = true
    return operation
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
