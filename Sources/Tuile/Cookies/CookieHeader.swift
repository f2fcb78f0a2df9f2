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
      let name = CookieHeader.trim(text, from, equals)
      if equals < end { return Pair(name: name, value: CookieHeader.trim(text, equals &+ 1, end)) }
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

  private static func trim(_ text: Bytes, _ from: Int, _ to: Int) -> Bytes {
    var low = from
    var high = to
    while low < high, text[low] == 0x20 || text[low] == 0x09 { low &+= 1 }
    while high > low, text[high &- 1] == 0x20 || text[high &- 1] == 0x09 { high &-= 1 }
    return text.slice(low, high)
  }
}
