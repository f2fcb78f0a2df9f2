import CSystem

enum ConstantTime {
  /// In time that depends on the lengths alone.
  static func equal(_ a: Bytes, _ b: Bytes) -> Bool {
    a.count == b.count && sys_equal_constant_time(a.start, b.start, a.count)
  }
}
