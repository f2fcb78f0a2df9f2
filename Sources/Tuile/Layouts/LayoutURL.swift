import CTuile

/// A store's URL with the option `layout=NAME`, taken apart: the layout, with the options
/// that are its own, and the URL that tells the store where things are.
struct LayoutURL: ~Copyable {
  /// nil: Django's, as without the option.
  let layout: Layout?
  var store = ByteBuffer()
  /// The URL of the cache in front of Django's table; nil: there is none.
  var cache: LayoutText?

  static let option: StaticString = "layout"

  /// nil: the URL names no layout.
  static func read(_ url: Bytes, asCacheOfTable: Bool = false) throws(Failure) -> LayoutURL? {
    let question = url.find(0x3F)
    let query = url.dropFirst(question &+ 1)
    var name: URLText.Option?
    var options = URLText.Options(query)
    while let option = options.next() {
      guard option.name == Bytes(LayoutURL.option) else { continue }
      guard name == nil else { throw .syntax("the store's URL names two layouts", at: question &+ 1 &+ option.offset) }
      name = option
    }
    guard let name else { return nil }
    let kind = Layout.Kind(url)
    let isCached = name.value == Bytes("django-cached-db") && (kind == .sqlite || kind == .postgresql)
    let isDjango = name.value == Bytes("django") && kind != nil || isCached
    let layout = kind.flatMap { Layout.make(name.value, for: $0) }
    guard isDjango || layout != nil else {
      throw Failure(
        status: TUILE_E_SYNTAX,
        message: "the store's URL has an unknown layout, or one that is not for such a store; there are",
        offset: question &+ 1 &+ name.offset, detail: Failure.Detail(Bytes(Layout.names)))
    }
    if asCacheOfTable, !(layout?.beCacheOfTable() ?? false) {
      throw .syntax("the cache of the store's URL has a layout that is no cache of Django's", at: question &+ 1)
    }
    var made = LayoutURL(layout: layout)
    made.store.append(url.slice(0, question))
    var separator: UInt8 = 0x3F
    options = URLText.Options(query)
    while let option = options.next() {
      if option.name == Bytes(LayoutURL.option) { continue }
      if isCached, option.name == Bytes("cache") {
        made.cache = try LayoutText.decoded(option.value)
        continue
      }
      if try layout?.take(option) ?? false { continue }
      made.store.append(separator)
      made.store.append(option.name)
      made.store.append(0x3D)
      made.store.append(option.value)
      separator = 0x26
    }
    if isCached, made.cache == nil {
      throw .syntax(
        "the layout of the store's URL needs the option cache: the URL of Django's cache", at: question &+ 1)
    }
    if let layout, let kind {
      var own = ByteBuffer()
      try layout.writeOptions(for: kind, to: &own)
      guard !own.failed else { throw .memory }
      if own.count > 0 {
        made.store.append(separator)
        made.store.append(own.bytes.dropFirst(1))
      }
    }
    guard !made.store.failed else { throw .memory }
    return made
  }

  /// Whether a manager on that store needs a secret, which nothing is opened for.
  static func needsSecret(_ url: Bytes) throws(Failure) -> Bool {
    guard let layout = try read(url)?.layout else { return true }
    return layout.cookieDialect != nil
  }

  private init(layout: Layout?) { self.layout = layout }
}

extension Layout.Kind {
  /// nil: no layout is for that scheme.
  init?(_ url: Bytes) {
    let scheme = url.slice(0, url.find(0x3A))
    switch scheme {
    case _ where scheme == Bytes("redis") || scheme == Bytes("rediss") || scheme == Bytes("unix"): self = .redis
    case _ where scheme == Bytes("memcached") || scheme == Bytes("memcacheds"): self = .memcached
    case _ where scheme == Bytes("postgresql") || scheme == Bytes("postgres"): self = .postgresql
    case _ where scheme == Bytes("file"): self = .file
    case _ where scheme == Bytes("sqlite"): self = .sqlite
    default: return nil
    }
  }
}

extension Layout {
  /// Writes `&name=value`, percent-encoded.
  static func write(_ name: StaticString, _ value: Bytes, to url: inout ByteBuffer) {
    url.append(0x26)
    url.append(name)
    url.append(0x3D)
    URLText.encode(value, to: &url)
  }
}
