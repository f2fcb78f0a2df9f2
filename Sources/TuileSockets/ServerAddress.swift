import CSystem
import CTuile

/// Where a server is: a host and port, or the path of a unix socket.
final class ServerAddress {
  let host: CText
  /// 0: `host` is a path.
  let port: Int32
  /// The part of the keys that is the server's, where several share them.
  let weight: Int32

  init(_ host: CText, port: Int32, weight: Int32 = 1) {
    self.host = host
    self.port = port
    self.weight = weight
  }

  func isSame(_ host: Bytes, _ port: Int32) -> Bool { self.port == port && self.host.bytes == host }

  /// host[:port][,host[:port]…]; `weighted`: each with `:weight` behind it, perhaps. `offset`
  /// is where the text begins in its URL.
  static func read(
    _ text: Bytes, at offset: Int, port standard: Int64, most: Int, weighted: Bool = false
  ) throws(Failure) -> [ServerAddress] {
    var found: [ServerAddress] = []
    var from = 0
    repeat {
      let comma = text.find(UInt8(ascii: ","), from: from)
      guard found.count < most, let address = try read(text.slice(from, comma), port: standard, weighted: weighted)
      else {
        throw .syntax("a host or port of the store's URL is not valid, or there are too many", at: offset &+ from)
      }
      found.append(address)
      from = comma &+ 1
    } while from <= text.count
    return found
  }

  private static func read(
    _ entry: Bytes, port standard: Int64, weighted: Bool
  ) throws(Failure) -> ServerAddress? {
    // A numeric IPv6 address stands in brackets.
    let isNumeric = entry[0] == UInt8(ascii: "[")
    let close = isNumeric ? entry.find(UInt8(ascii: "]")) : 0
    guard close < max(entry.count, 1) else { return nil }
    let colon = entry.find(UInt8(ascii: ":"), from: close)
    var host = isNumeric ? entry.slice(1, close) : entry.slice(0, colon)
    if host.isEmpty { host = Bytes("localhost") }
    var (port, weight) = (standard, Int64(1))
    if colon < entry.count {
      let rest = entry.dropFirst(colon &+ 1)
      let second = weighted ? rest.find(UInt8(ascii: ":")) : rest.count
      guard let number = Numbers.read(rest.slice(0, second), base: 10) else { return nil }
      port = number
      if second < rest.count {
        guard let number = Numbers.read(rest.dropFirst(second &+ 1), base: 10) else { return nil }
        weight = number
      }
    }
    guard port > 0, port < 65536, weight > 0, weight <= 1000, host.count <= 255 else { return nil }
    return ServerAddress(
      try CText.decoded(host), port: Int32(truncatingIfNeeded: port), weight: Int32(truncatingIfNeeded: weight))
  }
}

extension Array {
  /// nil where there is none, where a subscript would trap.
  func at(_ index: Int) -> Element? { index >= 0 && index < count ? self[index] : nil }
}

extension Failure {
  /// The same, with the server that it is about in front: no part of a URL that may be a secret.
  func about(_ address: ServerAddress) -> Failure {
    guard status == TUILE_E_STORE, !Bytes(message).isEmpty else { return self }
    var text = ByteBuffer()
    Failure.append(address, to: &text)
    text.append(": ")
    text.append(Bytes(message))
    if let detail {
      text.append(": ")
      text.append(detail.text.bytes)
    }
    guard !text.failed else { return .memory }
    return Failure(status: status, message: "", detail: Detail(text.bytes))
  }

  /// What is long is cut, so that the reason has room behind it, and a line stays one.
  private static func append(_ address: ServerAddress, to text: inout ByteBuffer) {
    let host = address.host.bytes
    let isNumeric = address.port != 0 && host.contains(UInt8(ascii: ":"))
    if isNumeric { text.append("[") }
    var i = 0
    while i < min(host.count, 108) {
      let byte = host[i]
      text.append(byte > 0x20 && byte < 0x7F ? byte : UInt8(ascii: "?"))
      i &+= 1
    }
    if isNumeric { text.append("]") }
    guard address.port != 0 else { return }
    text.append(":")
    Numbers.writeDecimal(Int64(address.port), to: &text)
  }
}
