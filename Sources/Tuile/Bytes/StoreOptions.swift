/// What a store's URL says behind its '?': a type `NAMEOptions` for each store,
/// which has the defaults and takes one option after the other.
protocol StoreOptions: ~Copyable {
  /// What messages say that the URL may have.
  static var known: StaticString { get }

  /// false if the store has no such option, or not with this value.
  mutating func take(_ option: URLText.Option) throws(Failure) -> Bool
}

extension StoreOptions where Self: ~Copyable {
  /// Takes all of a query, `name=value&…`; an option that nobody knows is an error.
  mutating func read(_ query: Bytes) throws(Failure) {
    var options = URLText.Options(query)
    while let option = options.next() {
      guard try take(option) else { throw option.unknown(known: Self.known) }
    }
  }
}
