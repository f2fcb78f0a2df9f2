/// What is behind a string in quotes, without the checks that the standard library
/// makes each time: it asks whether there are bytes at all, which only a
/// single character made by the compiler has not, and traps otherwise.
extension StaticString {
  /// As the standard library lays a StaticString out; frozen, as part of Swift's ABI.
  private struct Layout {
    let start: UnsafePointer<UInt8>
    let count: Int
    let flags: UInt8
  }

  var start: UnsafePointer<UInt8> { unsafeBitCast(self, to: Layout.self).start }
  var count: Int { unsafeBitCast(self, to: Layout.self).count }
  /// For C: a literal ends with a NUL.
  var cString: UnsafePointer<CChar> { UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self) }
}
