import CPostgreSQL
import CSystem
import CTuile

/// What a URL postgresql://… says: our options of its query, and the rest, which is libpq's.
struct PostgreSQLOptions: ~Copyable, StoreOptions {
  /// `connect` is for each server that the URL names.
  var limits = Limits()
  /// The server keeps the commands, each connection its own; off behind a
  /// pooler that shares connections between transactions.
  var prepare = true
  var mode = StoreMode.unsaid
  /// A layout's table and columns; empty: Django's.
  var table = ByteBuffer()
  var columns = ByteBuffer()

  /// Reads the options and hands libpq's part of the URL to `body`.
  static func read<Answer>(
    _ url: Bytes, _ body: (consuming PostgreSQLOptions, UnsafePointer<CChar>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    var options = PostgreSQLOptions()
    var rest = ByteBuffer()
    defer { rest.wipe() }
    guard !url.contains(0) else { throw .syntax("the store's URL has a NUL", at: url.find(0)) }
    let question = url.find(UInt8(ascii: "?"))
    try check(url.slice(0, question))
    rest.append(url.slice(0, question))
    var separator: StaticString = "?"
    var query = URLText.Options(url.dropFirst(question &+ 1))
    while let option = query.next() {
      do throws(Failure) {
        if try options.take(option) { continue }
        guard pg_settings_knows(option.name.start, option.name.count) else {
          throw option.refused(known: PostgreSQLOptions.known)
        }
        guard !option.value.isEmpty else {
          throw Failure(
            status: TUILE_E_SYNTAX, message: "an option of the store's URL has no value", offset: option.offset,
            detail: Failure.Detail(option.name))
        }
      } catch {
        throw error.moved(by: question &+ 1)
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
    let start = url.find(UInt8(ascii: ":")) &+ 3
    let at = url.find(UInt8(ascii: "@"), from: start)
    let ends = at == url.count || at < url.find(UInt8(ascii: "/"), from: start)
    guard ends, url.find(UInt8(ascii: "@"), from: at &+ 1) == url.count else {
      throw .syntax("an '@' or '/' in the user or the password is written %40 or %2F", at: at)
    }
  }

  static let known: StaticString =
    "prepare (on, off), mode (ro, rw, rwc), timeout, wait, pool, idle, retries, connect, and what libpq knows"

  /// true if the option is ours.
  mutating func take(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("connect_timeout") {
      // libpq's own word for it, in seconds, which it leaves to its caller here.
      limits.connect = Int32(truncatingIfNeeded: try option.number(1...600) &* 1000)
    } else if option.name == Bytes("prepare") {
      guard option.value == Bytes("on") || option.value == Bytes("off") else { return false }
      prepare = option.value == Bytes("on")
    } else if let said = StoreMode(option) {
      mode = said
    } else if option.name == Bytes("table") {
      table.removeAll()
      try URLText.decode(option.value, to: &table)
    } else if option.name == Bytes("columns") {
      columns.removeAll()
      try URLText.decode(option.value, to: &columns)
    } else {
      return try limits.take(option)
    }
    return true
  }
}
