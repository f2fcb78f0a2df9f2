import CTuile

struct SQLiteOptions {
  /// How long a call waits for other writers: `busy`, in milliseconds.
  var busyMilliseconds: Int32 = 5000
  /// `synchronous=full`: a commit survives power loss; else only kill -9.
  var synchronousFull = false
}

/// Opens the store that a URL names.
enum StoreURL {
  static let longest = 4096

  static func open(_ url: Bytes) throws(Failure) -> any Store {
    guard url.count <= longest else { throw .limit("the store's URL has more than 4096 bytes") }
    if url == Bytes("memory:") { return try MemoryStore.make() }
    let scheme: StaticString = "sqlite://"
    guard !url.hasPrefix(Bytes(CookieStore.scheme)) else {
      throw .argument("cookie: is no store of its own: name it in a manager's configuration")
    }
    guard url.hasPrefix(Bytes(scheme)) else {
      throw .syntax("the store's URL is none of memory:, sqlite:///absolute/path and cookie:")
    }
    let rest = url.dropFirst(scheme.utf8CodeUnitCount)
    guard rest[0] == 0x2F, rest.count > 1 else {
      throw .syntax("the path of a sqlite URL is absolute: sqlite:///path", at: scheme.utf8CodeUnitCount)
    }
    let question = rest.find(0x3F)
    var path = ByteBuffer()
    try decode(rest.slice(0, question), to: &path)
    return try SQLiteStore(path: path.bytes, options: try options(rest.dropFirst(question &+ 1)))
  }

  private static func options(_ query: Bytes) throws(Failure) -> SQLiteOptions {
    var options = SQLiteOptions()
    var from = 0
    while from < query.count {
      let end = query.find(0x26, from: from)
      let equals = min(query.find(0x3D, from: from), end)
      let name = query.slice(from, equals)
      let value = query.slice(equals &+ 1, end)
      if name == Bytes("busy"), let number = Numbers.read(value, base: 10), number >= 0, number <= 600_000 {
        options.busyMilliseconds = Int32(number)
      } else if name == Bytes("synchronous"), value == Bytes("full") || value == Bytes("normal") {
        options.synchronousFull = value == Bytes("full")
      } else {
        throw .syntax("the store's URL has an option that sqlite does not know, or a wrong value", at: from)
      }
      from = end &+ 1
    }
    return options
  }

  /// Percent-decodes a path (RFC 3986, section 2.1); NUL is refused.
  private static func decode(_ text: Bytes, to out: inout ByteBuffer) throws(Failure) {
    var i = 0
    while i < text.count {
      var byte = text[i]
      if byte == 0x25 {
        guard let high = Hex.digit(text[i &+ 1]), let low = Hex.digit(text[i &+ 2]) else {
          throw .syntax("'%' is not followed by two hex digits in the store's URL", at: i)
        }
        byte = high &<< 4 | low
        i &+= 2
      }
      guard byte != 0 else { throw .syntax("the store's path has a NUL", at: i) }
      out.append(byte)
      i &+= 1
    }
    guard !out.failed else { throw .memory }
  }
}
