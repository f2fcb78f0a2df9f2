import CTuile

/// The store `cookie:`, which is none: the session is the cookie. Nothing is kept
/// here, and nothing found; Session+Cookie does what there is to do.
final class CookieStore: Store {
  var trusted: Bool { false }
  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? { nil }
  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool { true }
  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced { .replaced }
  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool { true }
  func remove(_ key: Bytes) throws(Failure) {}
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int { 0 }
  func close() {}

  /// How the cookies of a URL are made; nil if it names another kind of store.
  static func kind(_ url: Bytes) throws(Failure) -> CookieKind? {
    guard url.hasPrefix(Bytes(StoreURL.cookieScheme)) else { return nil }
    guard let kind = CookieKind(url.dropFirst(StoreURL.cookieScheme.count)) else {
      throw .syntax(
        "cookie: is followed by none of django, sealed, flask, starlette, rails, gorilla, rack, iron-session",
        at: StoreURL.cookieScheme.count)
    }
    return kind
  }
}
