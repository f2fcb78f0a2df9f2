import CSystem
import CTuile

/// An error that a server answered with, by its first word; the rest of its text
/// may repeat arguments, and with them a key, so it never gets into a message.
struct RedisAnswer {
  enum Meaning {
    /// Another node has the slot: for good, or for this command.
    case moved(slot: Int32, to: Bytes, port: Int32)
    case ask(to: Bytes, port: Int32)
    /// The script is not known here: it was not run.
    case noScript
    /// This server is no master any more.
    case demoted
    /// Nothing was done, and it may work in a moment.
    case again(Failure)
    case failed(Failure)
  }

  static func meaning(_ text: Bytes) -> Meaning {
    let line = ofScript(text)
    let space = line.find(UInt8(ascii: " "))
    let code = line.slice(0, space)
    let rest = line.dropFirst(space &+ 1)
    if code == Bytes("MOVED") || code == Bytes("ASK") {
      return redirection(rest, code) ?? .failed(failure("the Redis server sent a redirection that can't be", code))
    }
    if code == Bytes("NOSCRIPT") { return .noScript }
    if code == Bytes("READONLY") || code == Bytes("MASTERDOWN") { return .demoted }
    if code == Bytes("LOADING") { return .again(failure("the Redis server is loading its data", code)) }
    if code == Bytes("CLUSTERDOWN") { return .again(failure("the Redis cluster is down", code)) }
    if code == Bytes("TRYAGAIN") { return .again(failure("the Redis cluster is moving the key", code)) }
    if code == Bytes("BUSY") {
      return .again(
        Failure(status: TUILE_E_BUSY, message: "the Redis server is busy with a script", detail: Failure.Detail(code)))
    }
    if code == Bytes("WRONGTYPE") {
      return .failed(Failure(status: TUILE_E_CORRUPT, message: "the key holds something that is no session"))
    }
    if code == Bytes("OOM") { return .failed(failure("the Redis server's memory is full", code)) }
    if code == Bytes("NOAUTH") { return .failed(failure("the Redis server wants a password", code)) }
    if code == Bytes("WRONGPASS") { return .failed(failure("the Redis server knows no such user and password", code)) }
    if code == Bytes("NOPERM") { return .failed(failure("the Redis server lets this user not do that", code)) }
    return .failed(failure("the Redis server answered with an error", isWord(code) ? code : Bytes("ERR")))
  }

  /// Before Redis 7 a script's error is wrapped: "ERR Error running script (…): …: -OOM command …".
  private static func ofScript(_ text: Bytes) -> Bytes {
    guard text.hasPrefix(Bytes("ERR Error running script")) else { return text }
    var from = text.find(UInt8(ascii: "-"))
    while from < text.count {
      if text[from &- 1] == UInt8(ascii: " "), text[from &- 2] == UInt8(ascii: ":") { return text.dropFirst(from &+ 1) }
      from = text.find(UInt8(ascii: "-"), from: from &+ 1)
    }
    return text
  }

  private static func failure(_ message: StaticString, _ code: Bytes) -> Failure {
    Failure(status: TUILE_E_STORE, message: message, detail: Failure.Detail(code))
  }

  /// A-Z alone, which no key has.
  private static func isWord(_ code: Bytes) -> Bool {
    guard !code.isEmpty, code.count <= 20 else { return false }
    for i in Indices(code.count) {
      guard code[i] &- UInt8(ascii: "A") < 26 else { return false }
    }
    return true
  }

  /// "3999 127.0.0.1:6381"; an empty host is that of the server which says it.
  private static func redirection(_ text: Bytes, _ code: Bytes) -> Meaning? {
    let space = text.find(UInt8(ascii: " "))
    let address = text.dropFirst(space &+ 1)
    guard let slot = Numbers.read(text.slice(0, space), base: 10), slot >= 0, slot < Int64(ClusterSlots.count),
      let colon = address.findLast(UInt8(ascii: ":")), let port = Numbers.read(address.dropFirst(colon &+ 1), base: 10),
      port > 0, port < 65536, isHost(address.slice(0, colon))
    else { return nil }
    let host = address.slice(0, colon)
    let number = Int32(truncatingIfNeeded: port)
    if code == Bytes("ASK") { return .ask(to: host, port: number) }
    return .moved(slot: Int32(truncatingIfNeeded: slot), to: host, port: number)
  }

  /// A name or address, as servers name each other; "?" is a host that is not known.
  static func isHost(_ host: Bytes) -> Bool {
    guard host.count <= 255 else { return false }
    for i in Indices(host.count) {
      let c = host[i]
      guard
        c &- UInt8(ascii: "a") < 26 || c &- UInt8(ascii: "A") < 26 || c &- UInt8(ascii: "0") < 10
          || c == UInt8(ascii: ".") || c == UInt8(ascii: "-") || c == UInt8(ascii: ":") || c == UInt8(ascii: "_")
      else { return false }
    }
    return true
  }
}
