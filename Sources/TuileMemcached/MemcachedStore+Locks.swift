import CMemcached
import CSockets
import CSystem
import CTuile

/// The lock that a framework has of a session while a request of its own runs: an item that
/// only one can add.
extension MemcachedStore {
  /// Runs `body` with the session's lock, if its framework has such.
  func locked<Answer>(
    _ key: Bytes, _ body: () throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    guard let lock = options.lock, isForeign(key) else { return try body() }
    guard options.mode.writes else { throw .readOnly }
    let answer = try named(key, lock) { (name) throws(Failure) -> Answer in
      // Long enough for whatever is done with it, and soon over if this process ends.
      let most = (servers.deadline() &- cs_now()) &* 4 / 1000 &+ 2
      let until = sys_monotonic_microseconds() &+ Int64(options.busy) &* 1000
      let taken = try take(name, for: most, until: until)
      defer { giveBack(name, taken: taken, for: most) }
      return try body()
    }
    // No session has so long a key.
    if let answer { return answer }
    return try body()
  }

  /// When it was taken.
  private func take(_ name: MemcachedName, for seconds: Int64, until: Int64) throws(Failure) -> Int64 {
    var step: UInt32 = 1000
    while true {
      let began = sys_monotonic_microseconds()
      var item = cm_item()
      var one = UInt8(ascii: "1")
      item.left = seconds
      let answer: cm_answer
      do throws(Failure) {
        answer = try servers.run(name, .write) { connection, call in
          cm_store(connection, &call, true, &one, 1, &item)
        }
      } catch {
        // What is not known is whether the lock was taken: the session is as it was.
        guard error.status == TUILE_E_UNKNOWN else { throw error }
        throw Failure(
          status: TUILE_E_STORE, message: "the framework's lock of the session can't be taken", detail: error.detail)
      }
      if answer == CM_DONE { return began }
      guard answer == CM_EXISTS || answer == CM_ABSENT else { throw MemcachedConnection.refusal(answer) }
      guard sys_monotonic_microseconds() < until else {
        throw Failure(status: TUILE_E_BUSY, message: "the framework held its lock of the session for too long")
      }
      var noise: UInt16 = 0
      _ = sys_random(&noise, 2)
      sys_sleep_microseconds(step &+ UInt32(noise) % step)
      step = min(step &* 2, 8000)
    }
  }

  /// One that may be over by now may be another's: it ends by itself.
  private func giveBack(_ name: MemcachedName, taken: Int64, for seconds: Int64) {
    guard sys_monotonic_microseconds() &- taken < (seconds &- 1) &* 1_000_000 else { return }
    _ = try? servers.run(name, .write) { connection, call in cm_delete(connection, &call, 0) }
  }
}
