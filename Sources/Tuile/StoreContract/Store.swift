import CTuile

/// Where sessions are kept: the contract of `tuile_store_ops`, in Swift. Times
/// are Unix microseconds. A failure of the store is thrown; everything else is
/// an answer, so that an outage can't be taken for a missing session.
protocol Store: AnyObject {
  /// Only this process can write the data, so that it needs no signature.
  var trusted: Bool { get }

  /// A write may end with `TUILE_E_UNKNOWN`: made or not. Other failures of a write
  /// mean that it was not made.
  var mayBeUnsure: Bool { get }
  /// Its calls take no time that is worth waiting in line for.
  var isInstant: Bool { get }
  /// Its calls run the host's code, which may wait for anything.
  var runsHostCode: Bool { get }
  /// How many calls it makes at once in less time than one by one; 1: none.
  var mostTogether: Int { get }

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
  /// Once a session is in the store that sessions move to: nothing of it stays in the old one.
  func removeOldCopy(_ key: Bytes) throws(Failure)
  /// Removes at most `limit` sessions that expired before `now`; how many.
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int
  /// Called once, when nobody uses the store any more.
  func close()
  /// What an administrator should know, and was not told yet.
  func takeRemark() -> StaticString?

  /// Sets data and expiry, whatever is stored.
  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure)

  /// Makes the calls, `first` and those behind it, and gives each its own answer: what one
  /// of them comes to is nothing to the others. Where `mostTogether` is over 1.
  func together(_ first: StoreCall)

  /// Whether `own`, `owned` and `disown` are there.
  var keepsOwners: Bool { get }
  /// Writes the entry of `key` in the list of the owner's sessions.
  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure)
  /// Each entry of the owner whose key is stored with an expiry later than `now`.
  /// No lock is held while `each` runs.
  func owned(_ owner: Bytes, now: Int64, _ each: (_ key: Bytes, _ record: Bytes, _ expires: Int64) -> Void)
    throws(Failure)
  /// Appends the record of one entry of the owner's, whether or not its session is
  /// stored; false if there is no such entry. A login asks for no more than that.
  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool
  /// Removes the entry, not the session.
  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure)

  /// Whether `keys` and `owners` are there; of modules alone.
  var tellsKeys: Bool { get }
  /// Each key with an expiry later than `now`, until `each` says false. What is
  /// there for the whole walk is given at least once; no lock is held while `each` runs.
  func keys(now: Int64, _ each: (_ key: Bytes, _ expires: Int64) -> Bool) throws(Failure)
  /// Each owner with an entry, in the same way.
  func owners(_ each: (_ owner: Bytes) -> Bool) throws(Failure)
}

extension Store {
  var mayBeUnsure: Bool { false }
  var isInstant: Bool { false }
  var runsHostCode: Bool { false }
  var mostTogether: Int { 1 }
  func takeRemark() -> StaticString? { nil }
  func removeOldCopy(_ key: Bytes) throws(Failure) {}

  func together(_ first: StoreCall) {
    first.each { $0.fail(.argument("this store takes no calls together")) }
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    try putInSteps(key, data: data, expires: expires)
  }

  /// For stores that can't do it in one.
  func putInSteps(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    for _ in Indices(64) {
      if try create(key, data: data, expires: expires, now: .min) { return }
      var old = ByteBuffer()
      if try load(key, now: .min, into: &old) != nil,
        try replace(key, expected: old.bytes, data: data, expires: expires) == .replaced
      {
        return
      }
    }
    throw Failure(status: TUILE_E_BUSY, message: "other writers kept changing the key")
  }

  var keepsOwners: Bool { false }
  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) { throw .noOwners }
  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) { throw .noOwners }
  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    throw .noOwners
  }
  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) { throw .noOwners }

  var tellsKeys: Bool { true }
  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) { throw .noKeys }
  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    throw keepsOwners ? .unnamedOwners : .noOwners
  }
}

extension Failure {
  static var noOwners: Failure { .argument("this store keeps no lists of owners") }
  static var unnamedOwners: Failure { .argument("this store can't tell whose lists it keeps") }
  static var noKeys: Failure { .argument("this store can't tell its keys") }
}

/// Who can tell what the secrets have signed from another program's data.
protocol SessionReader: AnyObject {
  func isOurs(_ data: Bytes) throws(Failure) -> Bool
}

enum Replaced { case replaced, conflict, absent }

/// Whose a session is: what the application calls its users.
enum Owner {
  static let longest = 255
  static let largestRecord = 1024
  static let mostSessions = 10_000
  /// Sessions over the limit that one login ends: it must not wait for thousands.
  static let mostEnded = 256

  static func check(_ owner: tuile_bytes) throws(Failure) -> Bytes {
    guard let owner = Bytes(owner), isValid(owner) else {
      throw .argument("an owner has 1 to 255 bytes of UTF-8 without NUL")
    }
    return owner
  }

  static func isValid(_ owner: Bytes) -> Bool {
    !owner.isEmpty && owner.count <= longest && !owner.contains(0) && UTF8Text.firstInvalid(owner) == nil
  }
}
