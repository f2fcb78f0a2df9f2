import CSystem
import CTuile

/// What fork() has to know before a lock is made.
enum Forks {
  /// Called by whoever opens something that has locks: making and taking them
  /// can't fail afterwards.
  static func prepare() throws(Failure) {
    guard sys_forks_ready() else { throw .memory }
  }
}
