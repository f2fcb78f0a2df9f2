import CTuile

/// One of several calls that a store makes together: what is asked, and then its answer.
final class StoreCall {
  let operation: tuile_store_operation
  /// The bytes of these are the caller's, and stay until it has the answer.
  let key: Bytes
  let expected: Bytes
  let data: Bytes
  /// Of a load the present time, of a write the expiry.
  let time: Int64
  /// What a load finds, and its expiry.
  private(set) var found = ByteBuffer()
  private(set) var foundExpires: Int64 = 0
  private(set) var answer: Answer?
  var next: StoreCall?
  /// The store's own: it has been sent; it can't go with the others.
  var isSent = false
  var isAlone = false

  enum Answer {
    /// One of those that the operation of `tuile_store_ops` has.
    case made(tuile_status)
    case failed(Failure)
  }

  private init(_ operation: tuile_store_operation, _ key: Bytes, _ expected: Bytes, _ data: Bytes, _ time: Int64) {
    self.operation = operation
    self.key = key
    self.expected = expected
    self.data = data
    self.time = time
  }

  static func load(_ key: Bytes, now: Int64) -> StoreCall { StoreCall(TUILE_STORE_LOAD, key, Bytes(), Bytes(), now) }

  static func create(_ key: Bytes, data: Bytes, expires: Int64) -> StoreCall {
    StoreCall(TUILE_STORE_CREATE, key, Bytes(), data, expires)
  }

  static func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) -> StoreCall {
    StoreCall(TUILE_STORE_REPLACE, key, expected, data, expires)
  }

  /// This one and those behind it.
  func each(_ body: (StoreCall) -> Void) {
    var next: StoreCall? = self
    while let call = next {
      next = call.next
      body(call)
    }
  }

  var isLoad: Bool { operation == TUILE_STORE_LOAD }
  /// A replace that sets the expiry and no other data.
  var isTouch: Bool { operation == TUILE_STORE_REPLACE && data.start == expected.start }

  // MARK: The store's side

  /// In place of an answer that there may be.
  func answer(_ status: tuile_status) { answer = .made(status) }

  func answer(found data: Bytes, expires: Int64) {
    found.removeAll()
    found.append(data)
    foundExpires = expires
    answer = found.failed ? .failed(.memory) : .made(TUILE_OK)
  }

  func fail(_ failure: Failure) { answer = .failed(failure) }

  /// Runs `body`, which answers, or throws.
  func answer(by body: (StoreCall) throws(Failure) -> Void) {
    do throws(Failure) {
      try body(self)
    } catch {
      fail(error)
    }
  }

  func answer(replaced: Replaced) {
    switch replaced {
    case .replaced: answer(TUILE_OK)
    case .conflict: answer(TUILE_CONFLICT)
    case .absent: answer(TUILE_ABSENT)
    }
  }

  // MARK: The caller's side

  func replaced() throws(Failure) -> Replaced {
    switch try made() {
    case TUILE_OK: return .replaced
    case TUILE_CONFLICT: return .conflict
    default: return .absent
    }
  }

  /// What the call came to; throws what it failed with.
  func made() throws(Failure) -> tuile_status {
    switch answer {
    case .made(let status): return status
    case .failed(let failure): throw failure
    case nil: throw Failure(status: TUILE_E_STORE, message: "the store gave no answer")
    }
  }
}
