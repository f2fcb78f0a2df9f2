/// One parameter of a URL: `;name=value` in its path or `name=value` in its query
/// (RFC 3986). The rest of the URL is never looked into, and kept to the octet.
struct URLParameter {
  enum Place { case path, query }

  let url: Bytes
  let place: Place

  /// Where the value stands, and where the parameter with its separator begins.
  private func find(_ name: Bytes) -> (from: Int, value: Int, end: Int)? {
    let fragment = url.find(UInt8(ascii: "#"))
    let query = min(url.find(UInt8(ascii: "?")), fragment)
    var i = place == .path ? min(url.find(UInt8(ascii: ";")), query) : query
    let last = place == .path ? query : fragment
    while i < last {
      // At a separator: ';', or '?' and '&'.
      let from = i &+ 1
      var end = from
      while end < last, !isSeparator(url[end]) { end &+= 1 }
      let equals = from &+ name.count
      if equals < end, url[equals] == UInt8(ascii: "="), url.slice(from, equals) == name {
        return (i, equals &+ 1, end)
      }
      i = end
      // Past what is no separator of ours: the rest of a path's segment.
      while place == .path, i < last, url[i] != UInt8(ascii: ";") { i &+= 1 }
    }
    return nil
  }

  private func isSeparator(_ c: UInt8) -> Bool {
    place == .path ? c == UInt8(ascii: ";") || c == UInt8(ascii: "/") : c == UInt8(ascii: "&")
  }

  func value(of name: Bytes) -> Bytes? {
    guard let found = find(name) else { return nil }
    return url.slice(found.value, found.end)
  }

  /// Writes the URL with the parameter set, or without it if `value` is nil. A
  /// parameter that is there keeps its place; a new one comes at the end of the
  /// path or query.
  func write(_ name: Bytes, _ value: Bytes?, to writer: inout ByteWriter) {
    let fragment = url.find(UInt8(ascii: "#"))
    let query = min(url.find(UInt8(ascii: "?")), fragment)
    if let found = find(name) {
      if let value {
        writer.append(url.slice(0, found.value))
        writer.append(value)
        writer.append(url.dropFirst(found.end))
      } else if place == .path || url[found.end] != UInt8(ascii: "&") {
        writer.append(url.slice(0, found.from))
        writer.append(url.dropFirst(found.end))
      } else {
        // The next one moves up behind the '?' or '&'.
        writer.append(url.slice(0, found.from &+ 1))
        writer.append(url.dropFirst(found.end &+ 1))
      }
      return
    }
    guard let value else {
      writer.append(url)
      return
    }
    let at = place == .path ? query : fragment
    writer.append(url.slice(0, at))
    if place == .path {
      writer.append(UInt8(ascii: ";"))
    } else if query == at {
      writer.append(UInt8(ascii: "?"))
    } else if at &- 1 != query, url[at &- 1] != UInt8(ascii: "&") {
      writer.append(UInt8(ascii: "&"))
    }
    writer.append(name)
    writer.append(UInt8(ascii: "="))
    writer.append(value)
    writer.append(url.dropFirst(at))
  }

  /// Octets that mean nothing in a path or query, so that nothing else changes.
  static func check(_ text: Bytes) throws(Failure) {
    for i in Indices(text.count) {
      let c = text[i]
      let plain = c | 0x20 &- UInt8(ascii: "a") < 26 || c &- UInt8(ascii: "0") < 10
      guard
        plain || c == UInt8(ascii: "-") || c == UInt8(ascii: ".") || c == UInt8(ascii: "_") || c == UInt8(ascii: "~")
          || c == UInt8(ascii: ":") || c == UInt8(ascii: "%")
      else {
        throw .syntax("name or value has an octet with a meaning in URLs; percent-encode it", at: i)
      }
    }
  }
}
