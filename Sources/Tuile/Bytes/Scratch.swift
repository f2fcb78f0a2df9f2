import CSystem

/// Lends `size` bytes of the stack, wiped afterwards. Typed memory of its own: a
/// tuple seen through a byte pointer would be undefined, and was miscompiled.
func withScratch<Answer>(
  _ size: Int, _ body: (UnsafeMutablePointer<UInt8>) throws(Failure) -> Answer
) throws(Failure) -> Answer {
  let answer: Result<Answer, Failure> = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(0, size)) { room in
    guard let start = room.baseAddress else { return .failure(.memory) }
    defer { sys_wipe(start, room.count) }
    do throws(Failure) {
      return .success(try body(start))
    } catch {
      return .failure(error)
    }
  }
  return try answer.get()
}
