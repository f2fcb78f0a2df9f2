import CSystem

/// ASP.NET Core's Data Protection, which protects its cookies of authentication, sessions and
/// TempData: `base64url(09 F0 C9 F0 ‖ key's id 16 ‖ modifier 16 ‖ IV ‖ text ‖ MAC or tag)`, the
/// keys derived from the master key for each token. The secrets are keys of the key ring, one each.
///
/// The salt is the chain of purposes, one a line: the application's name first, then for the cookie
/// of authentication `Microsoft.AspNetCore.Authentication.Cookies.CookieAuthenticationMiddleware`,
/// the scheme, as `Cookies`, and `v2`. What that cookie holds is .NET's own ticket: octets.
final class DataProtection: Dialect {
  private static let magic: UInt32 = 0x09F0_C9F0
  private static let headSize = 20
  private static let largestKeys = 32 + Digest.largest

  private let first: DataProtectionKey
  private let count: Int
  /// How many purposes, and each with its length.
  private let purposes: ByteBuffer

  static func make(_ settings: SignerSettings) throws(Failure) -> DataProtection {
    let purposes = try chain(settings.salt)
    let first = try DataProtectionKey.read(settings.secrets[0])
    var last = first
    var i = 1
    while i < settings.secrets.count {
      let key = try DataProtectionKey.read(settings.secrets[i])
      last.next = key
      last = key
      i &+= 1
    }
    return DataProtection(first, settings.secrets.count, purposes)
  }

  private init(_ first: DataProtectionKey, _ count: Int, _ purposes: consuming ByteBuffer) {
    self.first = first
    self.count = count
    self.purposes = purposes
  }

  /// As BinaryWriter writes texts: seven bits of the length an octet, the lowest first.
  private static func chain(_ lines: Bytes) throws(Failure) -> ByteBuffer {
    var texts = ByteBuffer()
    var all = ByteBuffer()
    var count: UInt32 = 0
    var rest = lines
    repeat {
      let end = rest.find(UInt8(ascii: "\n"))
      let purpose = rest.slice(0, end)
      guard !purpose.isEmpty, UTF8Text.firstInvalid(purpose) == nil else {
        throw .argument("this dialect needs its purposes in the salt: UTF-8, one a line, none empty")
      }
      var left = purpose.count
      while left > 0x7F {
        texts.append(UInt8(truncatingIfNeeded: left & 0x7F) | 0x80)
        left = left &>> 7
      }
      texts.append(UInt8(truncatingIfNeeded: left))
      texts.append(purpose)
      count &+= 1
      let ended = end >= rest.count
      rest = rest.dropFirst(end &+ 1)
      if ended { break }
    } while true
    DataProtectionKey.append(count, to: &all)
    all.append(texts.bytes)
    guard !texts.failed, !all.failed else { throw .memory }
    return all
  }

  private func appendHead(_ key: DataProtectionKey, to out: inout ByteBuffer) {
    DataProtectionKey.append(DataProtection.magic, to: &out)
    out.append(key.id.bytes)
  }

  /// Lends a token's own keys.
  private func withKeys<Answer>(
    _ key: DataProtectionKey, _ modifier: Bytes, _ body: (UnsafeMutablePointer<UInt8>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    var label = ByteBuffer()
    appendHead(key, to: &label)
    label.append(purposes.bytes)
    guard !label.failed else { throw .memory }
    return try withScratch(DataProtection.largestKeys) { (keys) throws(Failure) in
      try key.derive(label: label.bytes, modifier: modifier, to: keys)
      return try body(keys)
    }
  }

  private static func mac(
    _ digest: Digest, _ key: Bytes, _ text: Bytes, _ out: UnsafeMutablePointer<UInt8>
  ) throws(Failure) {
    guard let macs = HMACKeys(count: 1, digest) else { throw .memory }
    macs.set(0, key: key)
    macs.digest(0, of: text, to: out)
  }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    let modifierSize = DataProtectionKey.modifierSize
    let ivSize = first.validation == nil ? 12 : 16
    var token = ByteBuffer()
    appendHead(first, to: &token)
    try withScratch(modifierSize &+ 16 &+ Digest.largest) { (random) throws(Failure) in
      guard sys_random(random, modifierSize &+ ivSize) else { throw .random }
      let iv = random + modifierSize
      let end = iv + 16
      token.append(Bytes(random, modifierSize &+ ivSize))
      try withKeys(first, Bytes(random, modifierSize)) { (keys) throws(Failure) in
        if let validation = first.validation {
          guard try first.cipher.run(encrypt: true, text, key: keys, iv: iv, to: &token), !token.failed else {
            throw .memory
          }
          let signed = token.bytes.dropFirst(DataProtection.headSize &+ modifierSize)
          try DataProtection.mac(validation, Bytes(keys + first.cipherSize, validation.size), signed, end)
          token.append(Bytes(end, validation.size))
        } else {
          try AEAD(first.cipher, key: keys, nonce: iv).seal(text, to: &token, tag: end)
          token.append(Bytes(end, 16))
        }
      }
    }
    guard !token.failed else { throw .memory }
    Base64.url.encode(token.bytes, to: &out)
    guard !out.failed else { throw .memory }
  }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .python, to: &text)
    try sign(text.bytes, now: now, to: &out)
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    var raw = ByteBuffer()
    guard token.count <= Dialect.largest, try Base64.url.decode(token, to: &raw) else { return .badSignature }
    guard raw.count <= limit &+ 256 else { throw .limit("the payload is over the limit") }
    var head = ByteBuffer()
    var candidate: DataProtectionKey? = first
    var index = 0
    while let key = candidate {
      head.removeAll()
      appendHead(key, to: &head)
      guard !head.failed else { throw .memory }
      if raw.bytes.hasPrefix(head.bytes), try unprotect(raw.bytes.dropFirst(DataProtection.headSize), key, &out) {
        return .valid(timestamp: nil, key: index)
      }
      candidate = key.next
      index &+= 1
    }
    return .badSignature
  }

  private func unprotect(_ body: Bytes, _ key: DataProtectionKey, _ out: inout ByteBuffer) throws(Failure) -> Bool {
    let modifier = body.slice(0, DataProtectionKey.modifierSize)
    let rest = body.dropFirst(DataProtectionKey.modifierSize)
    let ivSize = key.validation == nil ? 12 : 16
    let tagSize = key.validation?.size ?? 16
    guard rest.count >= ivSize &+ tagSize else { return false }
    let sealed = rest.slice(ivSize, rest.count &- tagSize)
    let given = rest.dropFirst(rest.count &- tagSize)
    let done = try withKeys(key, modifier) { (keys) throws(Failure) in
      guard let validation = key.validation else {
        return try AEAD(key.cipher, key: keys, nonce: rest.start).open(sealed, tag: given.start, to: &out)
      }
      return try withScratch(Digest.largest) { (expected) throws(Failure) in
        let macKey = Bytes(keys + key.cipherSize, validation.size)
        try DataProtection.mac(validation, macKey, rest.slice(0, rest.count &- tagSize), expected)
        guard ConstantTime.equal(Bytes(expected, tagSize), given) else { return false }
        return try key.cipher.run(encrypt: false, sealed, key: keys, iv: rest.start, to: &out)
      }
    }
    guard !out.failed else { throw .memory }
    return done
  }
}
