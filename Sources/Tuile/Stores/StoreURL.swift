import CTuile

/// Opens the store that a URL names.
enum StoreURL {
  static let longest = 4096

  /// What a caller gave as a URL; empty if it is none. Nothing longer is looked at.
  static func check(_ url: tuile_bytes) throws(Failure) -> Bytes {
    guard let url = Bytes(url) else { throw .argument("a store's URL is NULL and has a size") }
    guard url.count <= longest else { throw .limit("the store's URL has more than 4096 bytes") }
    return url
  }

  static func open(_ url: Bytes) throws(Failure) -> any Store {
    guard !url.hasPrefix(Bytes(CookieStore.scheme)) else {
      throw .argument("cookie: is no store of its own: name it in a manager's configuration")
    }
    if url.hasPrefix(Bytes(CachedStore.scheme)) { return try CachedStore.open(url) }
    if url.hasPrefix(Bytes(MemoryStore.scheme)) { return try MemoryStore.open(url) }
    if url.hasPrefix(Bytes(SQLiteStore.scheme)) { return try SQLiteStore.open(url) }
    if url.hasPrefix(Bytes(FileStore.scheme)) { return try FileStore.open(url) }
    return try ModuleStore.open(url)
  }

  /// The absolute path behind a scheme, decoded and with a NUL behind it; the
  /// query that follows.
  static func path(_ url: Bytes, after scheme: StaticString, to path: inout ByteBuffer) throws(Failure) -> Bytes {
    let rest = url.dropFirst(scheme.count)
    guard rest[0] == 0x2F, rest.count > 1 else {
      throw .syntax("the path of the store's URL is absolute: three slashes", at: scheme.count)
    }
    let question = rest.find(0x3F)
    try URLText.decode(rest.slice(0, question), to: &path)
    path.append(0)
    guard !path.failed else { throw .memory }
    return rest.dropFirst(question &+ 1)
  }
}
