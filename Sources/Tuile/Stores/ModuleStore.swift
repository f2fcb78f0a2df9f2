import CSystem
import CTuile

/// Stores in shared objects of their own, libtuile-NAME.so, so that the core
/// needs none of their libraries. A module stays loaded.
enum ModuleStore {
  /// The module for a URL's scheme, and whether it is one of ours.
  private static func module(_ scheme: Bytes) -> (name: Bytes, isOurs: Bool) {
    if scheme == Bytes("redis") || scheme == Bytes("rediss") || scheme == Bytes("unix") {
      return (Bytes("redis"), true)
    }
    if scheme == Bytes("memcached") || scheme == Bytes("memcacheds") { return (Bytes("memcached"), true) }
    if scheme == Bytes("postgresql") || scheme == Bytes("postgres") { return (Bytes("postgresql"), true) }
    return (scheme, false)
  }

  /// Throws for a URL whose scheme leads to no store.
  static func check(_ url: Bytes) throws(Failure) { _ = try load(try scheme(url)) }

  private static func scheme(_ url: Bytes) throws(Failure) -> Bytes {
    let scheme = url.slice(0, url.find(UInt8(ascii: ":")))
    guard isName(scheme), url.dropFirst(scheme.count).hasPrefix(Bytes("://")) else {
      throw .syntax(
        "the store's URL is none of memory:, cookie:, file:///, sqlite:///, redis://, rediss://, unix:///, postgresql://, memcached://, memcacheds:// and cached+URL"
      )
    }
    return scheme
  }

  static func open(_ url: Bytes, _ layout: Layout? = nil) throws(Failure) -> any Store {
    let scheme = try scheme(url)
    var ops = tuile_store_ops.standard()
    var context: UnsafeMutableRawPointer?
    var error = tuile_error()
    let open = unsafeBitCast(try load(scheme), to: tuile_module_open_function.self)
    let status = open(url.c, &ops, &context, &error)
    guard status == TUILE_OK else {
      let known = status.rawValue < 0 ? status : TUILE_E_STORE
      throw Failure(
        status: known, message: known == TUILE_E_SYNTAX ? "" : "the store was not opened", offset: error.offset,
        detail: Failure.Detail(sys_error_message(&error)))
    }
    let made = try CallbackStore.make(ops, context: context, isModule: true)
    made.layout = layout
    return made
  }

  /// a-z and 0-9 alone get into the name of a file.
  private static func isName(_ scheme: Bytes) -> Bool {
    guard !scheme.isEmpty, scheme.count <= 32 else { return false }
    for i in Indices(scheme.count) {
      guard scheme[i] &- UInt8(ascii: "a") < 26 || scheme[i] &- UInt8(ascii: "0") < 10 else { return false }
    }
    return true
  }

  private static func load(_ scheme: Bytes) throws(Failure) -> UnsafeMutableRawPointer {
    let (name, isOurs) = module(scheme)
    var detail = ByteBuffer()
    detail.append("libtuile-")
    detail.append(name)
    detail.append(".so")
    let size = detail.count
    detail.append(0)
    let found = UnsafeRawPointer(detail.bytes.start).withMemoryRebound(to: CChar.self, capacity: detail.count) {
      sys_module_symbol($0, "tuile_module_open")
    }
    if let found { return found }
    detail.truncate(size)
    guard isOurs else {
      throw Failure(
        status: TUILE_E_MISSING,
        message:
          "the store's URL has an unknown scheme: none of memory, cookie, file, sqlite, redis, rediss, unix, postgresql, postgres, memcached, memcacheds, cached+URL, nor of a module here",
        detail: Failure.Detail(detail.bytes))
    }
    detail.append(", in Debian's package libtuile-")
    detail.append(name)
    detail.append("0")
    throw Failure(
      status: TUILE_E_MISSING, message: "the store's module can't be loaded", detail: Failure.Detail(detail.bytes))
  }
}
