/// What a URL memory:?options says.
struct MemoryOptions: StoreOptions {
  private static let smallestLimit: Int64 = 65536

  /// `max_bytes`; 0: none.
  var limit = 0

  static let known: StaticString = "max_bytes"

  mutating func take(_ option: URLText.Option) throws(Failure) -> Bool {
    guard option.name == Bytes("max_bytes") else { return false }
    limit = Int(try option.number(Self.smallestLimit...1 << 46))
    return true
  }
}
