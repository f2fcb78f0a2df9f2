import CTuile

/// The secret and its fallbacks as the caller gave them, borrowed; or a keyring.
struct SecretList {
  static let mostFallbacks = 64

  let secret: Bytes
  let fallbacks: UnsafePointer<tuile_bytes>?
  let count: Int
  private let keyring: Keyring?

  init(_ keyring: Keyring) throws(Failure) {
    guard keyring.count > 0 else { throw .argument("the keyring is empty") }
    self.keyring = keyring
    secret = keyring[0]
    fallbacks = nil
    count = keyring.count
  }

  init(secret: tuile_bytes, fallbacks: UnsafePointer<tuile_bytes>?, count: Int) throws(Failure) {
    guard let first = Bytes(secret), !first.isEmpty else { throw .argument("the secret is empty") }
    guard first.count <= 4096 else { throw .limit("the secret has more than 4096 bytes") }
    guard count >= 0, count <= SecretList.mostFallbacks else { throw .limit("more than 64 fallbacks") }
    guard count == 0 || fallbacks != nil else { throw .argument("fallbacks is NULL") }
    var i = 0
    while i < count, let fallbacks {
      guard let fallback = Bytes(fallbacks[i]), !fallback.isEmpty else { throw .argument("a fallback is empty") }
      guard fallback.count <= 4096 else { throw .limit("a fallback has more than 4096 bytes") }
      i &+= 1
    }
    self.secret = first
    self.fallbacks = fallbacks
    self.count = count &+ 1
    keyring = nil
  }

  /// One rule for what signs sessions: 32 bytes of text, or 256 bits in a ring, which
  /// has seen to that itself.
  func checkStrength() throws(Failure) {
    guard keyring == nil else { return }
    for i in Indices(count) {
      guard self[i].count >= Keyring.strongSize else {
        throw .argument("a secret has less than 32 bytes; generate one, or set allow_weak_secrets")
      }
    }
  }

  /// What a ring has beside a key.
  func block(_ index: Int) -> Bytes { keyring?.block(index) ?? Bytes() }
  func id(_ index: Int) -> Int64? { keyring?.id(index) }

  subscript(index: Int) -> Bytes {
    if let keyring { return keyring[index] }
    guard index > 0, index < count, let fallbacks else { return secret }
    return Bytes(fallbacks[index &- 1]) ?? Bytes()
  }
}
