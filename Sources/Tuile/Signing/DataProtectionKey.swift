import CSystem

/// A key of ASP.NET Core's key ring, and what is derived from it. The next one is an older secret.
final class DataProtectionKey {
  static let longestMaster = 512
  static let modifierSize = 16

  /// A GUID as .NET lays it out: the first three groups with their lowest byte first.
  private(set) var id = ByteBuffer()
  private var master: HMACKeys
  private var context = ByteBuffer()
  let cipher: sys_cipher
  let cipherSize: Int
  /// nil: AES-GCM, which needs none.
  let validation: Digest?
  var next: DataProtectionKey?

  /// From the text of a file `key-….xml`, or `GUID:base64` for AES_256_CBC with HMACSHA256.
  static func read(_ secret: Bytes) throws(Failure) -> DataProtectionKey {
    let made: DataProtectionKey
    if let at = XML.find("<key ", in: secret) {
      made = try read(file: secret.dropFirst(at))
    } else {
      made = try DataProtectionKey(encryption: Bytes("AES_256_CBC"), validation: Bytes("HMACSHA256"))
      let colon = secret.find(UInt8(ascii: ":"))
      guard try made.take(id: secret.slice(0, colon), master: secret.dropFirst(colon &+ 1)) else {
        throw .argument("the secret is no key of a key ring: its XML, or its id, a colon and its master key in base64")
      }
    }
    try made.makeContext()
    return made
  }

  private static func read(file text: Bytes) throws(Failure) -> DataProtectionKey {
    guard XML.find("<encryptedSecret", in: text) == nil else {
      throw .argument("the key's XML is encrypted (encryptedSecret): give the decrypted one")
    }
    let made = try DataProtectionKey(
      encryption: XML.attribute("algorithm", of: "<encryption ", in: text),
      validation: XML.attribute("algorithm", of: "<validation ", in: text))
    let start = XML.find("<masterKey", in: text) ?? text.count
    guard
      try made.take(
        id: XML.attribute("id", of: "<key ", in: text), master: XML.content("<value>", in: text.dropFirst(start)))
    else { throw .argument("the key's XML has no id, or no master key") }
    return made
  }

  private init(encryption: Bytes, validation: Bytes) throws(Failure) {
    guard let master = HMACKeys(count: 1, .sha512) else { throw .memory }
    self.master = master
    let bits = encryption.slice(4, 7)
    let mode = encryption.dropFirst(8)
    let isGCM = mode == Bytes("GCM")
    cipherSize = bits == Bytes("128") ? 16 : bits == Bytes("192") ? 24 : 32
    switch cipherSize {
    case 16: cipher = isGCM ? SYS_AES_128_GCM : SYS_AES_128_CBC
    case 24: cipher = isGCM ? SYS_AES_192_GCM : SYS_AES_192_CBC
    default: cipher = isGCM ? SYS_AES_256_GCM : SYS_AES_256_CBC
    }
    self.validation = isGCM ? nil : validation == Bytes("HMACSHA512") ? .sha512 : .sha256
    let known =
      encryption.hasPrefix(Bytes("AES_")) && encryption[7] == UInt8(ascii: "_")
      && (cipherSize < 32 || bits == Bytes("256"))
    guard known, isGCM || mode == Bytes("CBC"),
      isGCM || validation == Bytes("HMACSHA256") || validation == Bytes("HMACSHA512")
    else {
      throw .argument("the key's algorithms are none of AES_128, 192, 256 with _CBC or _GCM, HMACSHA256, HMACSHA512")
    }
  }

  /// false unless both are what they have to be.
  private func take(id text: Bytes, master base64: Bytes) throws(Failure) -> Bool {
    var bytes = ByteBuffer()
    var plain = ByteBuffer()
    var key = ByteBuffer()
    defer { key.wipe() }
    var i = 0
    while i < text.count {
      if i == 8 || i == 13 || i == 18 || i == 23 {
        guard text[i] == UInt8(ascii: "-") else { return false }
      } else {
        plain.append(text[i])
      }
      i &+= 1
    }
    guard !plain.failed, key.reserve(DataProtectionKey.longestMaster &+ 8) else { throw .memory }
    guard text.count == 36, try Hex.decode(plain.bytes, anyCase: true, to: &bytes), bytes.count == 16,
      base64.count <= DataProtectionKey.longestMaster, try Base64.standard.decode(base64, to: &key), key.count >= 32
    else { return false }
    i = 0
    while i < 16 {
      // 3 2 1 0, 5 4, 7 6, then as they stand.
      id.append(bytes.bytes[i < 4 ? 3 &- i : i < 6 ? 9 &- i : i < 8 ? 13 &- i : i])
      i &+= 1
    }
    guard !id.failed else { throw .memory }
    master.set(0, key: key.bytes)
    return true
  }

  /// The thumbprint of the algorithms, which every derived key depends on.
  private func makeContext() throws(Failure) {
    let validationSize = validation?.size ?? 0
    context.append(0)
    context.append(validation == nil ? 1 : 0)
    func number(_ value: Int) { DataProtectionKey.append(UInt32(truncatingIfNeeded: value), to: &context) }
    number(cipherSize)
    number(validation == nil ? 12 : 16)
    number(validation == nil ? 16 : validationSize)
    number(validation == nil ? 16 : validationSize)
    guard let none = HMACKeys(count: 1, .sha512), let keys = SecretBytes(count: cipherSize &+ Digest.largest) else {
      throw .memory
    }
    none.set(0, key: Bytes())
    try DataProtectionKey.derive(
      none, label: Bytes(), Bytes(), Bytes(), to: keys.start, size: cipherSize &+ validationSize)
    try withScratch(16 &+ Digest.largest) { (zeros) throws(Failure) in
      memset(zeros, 0, 16)
      let answer = zeros + 16
      if let validation {
        guard try cipher.run(encrypt: true, Bytes(), key: keys.start, iv: zeros, to: &context),
          let mac = HMACKeys(count: 1, validation)
        else { throw .memory }
        mac.set(0, key: keys.bytes.slice(cipherSize, cipherSize &+ validationSize))
        mac.digest(0, of: Bytes(), to: answer)
        context.append(Bytes(answer, validation.size))
      } else {
        try AEAD(cipher, key: keys.start, nonce: zeros).seal(Bytes(), to: &context, tag: answer)
        context.append(Bytes(answer, 16))
      }
    }
    guard !context.failed else { throw .memory }
  }

  /// The keys of one token: for the cipher, then for the MAC. `out` has room for both.
  func derive(label: Bytes, modifier: Bytes, to out: UnsafeMutablePointer<UInt8>) throws(Failure) {
    try DataProtectionKey.derive(
      master, label: label, context.bytes, modifier, to: out, size: cipherSize &+ (validation?.size ?? 0))
  }

  /// The counter mode of NIST SP 800-108, section 5.1, with HMAC-SHA-512.
  private static func derive(
    _ key: borrowing HMACKeys, label: Bytes, _ context: Bytes, _ modifier: Bytes,
    to out: UnsafeMutablePointer<UInt8>, size: Int
  ) throws(Failure) {
    var text = ByteBuffer()
    var done = 0
    var round: UInt32 = 0
    while done < size {
      round &+= 1
      text.removeAll()
      append(round, to: &text)
      text.append(label)
      text.append(0)
      text.append(context)
      text.append(modifier)
      append(UInt32(truncatingIfNeeded: size &* 8), to: &text)
      guard !text.failed else { throw .memory }
      try withScratch(Digest.largest) { (block) throws(Failure) in
        key.digest(0, of: text.bytes, to: block)
        (out + done).copy(Bytes(block, min(Digest.largest, size &- done)))
      }
      done &+= Digest.largest
    }
  }

  static func append(_ number: UInt32, to out: inout ByteBuffer) {
    out.append(UInt8(truncatingIfNeeded: number &>> 24))
    out.append(UInt8(truncatingIfNeeded: number &>> 16))
    out.append(UInt8(truncatingIfNeeded: number &>> 8))
    out.append(UInt8(truncatingIfNeeded: number))
  }

  /// As much of XML as a key's file needs, which .NET itself has written.
  private enum XML {
    static func find(_ needle: StaticString, in text: Bytes) -> Int? {
      let wanted = Bytes(needle)
      var at = text.find(wanted[0])
      while at < text.count {
        if text.dropFirst(at).hasPrefix(wanted) { return at }
        at = text.find(wanted[0], from: at &+ 1)
      }
      return nil
    }

    /// Empty if there is none.
    static func attribute(_ name: StaticString, of tag: StaticString, in text: Bytes) -> Bytes {
      guard let start = find(tag, in: text) else { return Bytes() }
      let inside = text.slice(start, text.find(UInt8(ascii: ">"), from: start))
      guard let at = find(name, in: inside) else { return Bytes() }
      let value = inside.dropFirst(at &+ name.count)
      guard value[0] == UInt8(ascii: "="), value[1] == UInt8(ascii: "\"") || value[1] == UInt8(ascii: "'") else {
        return Bytes()
      }
      return value.slice(2, value.find(value[1], from: 2))
    }

    static func content(_ tag: StaticString, in text: Bytes) -> Bytes {
      guard let start = find(tag, in: text) else { return Bytes() }
      let rest = text.dropFirst(start &+ tag.count)
      return rest.slice(0, rest.find(UInt8(ascii: "<"))).trimmed
    }
  }
}
