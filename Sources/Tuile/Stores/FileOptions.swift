import CSystem
import CTuile

/// What a URL file:///folder?options says.
struct FileOptions: ~Copyable, StoreOptions {
  /// What a write survives, beside kill -9: `off` nothing more, `data` a power
  /// loss with every session whole, `full` a power loss with every answered call.
  enum Sync { case off, data, full }

  static let longestPrefix = 64

  /// Before the key in a file's name, as Django has it: the cookie's name.
  var prefix = ByteBuffer()
  /// Django's SESSION_COOKIE_AGE, in microseconds: a file's time is so much before the expiry.
  var age: Int64 = 1_209_600_000_000
  private(set) var saysAge = false
  private(set) var saysSync = false
  /// How long a call waits for other writers: `busy`, in milliseconds.
  var busyMilliseconds: Int32 = 5000
  var sync = Sync.data
  /// `mode`: what opening may make, and whether anything is written.
  var mode = StoreMode.unsaid
  /// `others=list`: others than the folder's owner may list it, although the names are
  /// what the cookies of users hold.
  var othersMayList = false
  /// Whose files these are; nil: Django's.
  var layout: Layout?

  static let known: StaticString =
    "busy, age, prefix (a cookie's name), fsync (off, data, full), others (list), mode (ro, rw, rwc)"

  mutating func take(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("busy") {
      busyMilliseconds = Int32(truncatingIfNeeded: try option.number(0...600_000))
    } else if option.name == Bytes("age") {
      age = try option.number(1...Date.latest) &* 1_000_000
      saysAge = true
    } else if option.name == Bytes("prefix") {
      prefix.removeAll()
      try URLText.decode(option.value, to: &prefix)
      return FileOptions.isPrefix(prefix.bytes)
    } else if option.name == Bytes("fsync"), option.value == Bytes("off") {
      sync = .off
    } else if option.name == Bytes("fsync"), option.value == Bytes("data") {
      sync = .data
      saysSync = true
    } else if option.name == Bytes("fsync"), option.value == Bytes("full") {
      sync = .full
    } else if option.name == Bytes("others"), option.value == Bytes("list") {
      othersMayList = true
    } else if let said = StoreMode(option) {
      mode = said
    } else {
      return false
    }
    return true
  }

  /// A cookie's name that can begin a file's: no '/', and no '.' in front.
  private static func isPrefix(_ text: Bytes) -> Bool {
    guard !text.isEmpty, text.count <= longestPrefix, text[0] != UInt8(ascii: "."), !text.contains(UInt8(ascii: "/"))
    else { return false }
    return sys_skip_class(text.start, 0, text.count, UInt8(SYS_OCTET_TOKEN)) == text.count
  }
}

extension FileStore {
  static let scheme: StaticString = "file://"

  static func open(_ url: Bytes, _ layout: Layout? = nil) throws(Failure) -> any Store {
    var path = ByteBuffer()
    let query = try StoreURL.path(url, after: scheme, to: &path)
    var options = FileOptions()
    try options.read(query, at: url.count &- query.count)
    guard !options.prefix.failed else { throw .memory }
    if let layout {
      // Django's settings: others have their own.
      guard options.prefix.count == 0, !options.saysAge else {
        throw .syntax("the layout of the store's URL has no options prefix and age")
      }
      options.layout = layout
      // Whoever lists the folder sees keys that are worth nothing without their signature, or hashes.
      options.othersMayList = options.othersMayList || layout.cookieDialect != nil || layout.mapsKeys
    } else if options.prefix.count == 0 {
      options.prefix.append("sessionid")
      guard !options.prefix.failed else { throw .memory }
    }
    if options.mode == .unsaid, StoreURL.isInRoot(path.bytes), path.bytes.withCString({ !sys_is_there($0) }) {
      throw .syntax(
        "the path of a store's URL begins at /, and this one would make a folder in / itself: write the whole path, or add mode=rwc",
        at: scheme.count)
    }
    if let layout, layout.writesInPlace { return try InPlaceFileStore.make(path: path.bytes, layout, options) }
    return try FileStore.make(path: path.bytes, options: options)
  }
}
