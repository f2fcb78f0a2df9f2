/// The hosts that a cookie can be for: one rule for what is written, and for the jar.
/// Addresses have many spellings (`127.1`, `[0::1]`) and one of them is kept, that of
/// the URL standard (WHATWG, section 3.5).
enum HostName {
  /// Octets that DNS knows.
  static let largest = 255
  /// Room for any address: eight groups of four, their colons, two brackets.
  static let largestAddress = 41

  /// Letters, digits, '-', '_' and '.'; between brackets also ':'. Says where another octet is.
  static func firstOutside(_ host: Bytes) -> Int? {
    let bracketed = host[0] == UInt8(ascii: "[")
    if bracketed, host[host.count &- 1] != UInt8(ascii: "]") { return host.count &- 1 }
    var i = bracketed ? 1 : 0
    while i < (bracketed ? host.count &- 1 : host.count) {
      let c = host[i]
      let plain =
        c | 0x20 &- UInt8(ascii: "a") < 26 || c &- UInt8(ascii: "0") < 10 || c == UInt8(ascii: ".")
        || c == UInt8(ascii: "-") || c == UInt8(ascii: "_")
      guard plain || bracketed && c == UInt8(ascii: ":") else { return i }
      i &+= 1
    }
    return nil
  }

  enum Fault { case octet, label, dot, size, address }

  /// What a cookie's Domain must not have: a port, an empty label (so that none ends with a dot), or a
  /// number that is no address.
  static func check(_ domain: Bytes) -> (why: Fault, at: Int)? {
    guard domain.count <= largest else { return (.size, largest) }
    if let at = firstOutside(domain) { return (.octet, at) }
    if domain.isEmpty || domain[0] == UInt8(ascii: ".") { return (.label, 0) }
    for i in Indices(domain.count) {
      if domain[i] == UInt8(ascii: "."), i &+ 1 == domain.count { return (.dot, i &+ 1) }
      if domain[i] == UInt8(ascii: "."), domain[i &+ 1] == UInt8(ascii: ".") { return (.label, i &+ 1) }
    }
    guard !isAddress(domain) || isSameAddress(domain, domain) else { return (.address, 0) }
    return nil
  }

  /// Whether both are spellings of one address.
  static func isSameAddress(_ one: Bytes, _ other: Bytes) -> Bool {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 &* largestAddress) { room in
      guard let start = room.baseAddress else { return false }
      let size = writeAddress(one, to: start)
      let size2 = writeAddress(other, to: start + largestAddress)
      return size > 0 && Bytes(start, size) == Bytes(start + largestAddress, size2)
    }
  }

  /// In brackets, or the last label is a number, as the URL standard tells.
  static func isAddress(_ host: Bytes) -> Bool {
    if host[0] == UInt8(ascii: "[") { return true }
    let end = host[host.count &- 1] == UInt8(ascii: ".") ? host.count &- 1 : host.count
    let label = host.slice(0, end).findLast(UInt8(ascii: ".")).map { host.slice($0 &+ 1, end) } ?? host.slice(0, end)
    guard label[0] &- UInt8(ascii: "0") < 10 else { return false }
    if number(label) != nil { return true }
    var i = 0
    while i < label.count, label[i] &- UInt8(ascii: "0") < 10 { i &+= 1 }
    return i == label.count
  }

  /// Writes an address in the one form that is kept, 41 octets at most; 0 if it is none.
  static func writeAddress(_ host: Bytes, to room: UnsafeMutablePointer<UInt8>) -> Int {
    var writer = ByteWriter(room, capacity: largestAddress)
    if host[0] == UInt8(ascii: "[") {
      guard host.count > 2, host[host.count &- 1] == UInt8(ascii: "]") else { return 0 }
      return withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 8) { pieces in
        guard let start = pieces.baseAddress, readIPv6(host.slice(1, host.count &- 1), start) else { return 0 }
        writeIPv6(start, to: &writer)
        return writer.count
      }
    }
    guard let address = readIPv4(host) else { return 0 }
    var shift: UInt32 = 32
    while shift > 0 {
      shift &-= 8
      Numbers.write(Int64(address &>> shift & 0xFF), base: 10, to: &writer)
      if shift > 0 { writer.append(UInt8(ascii: ".")) }
    }
    return writer.count
  }

  /// One to four numbers, the last of which fills what is left.
  private static func readIPv4(_ host: Bytes) -> UInt32? {
    var rest = host[host.count &- 1] == UInt8(ascii: ".") ? host.slice(0, host.count &- 1) : host
    var address: UInt64 = 0
    var parts: UInt64 = 0
    while true {
      let dot = rest.find(UInt8(ascii: "."))
      guard parts < 4, let part = number(rest.slice(0, dot)) else { return nil }
      guard dot < rest.count else {
        guard part < 1 &<< (8 &* (4 &- parts)) else { return nil }
        return UInt32(truncatingIfNeeded: address &<< (8 &* (4 &- parts)) | part)
      }
      guard part < 256 else { return nil }
      address = address &<< 8 | part
      parts &+= 1
      rest = rest.dropFirst(dot &+ 1)
    }
  }

  /// Decimal, octal after a 0, hexadecimal after 0x; nil if it is no number of 32 bits.
  private static func number(_ text: Bytes) -> UInt64? {
    var digits = text
    var base: UInt64 = 10
    if text[0] == UInt8(ascii: "0"), text[1] | 0x20 == UInt8(ascii: "x") {
      (base, digits) = (16, text.dropFirst(2))
      if digits.isEmpty { return 0 }
    } else if text[0] == UInt8(ascii: "0"), text.count > 1 {
      (base, digits) = (8, text.dropFirst(1))
    }
    guard !digits.isEmpty else { return nil }
    var value: UInt64 = 0
    for i in Indices(digits.count) {
      guard let digit = Hex.digit(digits[i]), UInt64(digit) < base else { return nil }
      value = value &* base &+ UInt64(digit)
      guard value <= UInt64(UInt32.max) else { return nil }
    }
    return value
  }

  /// Eight pieces in hexadecimal, "::" for zeros, an IPv4 address at the end (RFC 4291, section 2.2).
  private static func readIPv6(_ text: Bytes, _ pieces: UnsafeMutablePointer<UInt16>) -> Bool {
    var count = 0
    var gap: Int?
    var i = 0
    if text[0] == UInt8(ascii: ":") {
      guard text[1] == UInt8(ascii: ":") else { return false }
      (gap, i) = (0, 2)
    }
    while i < text.count {
      guard count < 8 else { return false }
      if text[i] == UInt8(ascii: ":") {
        guard gap == nil else { return false }
        gap = count
        i &+= 1
        continue
      }
      var end = i
      while end < text.count, text[end] != UInt8(ascii: ":") { end &+= 1 }
      let piece = text.slice(i, end)
      if piece.contains(UInt8(ascii: ".")) {
        guard end == text.count, count <= 6, let low = dotted(piece) else { return false }
        pieces[count] = UInt16(truncatingIfNeeded: low &>> 16)
        pieces[count &+ 1] = UInt16(truncatingIfNeeded: low)
        count &+= 2
      } else {
        guard piece.count <= 4, let value = hexadecimal(piece) else { return false }
        pieces[count] = value
        count &+= 1
      }
      // A colon at the end has to be one of two.
      guard end < text.count else { break }
      i = end &+ 1
      guard i < text.count else { return false }
    }
    guard let gap else { return count == 8 }
    guard count < 8 else { return false }
    var tail = count &- gap
    var last = 7
    while tail > 0 {
      tail &-= 1
      pieces[last] = pieces[gap &+ tail]
      last &-= 1
    }
    while last >= gap {
      pieces[last] = 0
      last &-= 1
    }
    return true
  }

  private static func hexadecimal(_ text: Bytes) -> UInt16? {
    guard !text.isEmpty else { return nil }
    var result: UInt16 = 0
    for i in Indices(text.count) {
      guard let digit = Hex.digit(text[i]) else { return nil }
      result = result &<< 4 | UInt16(digit)
    }
    return result
  }

  /// Four decimal numbers without zeros before them.
  private static func dotted(_ text: Bytes) -> UInt32? {
    var rest = text
    var address: UInt32 = 0
    var parts = 0
    while true {
      let dot = rest.find(UInt8(ascii: "."))
      let part = rest.slice(0, dot)
      guard part[0] != UInt8(ascii: "-"), part[0] != UInt8(ascii: "0") || part.count == 1,
        let value = Numbers.read(part, base: 10), value < 256
      else { return nil }
      address = address &<< 8 | UInt32(truncatingIfNeeded: value)
      parts &+= 1
      guard dot < rest.count else { return parts == 4 ? address : nil }
      guard parts < 4 else { return nil }
      rest = rest.dropFirst(dot &+ 1)
    }
  }

  /// The first longest run of more than one zero is "::".
  private static func writeIPv6(_ pieces: UnsafeMutablePointer<UInt16>, to writer: inout ByteWriter) {
    var (from, length) = (8, 1)
    var i = 0
    while i < 8 {
      var end = i
      while end < 8, pieces[end] == 0 { end &+= 1 }
      if end &- i > length { (from, length) = (i, end &- i) }
      i = end &+ 1
    }
    writer.append(UInt8(ascii: "["))
    i = 0
    while i < 8 {
      if i == from {
        writer.append(i == 0 ? "::" : ":")
        i &+= length
        continue
      }
      var shift: UInt16 = 16
      var begun = false
      while shift > 0 {
        shift &-= 4
        let digit = UInt8(truncatingIfNeeded: pieces[i] &>> shift & 0xF)
        begun = begun || digit > 0 || shift == 0
        if begun { writer.append(digit < 10 ? digit &+ UInt8(ascii: "0") : digit &+ UInt8(ascii: "a") &- 10) }
      }
      if i < 7 { writer.append(UInt8(ascii: ":")) }
      i &+= 1
    }
    writer.append(UInt8(ascii: "]"))
  }
}
