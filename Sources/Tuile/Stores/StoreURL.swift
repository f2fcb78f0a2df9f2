import CTuile

/// Opens the store that a URL names.
enum StoreURL {
  static let longest = 4096

  static func open(_ url: Bytes) throws(Failure) -> any Store {
    guard url.count <= longest else { throw .limit("the store's URL has more than 4096 bytes") }
    guard !url.hasPrefix(Bytes(CookieStore.scheme)) else {
      throw .argument("cookie: is no store of its own: name it in a manager's configuration")
    }
    if url == Bytes("memory:") { return try MemoryStore.make() }
    if url.hasPrefix(Bytes(CachedStore.scheme)) { return try CachedStore.open(url) }
    if url.hasPrefix(Bytes(SQLiteStore.scheme)) { return try SQLiteStore.open(url) }
    return try ModuleStore.open(url)
  }
}
