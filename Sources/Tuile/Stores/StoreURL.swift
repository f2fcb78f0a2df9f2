import CTuile

/// Opens the store that a URL names.
enum StoreURL {
  static let longest = 4096
  /// Of sessions that are their cookies: no store is opened for them.
  static let cookieScheme: StaticString = "cookie:"

  /// What a caller gave as a URL; empty if it is none. Nothing longer is looked at.
  static func check(_ url: tuile_bytes) throws(Failure) -> Bytes {
    guard let url = Bytes(url) else { throw .argument("a store's URL is NULL and has a size") }
    guard url.count <= longest else { throw .limit("the store's URL has more than 4096 bytes") }
    return url
  }

  /// A store, and whose sessions are in it; nil: Django's.
  struct Opened {
    let store: any Store
    let layout: Layout?
  }

  static func openAny(_ url: Bytes) throws(Failure) -> Opened {
    guard !url.hasPrefix(Bytes(CachedStore.scheme)), let read = try LayoutURL.read(url) else {
      return Opened(store: try open(url), layout: nil)
    }
    if let cache = read.cache {
      let opened = try openCache(cache.bytes)
      do throws(Failure) {
        return Opened(store: CachedTableStore(try open(read.store.bytes), cache: opened), layout: nil)
      } catch {
        opened.close()
        throw error
      }
    }
    let store = try open(read.store.bytes, layout: read.layout)
    guard let layout = read.layout, layout.mapsKeys else { return Opened(store: store, layout: read.layout) }
    return Opened(store: MappedStore(store, layout), layout: layout)
  }

  /// The cache in front of Django's table: of Django's own, if its URL has no layout.
  private static func openCache(_ url: Bytes) throws(Failure) -> any Store {
    var named = ByteBuffer()
    named.append(url)
    if try LayoutURL.read(url) == nil {
      named.append(url.contains(0x3F) ? "&layout=django-cache" : "?layout=django-cache")
    }
    guard !named.failed else { throw .memory }
    guard let read = try LayoutURL.read(named.bytes, asCacheOfTable: true), let layout = read.layout else {
      throw .syntax("the cache of the store's URL has no layout of Django's")
    }
    let store = try open(read.store.bytes, layout: layout)
    return layout.mapsKeys ? MappedStore(store, layout) : store
  }

  /// A store of which only Tuile's own programs and Django know.
  static func openPlain(_ url: Bytes) throws(Failure) -> any Store {
    let opened = try openAny(url)
    guard opened.layout == nil else {
      opened.store.close()
      throw .argument("a store with a layout can't be a part of another one, nor keep revocations")
    }
    return opened.store
  }

  private static func open(_ url: Bytes, layout: Layout? = nil) throws(Failure) -> any Store {
    guard !url.hasPrefix(Bytes(StoreURL.cookieScheme)) else {
      throw .argument("cookie: is no store of its own: name it in a manager's configuration")
    }
    if url.hasPrefix(Bytes(CachedStore.scheme)) { return try CachedStore.open(url) }
    if url.hasPrefix(Bytes(MemoryStore.scheme)) { return try MemoryStore.open(url) }
    if url.hasPrefix(Bytes(SQLiteStore.scheme)) { return try SQLiteStore.open(url) }
    if url.hasPrefix(Bytes(FileStore.scheme)) { return try FileStore.open(url, layout) }
    return try ModuleStore.open(url, layout)
  }

  /// Throws if there is no store for the URL's scheme; opens nothing.
  static func checkScheme(_ url: Bytes) throws(Failure) {
    if url.hasPrefix(Bytes(CachedStore.scheme)) {
      let rest = url.dropFirst(CachedStore.scheme.count)
      let hash = rest.find(UInt8(ascii: "#"))
      try checkScheme(rest.slice(0, hash))
      if hash &+ 1 < rest.count { try checkScheme(rest.dropFirst(hash &+ 1)) }
      return
    }
    guard
      !url.hasPrefix(Bytes(MemoryStore.scheme)), !url.hasPrefix(Bytes(StoreURL.cookieScheme)),
      !url.hasPrefix(Bytes(SQLiteStore.scheme)), !url.hasPrefix(Bytes(FileStore.scheme))
    else { return }
    try ModuleStore.check(url)
  }

  /// Whether a path, which ends with a NUL, is that of something in / itself: three slashes
  /// in front of a relative path mean that, and nobody means it.
  static func isInRoot(_ path: Bytes) -> Bool {
    var last = path.count &- 1
    while last > 0, path[last &- 1] == UInt8(ascii: "/") { last &-= 1 }
    let folder = path.slice(0, last).findLast(UInt8(ascii: "/")) ?? 0
    for i in Indices(folder) {
      guard path[i] == UInt8(ascii: "/") || path[i] == UInt8(ascii: ".") else { return false }
    }
    return true
  }

  /// The absolute path behind a scheme, decoded and with a NUL behind it; the
  /// query that follows.
  static func path(_ url: Bytes, after scheme: StaticString, to path: inout ByteBuffer) throws(Failure) -> Bytes {
    let rest = url.dropFirst(scheme.count)
    guard rest[0] == UInt8(ascii: "/"), rest.count > 1 else {
      throw .syntax("the path of the store's URL is absolute: three slashes", at: scheme.count)
    }
    let question = rest.find(UInt8(ascii: "?"))
    try URLText.decode(rest.slice(0, question), to: &path)
    path.append(0)
    guard !path.failed else { throw .memory }
    return rest.dropFirst(question &+ 1)
  }
}
