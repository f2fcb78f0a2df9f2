/// What a URL sqlite:///path?options says.
struct SQLiteOptions {
  /// How long a call waits for other writers: `busy`, in milliseconds.
  var busyMilliseconds: Int32 = 5000
  /// `synchronous=full`: a commit survives power loss; else only kill -9.
  var synchronousFull = false

  init() {}

  init(_ query: Bytes) throws(Failure) {
    var options = URLText.Options(query)
    while let option = options.next() {
      if option.name == Bytes("busy") {
        busyMilliseconds = Int32(truncatingIfNeeded: try option.number(0...600_000))
      } else if option.name == Bytes("synchronous"), option.value == Bytes("full") || option.value == Bytes("normal") {
        synchronousFull = option.value == Bytes("full")
      } else {
        throw option.unknown
      }
    }
  }
}

extension SQLiteStore {
  static let scheme: StaticString = "sqlite://"

  static func open(_ url: Bytes) throws(Failure) -> SQLiteStore {
    var path = ByteBuffer()
    let query = try StoreURL.path(url, after: scheme, to: &path)
    let options = try SQLiteOptions(query)
    return try SQLiteStore(path: path, options: options)
  }
}
