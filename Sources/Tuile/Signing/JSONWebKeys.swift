import CSystem

/// The keys of JWTs: each secret says itself of which algorithm it is (RFC 7518), so
/// that no token can. A text is a key of HMAC, PEM a key of RSA, P-256 or Ed25519.
/// Private ones are wiped when they go.
final class JSONWebKeys {
  private struct Key {
    /// Of HMAC, then the entry of `macs` with the same index.
    var asymmetric: OpaquePointer?
    var kind: sys_key_kind
    var canSign: Bool
  }

  private static let shortestRSA: Int32 = 2048

  private let keys: UnsafeMutablePointer<Key>
  let macs: HMACKeys

  static func make(_ settings: SignerSettings) throws(Failure) -> JSONWebKeys {
    let count = settings.secrets.count
    let digest = settings.digest ?? .sha256
    guard digest != .sha1 else { throw .argument("the digest is none of sha256, sha384, sha512") }
    guard let macs = HMACKeys(count: count, digest), let raw = calloc(max(1, count), MemoryLayout<Key>.stride) else {
      throw .memory
    }
    let made = JSONWebKeys(macs, raw.assumingMemoryBound(to: Key.self))
    for i in Indices(count) {
      let secret = settings.secrets[i]
      if isPEM(secret) {
        made.keys[i] = try read(secret)
        guard settings.digest == nil || digest == .sha256 else {
          throw .argument("a digest is for HMAC; RSA and P-256 have SHA-256, Ed25519 its own")
        }
      } else {
        try check(secret, digest, settings.legacy)
        made.keys[i] = Key(asymmetric: nil, kind: SYS_KEY_OTHER, canSign: true)
        made.macs.set(i, key: secret)
      }
    }
    return made
  }

  private init(_ macs: consuming HMACKeys, _ keys: UnsafeMutablePointer<Key>) {
    self.macs = macs
    self.keys = keys
  }

  deinit {
    for i in Indices(macs.count) {
      sys_key_free(keys[i].asymmetric)
    }
    free(keys)
  }

  private static func isPEM(_ secret: Bytes) -> Bool {
    var at = secret.findPair(UInt8(ascii: "-"))
    while at < secret.count {
      if secret.dropFirst(at).hasPrefix(Bytes("-----BEGIN ")) { return true }
      at = at &+ 1 &+ secret.dropFirst(at &+ 1).findPair(UInt8(ascii: "-"))
    }
    return false
  }

  private static func read(_ pem: Bytes) throws(Failure) -> Key {
    var kind = SYS_KEY_OTHER
    var bits: Int32 = 0
    var canSign = false
    guard let key = sys_key_read(pem.start, pem.count, &kind, &bits, &canSign) else {
      throw .argument("the secret is no key in PEM without a passphrase (PUBLIC KEY, PRIVATE KEY, RSA, EC)")
    }
    let read = Key(asymmetric: key, kind: kind, canSign: canSign)
    if kind == SYS_KEY_OTHER || kind == SYS_KEY_RSA && bits < shortestRSA { sys_key_free(key) }
    guard kind != SYS_KEY_OTHER else { throw .argument("the key is none of RSA, P-256 and Ed25519") }
    guard kind != SYS_KEY_RSA || bits >= shortestRSA else { throw .argument("the RSA key has less than 2048 bits") }
    return read
  }

  /// A key of HMAC has the size of its hash at least (RFC 7518, section 3.2), and is no public
  /// key in another form, which everybody could sign with.
  private static func check(_ secret: Bytes, _ digest: Digest, _ allowShort: Bool) throws(Failure) {
    guard allowShort || secret.count >= digest.size else {
      throw .argument("the secret is shorter than its hash: 32, 48 or 64 bytes for HS256, HS384, HS512")
    }
    guard !secret.hasPrefix(Bytes("ssh-")), !secret.hasPrefix(Bytes("ecdsa-sha2-")) else {
      throw .argument("the secret is a key of SSH: give it in PEM")
    }
    guard JSONText.member("kty", of: secret) == nil else { throw .argument("the secret is a JWK: give it in PEM") }
  }

  var count: Int { macs.count }

  func isHMAC(_ index: Int) -> Bool { index >= 0 && index < count && keys[index].asymmetric == nil }

  /// Its name in a header.
  func algorithm(_ index: Int) -> StaticString {
    if isHMAC(index) { return macs.digest == .sha256 ? "HS256" : macs.digest == .sha384 ? "HS384" : "HS512" }
    guard index >= 0, index < count else { return "" }
    return keys[index].kind == SYS_KEY_RSA ? "RS256" : keys[index].kind == SYS_KEY_P256 ? "ES256" : "EdDSA"
  }

  /// Appends the first key's signature.
  func sign(_ text: Bytes, to out: inout ByteBuffer) throws(Failure) {
    guard keys[0].canSign else { throw .argument("the key can't sign: HMAC and a private key of P-256 can") }
    try withScratch(Digest.largest) { (signature) throws(Failure) in
      if let key = keys[0].asymmetric {
        guard sys_key_sign_p256(key, text.start, text.count, signature) else { throw .memory }
        out.append(Bytes(signature, 64))
      } else {
        macs.digest(0, of: text, to: signature)
        out.append(Bytes(signature, macs.digest.size))
      }
    }
  }

  /// The key of this algorithm that made the signature.
  func matching(_ text: Bytes, _ signature: Bytes, algorithm name: Bytes) throws(Failure) -> Int? {
    try withScratch(Digest.largest) { (mac) throws(Failure) in
      for i in Indices(count) {
        if Bytes(algorithm(i)) == name {
          if let key = keys[i].asymmetric {
            if sys_key_verify(key, keys[i].kind, text.start, text.count, signature.start, signature.count) { return i }
          } else {
            macs.digest(i, of: text, to: mac)
            if ConstantTime.equal(Bytes(mac, macs.digest.size), signature) { return i }
          }
        }
      }
      return nil
    }
  }
}
