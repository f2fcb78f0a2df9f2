/// A proof that a browser has the key of its session: a JWT of the type `dbsc+jwt`, in
/// `Secure-Session-Response`. Read in its strict form alone: base64url in its one canonical
/// form, no member of its header twice, no extension that would have to be understood.
final class DeviceProof {
  /// Octets of a header field; a proof of RSA with 4096 bits has about 2000.
  static let largest = 16384

  private(set) var algorithm = DeviceKey.Algorithm.es256
  /// The challenge that was signed, as it stands in the JSON.
  private(set) var challenge = Bytes()
  private var signed = Bytes()
  private var header = ByteBuffer()
  private var payload = ByteBuffer()
  private var signature = ByteBuffer()
  /// Empty: there is none.
  private var jwk = Bytes()
  private var form = ByteBuffer()

  private init() {}

  /// `text` is kept, not copied. nil: it is no proof.
  static func read(_ text: Bytes) throws(Failure) -> DeviceProof? {
    guard text.count <= DeviceProof.largest, let token = FieldItem.string(text) else { return nil }
    let proof = DeviceProof()
    return try proof.take(token) ? proof : nil
  }

  private func take(_ token: Bytes) throws(Failure) -> Bool {
    let first = token.find(UInt8(ascii: "."))
    let second = token.find(UInt8(ascii: "."), from: first &+ 1)
    let last = token.dropFirst(second &+ 1)
    guard second < token.count, !last.contains(UInt8(ascii: ".")) else { return false }
    signed = token.slice(0, second)
    guard try Base64.url.decode(token.slice(0, first), to: &header),
      try Base64.url.decode(token.slice(first &+ 1, second), to: &payload),
      try Base64.url.decode(last, to: &signature)
    else { return false }
    guard let head = try DeviceProof.head(header.bytes), let claimed = try DeviceProof.claim(payload.bytes) else {
      return false
    }
    (algorithm, jwk) = head
    challenge = claimed
    return true
  }

  /// The key that a registration brings, once it has made the signature; nil: it brings none, or another made that.
  func registeredKey() throws(Failure) -> DeviceKey? {
    form.removeAll()
    guard !jwk.isEmpty, let key = try DeviceKey(jwk: jwk, algorithm, to: &form),
      key.verifies(signed, signature.bytes)
    else { return nil }
    return key
  }

  /// Whether that key made it. A proof that brings a key of its own is none of a refresh.
  func isMade(by key: DeviceKey) -> Bool {
    jwk.isEmpty && key.algorithm == algorithm && key.verifies(signed, signature.bytes)
  }

  private static func head(_ header: Bytes) throws(Failure) -> (DeviceKey.Algorithm, Bytes)? {
    var (algorithm, type, jwk) = (Bytes(), Bytes(), Bytes())
    var members = JSONMembers(header)
    while let member = members.next() {
      // An extension has to be understood (RFC 7515, section 4.1.11); "b64" is one.
      if try member.isNamed("crit") { return nil }
      if try member.isNamed("b64") { return nil }
      if try member.isNamed("alg") {
        guard algorithm.isEmpty else { return nil }
        algorithm = member.raw
      } else if try member.isNamed("typ") {
        guard type.isEmpty else { return nil }
        type = member.raw
      } else if try member.isNamed("jwk") {
        guard jwk.isEmpty, member.kind == .object else { return nil }
        jwk = member.raw
      }
    }
    guard members.isComplete, type == Bytes("\"dbsc+jwt\""), let known = DeviceKey.Algorithm(algorithm) else {
      return nil
    }
    return (known, jwk)
  }

  private static func claim(_ payload: Bytes) throws(Failure) -> Bytes? {
    var found: Bytes?
    var members = JSONMembers(payload)
    while let member = members.next() {
      guard try member.isNamed("jti") else { continue }
      guard found == nil, member.kind == .string else { return nil }
      found = member.raw.slice(1, member.raw.count &- 1)
    }
    return members.isComplete ? found : nil
  }
}

/// An item of a structured field (RFC 9651) that is a string, or what browsers send in its
/// place: the same text without quotes.
enum FieldItem {
  /// nil: it is neither. No text here has anything that quotes would have to escape.
  static func string(_ field: Bytes) -> Bytes? {
    let text = field.trimmed
    guard text[0] == UInt8(ascii: "\"") else { return isPlain(text) ? text : nil }
    let end = text.find(UInt8(ascii: "\""), from: 1)
    let inner = text.slice(1, end)
    // Parameters are passed over.
    let rest = text.dropFirst(end &+ 1).trimmed
    guard end < text.count, rest.isEmpty || rest[0] == UInt8(ascii: ";"), isPlain(inner) else { return nil }
    return inner
  }

  private static func isPlain(_ text: Bytes) -> Bool {
    for i in Indices(text.count) {
      let c = text[i]
      let isLetter = (c | 0x20) &- UInt8(ascii: "a") < 26 || c &- UInt8(ascii: "0") < 10
      guard isLetter || c == UInt8(ascii: "-") || c == UInt8(ascii: "_") || c == UInt8(ascii: ".") else { return false }
    }
    return !text.isEmpty
  }
}
