import CSystem

/// Names in a store for what is ours and is no session: `~` and 39 hex digits of
/// HMAC-SHA-256 under a key that HKDF makes of the secret. No session's key has a
/// `~`, so no cookie leads there; and where another program takes any key from a
/// client, nobody without the secret knows the name.
final class RecordNames {
  static let size = 40
  private static let mark: UInt8 = UInt8(ascii: "~")

  /// What a name is for.
  enum Kind: UInt8 { case session = 0x73, owner = 0x6F }

  private let keys: HMACKeys

  static func make(_ secrets: SecretList) throws(Failure) -> RecordNames {
    let info = Bytes("tuile v1 record name")
    guard let keys = HMACKeys(count: secrets.count, .sha256) else { throw .memory }
    for i in Indices(secrets.count) {
      let secret = secrets[i]
      try withScratch(32) { (key) throws(Failure) in
        guard sys_hkdf_sha256(false, secret.lent, info.lent, key, 32) else {
          throw .memory
        }
        keys.set(i, key: Bytes(key, 32))
      }
    }
    return RecordNames(keys)
  }

  private init(_ keys: consuming HMACKeys) { self.keys = keys }

  /// How many secrets there are: the first one is the newest.
  var count: Int { keys.count }

  /// Lends the name that one of the secrets gives.
  func with<Answer>(
    _ secret: Int, _ kind: Kind, _ text: Bytes, _ body: (Bytes) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    var named = ByteBuffer()
    named.append(kind.rawValue)
    named.append(text)
    var name = ByteBuffer()
    name.append(RecordNames.mark)
    try withScratch(32) { (digest) throws(Failure) in
      keys.digest(secret, of: named.bytes, to: digest)
      Hex.encode(Bytes(digest, RecordNames.size / 2), to: &name)
    }
    guard !named.failed, !name.failed else { throw .memory }
    name.truncate(RecordNames.size)
    return try body(name.bytes)
  }

  /// Whether a store's key is of that form.
  static func isName(_ key: Bytes) -> Bool {
    guard key.count == size, key[0] == mark else { return false }
    var i = 1
    while i < size {
      guard key[i] &- UInt8(ascii: "0") < 10 || key[i] &- UInt8(ascii: "a") < 6 else { return false }
      i &+= 1
    }
    return true
  }
}
