/// A security token as Symfony keeps it in a session: an object of some class, as PHP's
/// serialize writes it. Of it only the user's name is looked for, and that only where it
/// stands plainly; no object is made.
struct SecurityToken {
  enum User {
    case text(Bytes)
    case number(Bytes)
  }

  private let text: Bytes
  private var position = 0
  private static let deepest = 64

  init(_ text: Bytes) { self.text = text }

  /// What Symfony's own and its makers' classes of users call their name, the first that is
  /// there; nil: the token is none, or its user's class keeps the name elsewhere.
  mutating func user() -> User? {
    guard text[0] == UInt8(ascii: "O"), let members = members(at: 0) else { return nil }
    // Behind it is nothing, and nothing in it is half.
    position = 0
    guard skip(0), position == text.count else { return nil }
    var found: Int?
    var each = members
    while let (name, value) = next(&each) {
      if case .text(let name) = name {
        if SecurityToken.plain(name) == Bytes("user") { found = value }
      } else if text[value] == UInt8(ascii: "a"), var inner = self.members(at: value), let (_, first) = next(&inner) {
        // What AbstractToken::__serialize gives: the user is in front.
        found = first
      }
    }
    guard let found else { return nil }
    return name(at: found)
  }

  private mutating func name(at value: Int) -> User? {
    if let scalar = scalar(at: value) { return scalar }
    var best: (rank: Int, user: User)?
    guard var each = members(at: value) else { return nil }
    while let (name, value) = next(&each) {
      guard case .text(let name) = name, let rank = SecurityToken.rank(SecurityToken.plain(name)),
        best.map({ rank < $0.rank }) ?? true, let user = scalar(at: value)
      else { continue }
      best = (rank, user)
    }
    return best?.user
  }

  private static func rank(_ name: Bytes) -> Int? {
    switch name {
    case _ where name == Bytes("userIdentifier"): 0
    case _ where name == Bytes("username"): 1
    case _ where name == Bytes("email"): 2
    case _ where name == Bytes("id"): 3
    default: nil
    }
  }

  /// A property without the class that it is private to.
  private static func plain(_ name: Bytes) -> Bytes {
    name[0] == 0 ? name.dropFirst((name.findLast(0) ?? 0) &+ 1) : name
  }

  /// A text that is not empty, or a whole number.
  private func scalar(at value: Int) -> User? {
    var copy = self
    copy.position = value
    guard copy.skip(0) else { return nil }
    let raw = text.slice(value, copy.position)
    if raw[0] == UInt8(ascii: "i") {
      let digits = raw.slice(2, raw.count &- 1)
      guard Numbers.read(digits, base: 10) != nil, digits[0] != UInt8(ascii: "0") || digits.count == 1 else {
        return nil
      }
      return .number(digits)
    }
    guard let name = PHPText.read(raw), !name.isEmpty else { return nil }
    return .text(name)
  }

  // MARK: Members of an array or object

  private struct Members {
    var left: Int
    var position: Int
  }

  private func members(at value: Int) -> Members? {
    var copy = self
    copy.position = value
    guard let count = copy.open() else { return nil }
    return Members(left: count, position: copy.position)
  }

  /// The next one's name, and where its value is.
  private func next(_ members: inout Members) -> (User, Int)? {
    guard members.left > 0, let name = scalar(at: members.position) else { return nil }
    var copy = self
    copy.position = members.position
    guard copy.skip(0) else { return nil }
    let value = copy.position
    guard copy.skip(0) else { return nil }
    members.left &-= 1
    members.position = copy.position
    return (name, value)
  }

  // MARK: What PHP writes

  /// Of an array, or an object without a form of its own: how many members follow.
  private mutating func open() -> Int? {
    let tag = text[position]
    guard tag == UInt8(ascii: "a") || tag == UInt8(ascii: "O") else { return nil }
    position &+= 1
    if tag == UInt8(ascii: "O") { guard take(UInt8(ascii: ":")), takeText() else { return nil } }
    guard take(UInt8(ascii: ":")), let count = PHPText.size(text, &position), take(UInt8(ascii: "{")) else {
      return nil
    }
    return count
  }

  /// Over one value, whatever it is.
  private mutating func skip(_ depth: Int) -> Bool {
    guard depth < SecurityToken.deepest else { return false }
    let tag = text[position]
    switch tag {
    case UInt8(ascii: "a"), UInt8(ascii: "O"):
      guard var left = open() else { return false }
      while left > 0 {
        guard skip(depth &+ 1), skip(depth &+ 1) else { return false }
        left &-= 1
      }
      return take(UInt8(ascii: "}"))
    case UInt8(ascii: "s"):
      position &+= 1
      return take(UInt8(ascii: ":")) && takeText() && take(UInt8(ascii: ";"))
    case UInt8(ascii: "N"):
      position &+= 1
      return take(UInt8(ascii: ";"))
    case UInt8(ascii: "i"), UInt8(ascii: "b"), UInt8(ascii: "d"), UInt8(ascii: "r"), UInt8(ascii: "R"):
      position = text.find(UInt8(ascii: ";"), from: position) &+ 1
      return position <= text.count
    case UInt8(ascii: "E"):
      position &+= 1
      return take(UInt8(ascii: ":")) && takeText() && take(UInt8(ascii: ";"))
    case UInt8(ascii: "C"):
      position &+= 1
      guard take(UInt8(ascii: ":")), takeText(), take(UInt8(ascii: ":")), let size = PHPText.size(text, &position),
        take(UInt8(ascii: "{")), size <= text.count &- position
      else { return false }
      position &+= size
      return take(UInt8(ascii: "}"))
    default: return false
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool { PHPText.take(text, byte, &position) }

  /// `SIZE:"…"`.
  private mutating func takeText() -> Bool { PHPText.string(text, &position) != nil }
}
