import CSystem

/// Secrets in the order of their use, wiped when they go. The first one writes,
/// all read.
final class Keyring {
  static let most = SecretList.mostFallbacks + 1
  private static let longest = 4096
  /// What a key must have unless weak ones are allowed: 256 bits, and not a word
  /// said over and over.
  static let strongSize = 32
  private static let strongKinds = 8

  enum Format { case text, hex, base64 }

  /// A key, and behind it in the same memory its block key.
  private struct Key {
    var start: UnsafeMutablePointer<UInt8>
    var count: Int
    var blockCount: Int
    var id: Int64?
  }

  private let allowWeak: Bool
  private let keys: UnsafeMutablePointer<Key>
  private(set) var count = 0

  static func make(allowWeak: Bool) throws(Failure) -> Keyring {
    guard let raw = calloc(most, MemoryLayout<Key>.stride) else { throw .memory }
    return Keyring(allowWeak, raw.assumingMemoryBound(to: Key.self))
  }

  private init(_ allowWeak: Bool, _ keys: UnsafeMutablePointer<Key>) {
    self.allowWeak = allowWeak
    self.keys = keys
  }

  deinit {
    while count > 0 {
      count &-= 1
      sys_wipe(keys[count].start, keys[count].count &+ keys[count].blockCount)
      free(keys[count].start)
    }
    free(keys)
  }

  subscript(index: Int) -> Bytes {
    index >= 0 && index < count ? Bytes(keys[index].start, keys[index].count) : Bytes()
  }

  /// What belongs to a key beside it: gorilla's block key, or none, and iron-session's id.
  func block(_ index: Int) -> Bytes {
    index >= 0 && index < count ? Bytes(keys[index].start + keys[index].count, keys[index].blockCount) : Bytes()
  }

  func id(_ index: Int) -> Int64? { index >= 0 && index < count ? keys[index].id : nil }

  func add(_ text: Bytes, _ format: Format, block: Bytes = Bytes(), id: Int64? = nil) throws(Failure) {
    guard count < Keyring.most else { throw .limit("more than 65 keys") }
    guard text.count <= Keyring.longest, block.count <= Keyring.longest else {
      throw .limit("the key has more than 4096 bytes")
    }
    if let id {
      guard id >= 0 else { throw .argument("the key's id is negative") }
      for i in Indices(count) {
        guard keys[i].id != id else { throw .argument("another key of the ring has this id") }
      }
    }
    var key = ByteBuffer()
    defer { key.wipe() }
    guard key.reserve(2 &* (Keyring.longest &+ 8)) else { throw .memory }
    try Keyring.decode(text, format, to: &key)
    guard !key.bytes.isEmpty else { throw .argument("the key is empty") }
    guard allowWeak || Keyring.isStrong(key.bytes) else {
      throw .argument("the key is weak: it has less than 32 bytes, or less than 8 kinds of them")
    }
    let size = key.count
    try Keyring.decode(block, format, to: &key)
    guard let raw = malloc(key.count) else { throw .memory }
    let copy = raw.assumingMemoryBound(to: UInt8.self)
    copy.copy(key.bytes)
    keys[count] = Key(start: copy, count: size, blockCount: key.count &- size, id: id)
    count &+= 1
  }

  private static func decode(_ text: Bytes, _ format: Format, to key: inout ByteBuffer) throws(Failure) {
    switch format {
    case .text: key.append(text)
    case .hex:
      guard try Hex.decode(text, anyCase: true, to: &key) else { throw .syntax("the key is not hex") }
    case .base64:
      guard !text.isEmpty else { return }
      guard try Keyring.decode(text, to: &key) else { throw .syntax("the key is not base64") }
    }
  }

  /// One key a line, or in a block of PEM; empty lines are passed over. What slipped in beside a
  /// key is an error.
  func addLines(_ text: Bytes, _ format: Format) throws(Failure) {
    try SecretLine.check(file: text)
    var position = 0
    let before = count
    while position < text.count {
      if let block = Keyring.endOfPEM(text, from: position) {
        try add(text.slice(position, block), format)
        position = block
        continue
      }
      let end = text.find(UInt8(ascii: "\n"), from: position)
      var line = text.slice(position, end)
      if line[line.count &- 1] == UInt8(ascii: "\r") { line = line.slice(0, line.count &- 1) }
      if !line.isEmpty {
        try SecretLine.check(line, at: position)
        try add(line, format)
      }
      position = end &+ 1
    }
    guard count > before else { throw .argument("there is no key") }
  }

  /// Behind the block of PEM that begins here, with its last line; nil if there is none.
  private static func endOfPEM(_ text: Bytes, from start: Int) -> Int? {
    guard text.dropFirst(start).hasPrefix(Bytes("-----BEGIN ")) else { return nil }
    var position = start
    while position < text.count {
      let end = text.find(UInt8(ascii: "\n"), from: position)
      let isLast = text.dropFirst(position).hasPrefix(Bytes("-----END "))
      position = end &+ 1
      if isLast { return min(position, text.count) }
    }
    return nil
  }

  /// What each key gives for a purpose.
  func derived(for purpose: Bytes) throws(Failure) -> Keyring {
    guard count > 0 else { throw .argument("the keyring is empty") }
    let ring = try Keyring.make(allowWeak: false)
    for i in Indices(count) {
      try Keyring.derived(self[i], purpose) { (key) throws(Failure) in try ring.add(key, .text) }
    }
    return ring
  }

  /// Lends the text of what a secret gives for a purpose.
  static func derived<Answer>(
    _ secret: Bytes, _ purpose: Bytes, _ body: (Bytes) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    guard !purpose.isEmpty else { throw .argument("the purpose is empty") }
    guard secret.count <= longest, purpose.count <= longest else {
      throw .limit("secret or purpose has more than 4096 bytes")
    }
    var info = ByteBuffer()
    info.append("tuile v1 derive")
    NativeToken.append(purpose, to: &info)
    guard !info.failed else { throw .memory }
    return try withScratch(32 &+ 43) { (key) throws(Failure) in
      guard sys_hkdf_sha256(false, secret.lent, info.bytes.lent, key, 32) else {
        throw .memory
      }
      Base64URL.encode(Bytes(key, 32), to: key + 32)
      return try body(Bytes(key + 32, 43))
    }
  }

  /// Either alphabet, padded or not.
  private static func decode(_ text: Bytes, to key: inout ByteBuffer) throws(Failure) -> Bool {
    let url = text.contains(UInt8(ascii: "-")) || text.contains(UInt8(ascii: "_"))
    let padded = text[text.count &- 1] == UInt8(ascii: "=")
    return try Base64(url: url, padded: padded).decode(text, to: &key)
  }

  private static func isStrong(_ key: Bytes) -> Bool {
    guard key.count >= strongSize else { return false }
    var kinds = 0
    var i = 0
    while i < key.count, kinds < strongKinds {
      if key.find(key[i]) == i { kinds &+= 1 }
      i &+= 1
    }
    return kinds >= strongKinds
  }
}
