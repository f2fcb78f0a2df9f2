/// One parameter of a URL: `;name=value` in its path or `name=value` in its query
/// (RFC 3986). The rest of the URL is never looked into, and kept to the octet.
struct URLParameter {
  enum Place { case path, query }

  let url: Bytes
  let place: Place

  /// Where the value stands, and where the parameter with its separator begins.
  private func find(_ name: Bytes) -> (from: Int, value: Int, end: Int)? {
    let fragment = url.find(0x23)
    let query = min(url.find(0x3F), fragment)
    var i = place == .path ? min(url.find(0x3B), query) : query
    let last = place == .path ? query : fragment
    while i < last {
      // At a separator: ';', or '?' and '&'.
      let from = i &+ 1
      var end = from
      while end < last, !isSeparator(url[end]) { end &+= 1 }
      let equals = from &+ name.count
      if equals < end, url[equals] == 0x3D, url.slice(from, equals) == name { return (i, equals &+ 1, end) }
      i = end
      // Past what is no separator of ours: the rest of a path's segment.
      while place == .path, i < last, url[i] != 0x3B { i &+= 1 }
    }
    return nil
  }

  private func isSeparator(_ c: UInt8) -> Bool { place == .path ? c == 0x3B || c == 0x2F : c == 0x26 }

  func value(of name: Bytes) -> Bytes? {
    guard let found = find(name) else { return nil }
    return url.slice(found.value, found.end)
  }

  /// Writes the URL with the parameter set, or without it if `value` is nil. A
  /// parameter that is there keeps its place; a new one comes at the end of the
  /// path or query.
  func write(_ name: Bytes, _ value: Bytes?, to writer: inout ByteWriter) {
    let fragment = url.find(0x23)
    let query = min(url.find(0x3F), fragment)
    if let found = find(name) {
      if let value {
        writer.append(url.slice(0, found.value))
        writer.append(value)
        writer.append(url.dropFirst(found.end))
      } else if place == .path || url[found.end] != 0x26 {
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
      writer.append(0x3B)
    } else if query == at {
      writer.append(0x3F)
    } else if at &- 1 != query, url[at &- 1] != 0x26 {
      writer.append(0x26)
    }
    writer.append(name)
    writer.append(0x3D)
    writer.append(value)
    writer.append(url.dropFirst(at))
  }

  /// Octets that mean nothing in a path or query, so that nothing else changes.
  static func check(_ text: Bytes) throws(Failure) {
    var i = 0
    while i < text.count {
      let c = text[i]
      let plain = c | 0x20 &- 0x61 < 26 || c &- 0x30 < 10
      guard plain || c == 0x2D || c == 0x2E || c == 0x5F || c == 0x7E || c == 0x3A || c == 0x25 else {
        throw .syntax("name or value has an octet with a meaning in URLs; percent-encode it", at: i)
      }
      i &+= 1
    }
  }
}
