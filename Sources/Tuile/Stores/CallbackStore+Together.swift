import CSystem
import CTuile

/// Several calls that a host's store, or a module's, gets at once.
extension CallbackStore {
  var mostTogether: Int { max(1, ops.max_together) }

  func together(_ first: StoreCall) {
    guard let together = ops.together, let calls = given(first) else { return first.each { $0.fail(.memory) } }
    defer { free(calls.start) }
    // What a load finds is put into the call at once.
    let receive: tuile_receive = { call, bytes, expires in
      guard let call, let bytes = Bytes(bytes) else { return }
      Unmanaged<StoreCall>.fromOpaque(call).takeUnretainedValue().answer(found: bytes, expires: expires)
    }
    together(context, calls.start, calls.count, receive)
    var at = calls.start
    first.each { (call) in
      defer { at += 1 }
      call.answer { (call) throws(Failure) in
        let (absent, other) =
          call.operation == TUILE_STORE_CREATE
          ? (TUILE_EXISTS, TUILE_OK)
          : (TUILE_ABSENT, call.isLoad ? TUILE_OK : TUILE_CONFLICT)
        let status = try check(at.pointee.status, &at.pointee.error, (TUILE_OK, absent, other), writes: !call.isLoad)
        if call.isLoad, status == TUILE_OK {
          guard call.answer != nil else { throw CallbackStore.receivedNothing }
        } else {
          call.answer(status)
        }
      }
    }
  }

  /// The calls as the host's `together` gets them.
  private func given(_ first: StoreCall) -> (start: UnsafeMutablePointer<tuile_store_call>, count: Int)? {
    var count = 0
    first.each { _ in count &+= 1 }
    guard let room = malloc(count &* MemoryLayout<tuile_store_call>.stride) else { return nil }
    let start = room.assumingMemoryBound(to: tuile_store_call.self)
    var at = start
    first.each { (call) in
      at.initialize(
        to: tuile_store_call(
          operation: call.operation, key: call.key.c, expected: call.expected.c, data: call.data.c, time: call.time,
          receiver: Unmanaged.passUnretained(call).toOpaque(), status: TUILE_E_STORE, error: unanswered))
      at += 1
    }
    return (start, count)
  }
}
