/// Where sessions are kept: the contract of `tuile_store_ops`, in Swift. Times
/// are Unix microseconds. A failure of the store is thrown; everything else is
/// an answer, so that an outage can't be taken for a missing session.
protocol Store: AnyObject {
  /// Only this process can write the data, so that it needs no signature.
  var trusted: Bool { get }

  /// Appends the data and returns the expiry; nil if there is no such key or its
  /// expiry is not later than `now`.
  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64?
  /// false if the key is stored, expired or not. A store in memory drops a few
  /// others that expired before `now`.
  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool
  /// Replaces the data if it is `expected`, as one atomic step.
  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced
  /// Sets the expiry only; false if there is no such key.
  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool
  /// Whether or not the key was there.
  func remove(_ key: Bytes) throws(Failure)
  /// Removes at most `limit` sessions that expired before `now`; how many.
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int
  /// Called once, when nobody uses the store any more.
  func close()
}

enum Replaced { case replaced, conflict, absent }
