import CPostgreSQL
import CSystem
import CTuile

/// What a URL postgresql://… says: our options of its query, and the rest, which is libpq's.
struct Options {
  /// Milliseconds for each server to be connected to.
  var connect: Int32 = 1000
  /// Milliseconds for a command.
  var timeout: Int32 = 1000
  /// Milliseconds for a connection of the pool.
  var wait: Int32 = 1000
  var pool: Int32 = 16
  /// How often more something is tried that can do no harm twice.
  var retries = 2
  /// The server keeps the commands, each connection its own; off behind a
  /// pooler that shares connections between transactions.
  var prepare = true

  /// Reads the options and hands libpq's part of the URL to `body`.
  static func read<Answer>(
    _ url: Bytes, _ body: (Options, UnsafePointer<CChar>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    var options = Options()
    var rest = ByteBuffer()
    defer { rest.wipe() }
    let question = url.find(0x3F)
    try check(url.slice(0, question))
    rest.append(url.slice(0, question))
    var separator: StaticString = "?"
    var query = URLText.Options(url.dropFirst(question &+ 1))
    while let option = query.next() {
      guard try !options.take(option, at: question &+ 1) else { continue }
      guard pg_settings_knows(option.name.start, option.name.count) else {
        throw unknown(option, at: question &+ 1)
      }
      rest.append(separator)
      rest.append(option.name)
      rest.append("=")
      rest.append(option.value)
      separator = "&"
    }
    rest.append(0)
    guard !rest.failed else { throw .memory }
    return try body(options, UnsafeRawPointer(rest.bytes.start).assumingMemoryBound(to: CChar.self))
  }

  /// libpq would take part of a password with an '@' or a '/' in it for a host, a
  /// port or a database, and name it in its messages.
  private static func check(_ url: Bytes) throws(Failure) {
    if url.contains(0) { throw .syntax("the store's URL has a NUL", at: url.find(0)) }
    let start = url.find(0x3A) &+ 3
    let authority = url.slice(start, url.find(0x2F, from: start))
    let at = url.find(0x40, from: start)
    guard url.find(0x40, from: at &+ 1) == url.count, at == url.count || at < start &+ authority.count else {
      throw .syntax("an '@' or '/' in the user or the password is written %40 or %2F", at: at)
    }
  }

  private static func unknown(_ option: URLText.Option, at offset: Int) -> Failure {
    .syntax(
      "the store's URL has an option that this store does not know, or a wrong value", at: offset &+ option.offset)
  }

  /// true if the option is ours.
  private mutating func take(_ option: URLText.Option, at offset: Int) throws(Failure) -> Bool {
    func number(_ range: ClosedRange<Int64>) throws(Failure) -> Int32 {
      guard let number = Numbers.read(option.value, base: 10), range.contains(number) else {
        throw Options.unknown(option, at: offset)
      }
      return Int32(truncatingIfNeeded: number)
    }
    if option.name == Bytes("connect") {
      connect = try number(1...600_000)
    } else if option.name == Bytes("connect_timeout") {
      // libpq's own word for it, in seconds, which it leaves to its caller here.
      connect = try number(1...600) &* 1000
    } else if option.name == Bytes("timeout") {
      timeout = try number(1...600_000)
    } else if option.name == Bytes("wait") {
      wait = try number(0...600_000)
    } else if option.name == Bytes("pool") {
      pool = try number(1...1024)
    } else if option.name == Bytes("retries") {
      retries = Int(try number(0...100))
    } else if option.name == Bytes("prepare") {
      guard option.value == Bytes("on") || option.value == Bytes("off") else {
        throw Options.unknown(option, at: offset)
      }
      prepare = option.value == Bytes("on")
    } else {
      return false
    }
    return true
  }
}
