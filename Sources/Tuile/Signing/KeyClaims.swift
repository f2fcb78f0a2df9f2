import CSystem

/// What a dialect uses its keys for, known to this process while the dialect is
/// open: a second dialect for which the same key would give away what the first one
/// signs, or the other way round, is refused.
///
/// Two uses of one HMAC key give each other away if one of them hands out MACs, and
/// what it may be made to sign is also what the other one signs, or derives a key from.
final class KeyClaims {
  /// The dialects whose tokens are of one kind.
  enum Family: Int32 {
    case django, djangoCookie, itsDangerous, flask, starlette, node, keygrip, rails, gorilla, rack, cookieRS, iron,
      fernet,
      tornado, jwt, laravel,
      authJS
  }

  enum Use {
    /// MACs of texts that begin so.
    case signs(prefix: Bytes)
    /// A key for other things is the MAC of this text, and never given out.
    case derives(Bytes)
    /// The same, of a text that the client has a say in.
    case derivesFromAny
  }

  private let family: Family
  private var claims: OpaquePointer?

  init(_ family: Family) { self.family = family }

  deinit { sys_claims_release(claims) }

  func add(_ keys: borrowing HMACKeys, _ use: Use) throws(Failure) {
    for i in Indices(keys.count) {
      try add(keys, i, use)
    }
  }

  func add(_ keys: borrowing HMACKeys, _ index: Int, _ use: Use) throws(Failure) {
    try Forks.prepare()
    var size = 0
    guard let random = sys_claim_text(&size) else { throw .random }
    let kind: sys_key_use
    let text: Bytes
    switch use {
    case .signs(let prefix): (kind, text) = (SYS_KEY_MAC, prefix)
    case .derives(let message): (kind, text) = (SYS_KEY_DERIVE_TEXT, message)
    case .derivesFromAny: (kind, text) = (SYS_KEY_DERIVE_ANY, Bytes())
    }
    let answer = try withScratch(Digest.largest) { (id) throws(Failure) in
      keys.digest(index, of: Bytes(random, size), to: id)
      return sys_claim_add(&claims, family.rawValue, kind, Bytes(id, keys.digest.size).lent, text.lent)
    }
    guard answer >= 0 else { throw .memory }
    guard answer == 0 else {
      throw .argument(
        "another dialect is open that uses this secret so that one gives the other away; derive a secret for each")
    }
  }
}
