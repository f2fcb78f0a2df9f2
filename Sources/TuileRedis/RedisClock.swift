import CRedis
import CSockets
import CSystem
import Synchronization

/// How far a server's clock is from ours. Expiries are times of our clock, as the
/// application's framework has them, and a server lets keys go by its own.
final class RedisClock {
  /// Whole milliseconds that the server is ahead; 0 where the clocks agree, so that times
  /// are exact there.
  private let ahead = Atomic<Int64>(0)
  private let asked = Atomic<Int64>(0)
  /// For so long, in milliseconds, an answer counts.
  private static let fresh: Int64 = 60_000
  /// Less than this, in microseconds, is the way there and back, and how clocks are kept.
  private static let tolerance: Int64 = 2_000_000

  var skew: Int64 { ahead.load(ordering: .relaxed) }

  /// Whether to ask; true for one caller at a time.
  func isDue() -> Bool {
    let last = asked.load(ordering: .relaxed)
    let now = cs_now()
    guard last == 0 || now &- last >= RedisClock.fresh else { return false }
    return asked.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
  }

  /// Takes the answer to TIME, seconds and microseconds, to a question sent at `began`.
  func take(_ reply: RedisReply, began: Int64) {
    let now = sys_now_microseconds()
    defer { withExtendedLifetime(reply) {} }
    guard let seconds = reply.view[0]?.text.flatMap({ Numbers.read($0, base: 10) }),
      let rest = reply.view[1]?.text.flatMap({ Numbers.read($0, base: 10) }), seconds > 0, seconds < 1 << 40,
      rest >= 0, rest < 1_000_000
    else { return }
    let apart = seconds &* 1_000_000 &+ rest &- (began &+ (now &- began) / 2)
    // In whole seconds, so that all connections and processes find the same.
    let rounded = (apart &+ (apart < 0 ? -500_000 : 500_000)) / 1_000_000 &* 1000
    ahead.store(apart > -RedisClock.tolerance && apart < RedisClock.tolerance ? 0 : rounded, ordering: .relaxed)
  }
}
