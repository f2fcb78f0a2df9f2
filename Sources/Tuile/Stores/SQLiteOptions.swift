/// What a URL sqlite:///path?options says.
struct SQLiteOptions: StoreOptions {
  /// How long a call waits for other writers: `busy`, in milliseconds.
  var busyMilliseconds: Int32 = 5000
  /// `synchronous=full`: a commit survives power loss; else only kill -9.
  var synchronousFull = false
  /// `mode`: what opening may do to the file.
  var mode = StoreMode.unsaid

  static let known: StaticString = "busy, synchronous (normal, full), mode (ro, rw, rwc)"

  mutating func take(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("busy") {
      busyMilliseconds = Int32(truncatingIfNeeded: try option.number(0...600_000))
    } else if option.name == Bytes("synchronous"), option.value == Bytes("full") || option.value == Bytes("normal") {
      synchronousFull = option.value == Bytes("full")
    } else if let said = StoreMode(option) {
      mode = said
    } else {
      return false
    }
    return true
  }
}

extension SQLiteStore {
  static let scheme: StaticString = "sqlite://"

  static func open(_ url: Bytes) throws(Failure) -> SQLiteStore {
    var path = ByteBuffer()
    let query = try StoreURL.path(url, after: scheme, to: &path)
    var options = SQLiteOptions()
    try options.read(query, at: url.count &- query.count)
    if options.mode == .unsaid, StoreURL.isInRoot(path.bytes) {
      throw .syntax(
        "the path of a store's URL begins at /, and this one names a file in / itself: write the whole path, or add mode=rwc",
        at: scheme.count)
    }
    try Forks.prepare()
    return try SQLiteStore(path: path, options: options)
  }
}
