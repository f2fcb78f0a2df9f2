import Synchronization

/// What an administrator should know of a store and no call fails for: said once each
/// time that it happens. The manager takes it after a call, and puts it into its log.
final class Remarks {
  enum Remark: Int {
    case readableByAll = 1
    case replaced = 2
    case listed = 4

    var text: StaticString {
      switch self {
      case .readableByAll: return "everybody on this machine may read the session database: its mode should be 0600"
      case .listed: return "only a folder above keeps others from listing the session folder: its mode should be 0700"
      case .replaced: return "the session database's file was replaced or deleted: the one that is there now was opened"
      }
    }
  }

  /// One bit each.
  private let waiting = Atomic<Int>(0)

  func add(_ remark: Remark) { _ = waiting.bitwiseOr(remark.rawValue, ordering: .relaxed) }

  func take() -> StaticString? {
    let all = waiting.load(ordering: .relaxed)
    // The lowest bit.
    guard all != 0, let remark = Remark(rawValue: all & (0 &- all)) else { return nil }
    let (before, _) = waiting.bitwiseAnd(~remark.rawValue, ordering: .relaxed)
    return before & remark.rawValue != 0 ? remark.text : nil
  }
}
