import CTuile

/// The store of a manager whose sessions are in their cookies: nothing is in it, and
/// nothing can be put there.
final class NoStore: Store {
  var trusted: Bool { false }
  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? { nil }
  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool { throw .inCookies }
  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced { .absent }
  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool { false }
  func remove(_ key: Bytes) throws(Failure) {}
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int { 0 }
  func close() {}
}

extension Failure {
  fileprivate static var inCookies: Failure { .argument("sessions in their cookies are in no store") }
}
