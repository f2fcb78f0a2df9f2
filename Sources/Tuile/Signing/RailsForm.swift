import CSystem

/// One way in which Rails writes an envelope into a cookie, with the keys of every
/// secret for it; behind it those in which it is read besides.
///
/// - signed: `base64(envelope)--hex(HMAC)`
/// - AES-GCM: `base64(text)--base64(IV)--base64(tag)`
/// - AES-CBC, as before 5.2: signed, of `base64(text)--base64(IV)` in place of the envelope
final class RailsForm {
  enum Cipher {
    /// Signed, not encrypted.
    case none
    case gcm128, gcm192, gcm256, cbc256

    var keySize: Int {
      switch self {
      case .none: return 64
      case .gcm128: return 16
      case .gcm192: return 24
      case .gcm256, .cbc256: return 32
      }
    }

    var system: sys_cipher {
      switch self {
      case .gcm128: return SYS_AES_128_GCM
      case .gcm192: return SYS_AES_192_GCM
      case .cbc256: return SYS_AES_256_CBC
      case .none, .gcm256: return SYS_AES_256_GCM
      }
    }

    var isGCM: Bool { self == .gcm128 || self == .gcm192 || self == .gcm256 }

    /// Rails' own, of the key and, where there are two, of the MAC's.
    var salt: StaticString {
      switch self {
      case .none: return "signed cookie"
      case .cbc256: return "encrypted cookie"
      default: return "authenticated encrypted cookie"
      }
    }
  }

  struct Kind {
    var cipher: Cipher
    /// Of the key generator, PBKDF2.
    var digest: Digest
    /// Of the MAC, where there is one.
    var macDigest: Digest
    var salt: Bytes
    /// With AES-CBC the MAC has a key of its own.
    var macSalt: Bytes
  }

  private static let macKeySize = 64
  private static let gcmIV = 12
  private static let cbcIV = 16
  private static let tagSize = 16

  private let cipher: Cipher
  private let count: Int
  /// Of signed ones the MAC has them.
  private let keys: CipherKeys
  private let macs: HMACKeys
  var next: RailsForm?

  static func make(_ kind: Kind, _ settings: SignerSettings, _ claims: KeyClaims) throws(Failure) -> RailsForm {
    let count = settings.secrets.count
    let size = kind.cipher.keySize
    guard let keys = CipherKeys(count: count),
      let macs = HMACKeys(count: kind.cipher.isGCM ? 0 : count, kind.macDigest)
    else { throw .memory }
    try RailsForm.claim(kind.salt, kind.digest, settings, claims)
    if kind.cipher == .cbc256 { try RailsForm.claim(kind.macSalt, kind.digest, settings, claims) }
    for i in Indices(count) {
      let secret = settings.secrets[i]
      try withScratch(RailsForm.macKeySize) { (key) throws(Failure) in
        try kind.digest.pbkdf2(secret, salt: kind.salt, iterations: settings.iterations, to: key, size: size)
        if kind.cipher == .none {
          macs.set(i, key: Bytes(key, size))
        } else {
          keys.set(i, kind.cipher.system, key: Bytes(key, size))
        }
        if kind.cipher == .cbc256 {
          try kind.digest.pbkdf2(
            secret, salt: kind.macSalt, iterations: settings.iterations, to: key, size: RailsForm.macKeySize)
          macs.set(i, key: Bytes(key, RailsForm.macKeySize))
        }
      }
    }
    try claims.add(macs, .signs(prefix: Bytes()))
    return RailsForm(kind.cipher, count, keys, macs)
  }

  private init(_ cipher: Cipher, _ count: Int, _ keys: consuming CipherKeys, _ macs: consuming HMACKeys) {
    self.cipher = cipher
    self.count = count
    self.keys = keys
    self.macs = macs
  }

  /// The first block of PBKDF2 is an HMAC under the secret.
  private static func claim(
    _ salt: Bytes, _ digest: Digest, _ settings: SignerSettings, _ claims: KeyClaims
  ) throws(Failure) {
    var message = ByteBuffer()
    message.append(salt)
    message.append("\0\0\0\u{1}")
    guard !message.failed else { throw .memory }
    try claims.add(try settings.plainKeys(digest), .derives(message.bytes))
  }

  // MARK: writing

  func write(_ envelope: Bytes, to token: inout ByteBuffer) throws(Failure) {
    if cipher == .none { return try sign(envelope, to: &token) }
    var sealed = ByteBuffer()
    var text = ByteBuffer()
    try withScratch(RailsForm.cbcIV &+ RailsForm.tagSize) { (iv) throws(Failure) in
      let size = cipher.isGCM ? RailsForm.gcmIV : RailsForm.cbcIV
      let tag = iv + RailsForm.cbcIV
      guard sys_random(iv, size) else { throw .random }
      if cipher.isGCM {
        try AEAD(keys.key(0, iv: iv)).seal(envelope, to: &sealed, tag: tag)
      } else {
        guard try keys.key(0, iv: iv).run(encrypt: true, envelope, to: &sealed) else {
          throw .memory
        }
      }
      Base64.standard.encode(sealed.bytes, to: &text)
      text.append("--")
      Base64.standard.encode(Bytes(iv, size), to: &text)
      if cipher.isGCM {
        text.append("--")
        Base64.standard.encode(Bytes(tag, RailsForm.tagSize), to: &text)
      }
    }
    guard !text.failed else { throw .memory }
    if cipher.isGCM { token.append(text.bytes) } else { try sign(text.bytes, to: &token) }
  }

  private func sign(_ text: Bytes, to token: inout ByteBuffer) throws(Failure) {
    Base64.standard.encode(text, to: &token)
    try withScratch(Digest.largest) { (digest) throws(Failure) in
      macs.digest(0, of: token.bytes, to: digest)
      token.append("--")
      Hex.encode(Bytes(digest, macs.digest.size), to: &token)
    }
  }

  // MARK: reading

  /// Appends the envelope and tells which secret it was; nil if it was none.
  func read(_ token: Bytes, to envelope: inout ByteBuffer) throws(Failure) -> Int? {
    switch cipher {
    case .none: return try verify(token, to: &envelope)
    case .cbc256:
      var text = ByteBuffer()
      guard let key = try verify(token, to: &text) else { return nil }
      let split = text.bytes.findPair(UInt8(ascii: "-"))
      var sealed = ByteBuffer()
      var iv = ByteBuffer()
      guard try Base64.standard.decode(text.bytes.slice(0, split), to: &sealed),
        try Base64.standard.decode(text.bytes.dropFirst(split &+ 2), to: &iv), iv.count == RailsForm.cbcIV,
        try keys.key(key, iv: iv.bytes.start).run(encrypt: false, sealed.bytes, to: &envelope)
      else { return nil }
      return key
    default: return try unseal(token, to: &envelope)
    }
  }

  private func unseal(_ token: Bytes, to envelope: inout ByteBuffer) throws(Failure) -> Int? {
    let first = token.findPair(UInt8(ascii: "-"))
    let rest = token.dropFirst(first &+ 2)
    let second = rest.findPair(UInt8(ascii: "-"))
    var sealed = ByteBuffer()
    var iv = ByteBuffer()
    var tag = ByteBuffer()
    guard try Base64.standard.decode(token.slice(0, first), to: &sealed),
      try Base64.standard.decode(rest.slice(0, second), to: &iv), iv.count == RailsForm.gcmIV,
      try Base64.standard.decode(rest.dropFirst(second &+ 2), to: &tag), tag.count == RailsForm.tagSize
    else { return nil }
    for key in Indices(count) {
      if try AEAD(keys.key(key, iv: iv.bytes.start)).open(
        sealed.bytes, tag: tag.bytes.start, to: &envelope)
      {
        return key
      }
    }
    return nil
  }

  private func verify(_ token: Bytes, to text: inout ByteBuffer) throws(Failure) -> Int? {
    let split = token.findPair(UInt8(ascii: "-"))
    let signed = token.slice(0, split)
    var given = ByteBuffer()
    guard try Hex.decode(token.dropFirst(split &+ 2), to: &given), given.count == macs.digest.size else { return nil }
    guard let found = macs.matching(signed, given.bytes), try Base64.standard.decode(signed, to: &text) else {
      return nil
    }
    return found
  }
}
