import CSystem

/// A Cookie header as browsers send it (RFC 6265bis, section 4.2): pairs between
/// semicolons, split at the first `=`. Without one the pair has no name, as
/// browsers mean it. Only space and tab around name and value are dropped, names
/// are never decoded, and quotes belong to the value.
struct CookieHeader {
  struct Pair {
    let name: Bytes
    let value: Bytes
  }

  let text: Bytes

  /// The pair at or after `position`, which moves past it; nil at the end. Empty
  /// pieces (`;;`) are passed over.
  func next(_ position: inout Int) -> Pair? {
    while position >= 0, position < text.count {
      var equals = 0
      let end = sys_find_pair(text.start, position, text.count, &equals)
      let from = position
      position = end &+ 1
      let name = text.trimmed(from, equals)
      if equals < end { return Pair(name: name, value: text.trimmed(equals &+ 1, end)) }
      if !name.isEmpty { return Pair(name: Bytes(), value: name) }
    }
    return nil
  }

  func value(of name: Bytes, last: Bool) -> Bytes? {
    var position = 0
    var found: Bytes?
    while let pair = next(&position) {
      if pair.name == name {
        found = pair.value
        if !last { break }
      }
    }
    return found
  }
}
