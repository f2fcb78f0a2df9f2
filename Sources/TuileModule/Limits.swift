import CSystem

/// How long a store with a server waits for what, in milliseconds, and how often
/// it tries again: options that all such stores' URLs have.
struct Limits {
  var connect: Int32 = 1000
  /// For a command and its answer.
  var timeout: Int32 = 1000
  /// For a connection of the pool.
  var wait: Int32 = 1000
  /// Connections at once.
  var pool: Int32 = 16
  var retries: Int32 = 2
  /// A connection that was unused for so long is tried before it is used.
  var idle: Int32 = 30_000

  /// false if the option is none of these.
  mutating func take(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("connect") {
      connect = try Limits.number(option, 1...600_000)
    } else if option.name == Bytes("timeout") {
      timeout = try Limits.number(option, 1...600_000)
    } else if option.name == Bytes("wait") {
      wait = try Limits.number(option, 0...600_000)
    } else if option.name == Bytes("pool") {
      pool = try Limits.number(option, 1...1024)
    } else if option.name == Bytes("idle") {
      idle = try Limits.number(option, 0...86_400_000)
    } else if option.name == Bytes("retries") {
      retries = try Limits.number(option, 0...10)
    } else {
      return false
    }
    return true
  }

  private static func number(_ option: URLText.Option, _ range: ClosedRange<Int64>) throws(Failure) -> Int32 {
    Int32(truncatingIfNeeded: try option.number(range))
  }

  /// Sleeps before a call is tried again: short, growing, and not the same for everybody.
  static func pause(_ failures: Int32) {
    var spread: UInt32 = 0
    _ = sys_random(&spread, MemoryLayout<UInt32>.size)
    let most: UInt32 = 10_000 &<< UInt32(bitPattern: min(failures, 4))
    sys_sleep_microseconds(most / 2 &+ spread % max(1, most))
  }
}
