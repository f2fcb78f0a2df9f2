import CTuile

/// All Cookie headers of a request, read as one: HTTP/2 lets a client split the
/// header (RFC 9113, section 8.2.3). Limits are checked while reading, so that
/// whatever is sent, the time is that of reading it once.
struct RequestCookies {
  enum Mode { case browser, django, strict }

  var headers: UnsafeBufferPointer<tuile_bytes>
  var mode = Mode.browser
  /// A negative limit is none: SIZE_MAX as Swift imports it.
  var maxHeader = 65536
  var maxCookies = 3000
  var maxName = 4096
  var maxValue = 4096

  /// Gives every pair to `body`, in order, and returns how many there are.
  /// The answer is the same wherever in the headers a limit is broken.
  func read(_ body: (CookieHeader.Pair) -> Void) throws(Failure) -> Int {
    try checkSize()
    var count = 0
    var before = 0
    for header in headers {
      guard let whole = Bytes(header) else { break }
      // The strict grammar has space around the header, but not within; taken
      // off once here, so that no cookie looks through it again.
      let text = mode == .strict ? whole.trimmed : whole
      let offset = before &+ (text.start - whole.start)
      var position = 0
      while let pair = try next(text, &position, offset) {
        guard maxCookies < 0 || count < maxCookies else { throw .limit("more cookies than the limit") }
        guard maxName < 0 || pair.name.count <= maxName else { throw .limit("a cookie's name is over the limit") }
        guard maxValue < 0 || pair.value.count <= maxValue else { throw .limit("a cookie's value is over the limit") }
        count &+= 1
        body(pair)
      }
      before &+= whole.count
    }
    return count
  }

  func value(of name: Bytes, last: Bool) throws(Failure) -> Bytes? {
    var found: Bytes?
    _ = try read { pair in
      if pair.name == name, last || found == nil { found = pair.value }
    }
    return found
  }

  private func checkSize() throws(Failure) {
    var left = maxHeader < 0 ? Int.max : maxHeader
    for header in headers {
      guard let text = Bytes(header) else { throw .argument("a header is NULL and has a size") }
      guard text.count <= left else { throw .limit("the Cookie headers are larger than the limit") }
      left &-= text.count
    }
  }

  private func next(_ text: Bytes, _ position: inout Int, _ offset: Int) throws(Failure) -> CookieHeader.Pair? {
    let header = CookieHeader(text: text)
    switch mode {
    case .browser: return header.next(&position)
    case .strict: return try header.nextStrict(&position, offset: offset)
    case .django:
      // Django keeps no pair that is empty on both sides.
      while let pair = header.next(&position) {
        if !pair.name.isEmpty || !pair.value.isEmpty { return pair }
      }
      return nil
    }
  }
}

extension CookieHeader {
  /// As `next`, where the header must be what RFC 6265bis, section 4.2.1, lets a
  /// client send: `name=value` pairs with "; " between them. `offset` is added to the place that a failure names.
  func nextStrict(_ position: inout Int, offset: Int) throws(Failure) -> Pair? {
    var i = position
    let end = text.count
    guard i < end else { return nil }
    let from = i
    while i < end, SetCookie.isTokenOctet(text[i]) { i &+= 1 }
    let name = text.slice(from, i)
    guard i < end, text[i] == UInt8(ascii: "=") else {
      throw .syntax("a cookie's name is no token, or has no '=' after it", at: i &+ offset)
    }
    guard !name.isEmpty else { throw .syntax("a cookie has no name", at: i &+ offset) }
    i &+= 1
    let first = i
    let quoted = i < end && text[i] == UInt8(ascii: "\"")
    if quoted { i &+= 1 }
    while i < end, SetCookie.isCookieOctet(text[i]) { i &+= 1 }
    if quoted {
      guard i < end, text[i] == UInt8(ascii: "\"") else {
        throw .syntax("a cookie's value has no closing quote", at: i &+ offset)
      }
      i &+= 1
    }
    let value = text.slice(first, i)
    if i < end {
      guard text[i] == UInt8(ascii: ";") else {
        throw .syntax("a cookie's value has an octet that is not allowed", at: i &+ offset)
      }
      guard text[i &+ 1] == UInt8(ascii: " "), i &+ 2 < end else {
        throw .syntax("after ';' a space and a cookie must follow", at: min(i &+ 1, end) &+ offset)
      }
      i &+= 2
    }
    position = i
    return Pair(name: name, value: value)
  }
}
