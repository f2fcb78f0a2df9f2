import CSystem

/// The public key of a browser's session (RFC 7517 and 7518): P-256 or RSA, as it came in a
/// JWK, and as it is kept in an identifier.
struct DeviceKey {
  enum Algorithm: UInt8 {
    case es256 = 1
    case rs256 = 2

    init?(_ raw: Bytes) {
      if raw == Bytes("\"ES256\"") {
        self = .es256
      } else if raw == Bytes("\"RS256\"") {
        self = .rs256
      } else {
        return nil
      }
    }
  }

  let algorithm: Algorithm
  /// x and y of P-256; of RSA the exponent's size in one byte, the exponent, the modulus.
  /// The one form that the key has.
  let form: Bytes

  static let largest = 1 &+ 8 &+ 512

  private static let names: (StaticString, StaticString, StaticString, StaticString, StaticString, StaticString) =
    ("kty", "crv", "x", "y", "n", "e")

  /// Reads a JWK for an algorithm, and writes the key's form to `room`; nil if it is none.
  init?(jwk: Bytes, _ algorithm: Algorithm, to room: inout ByteBuffer) throws(Failure) {
    var found = (Bytes(), Bytes(), Bytes(), Bytes(), Bytes(), Bytes())
    var members = JSONMembers(jwk)
    while let member = members.next() {
      // Whose private half has left it is no key of a device.
      if try member.isNamed("d") { return nil }
      let names = DeviceKey.names
      if try DeviceKey.keep(member, names.0, &found.0) { continue }
      if try DeviceKey.keep(member, names.1, &found.1) { continue }
      if try DeviceKey.keep(member, names.2, &found.2) { continue }
      if try DeviceKey.keep(member, names.3, &found.3) { continue }
      if try DeviceKey.keep(member, names.4, &found.4) { continue }
      _ = try DeviceKey.keep(member, names.5, &found.5)
    }
    guard members.isComplete else { return nil }
    switch algorithm {
    case .es256:
      guard found.0 == Bytes("EC"), found.1 == Bytes("P-256"), found.4.isEmpty, found.5.isEmpty else { return nil }
      guard try Base64.url.decode(found.2, to: &room), room.count == 32 else { return nil }
      guard try Base64.url.decode(found.3, to: &room), room.count == 64 else { return nil }
    case .rs256:
      guard found.0 == Bytes("RSA"), found.1.isEmpty, found.2.isEmpty, found.3.isEmpty else { return nil }
      var number = ByteBuffer()
      guard found.5.count <= 11, try Base64.url.decode(found.5, to: &number) else { return nil }
      room.append(UInt8(truncatingIfNeeded: number.count))
      room.append(number.bytes)
      guard found.4.count <= 683, try Base64.url.decode(found.4, to: &room) else { return nil }
    }
    guard !room.failed else { throw .memory }
    self.init(algorithm, form: room.bytes)
  }

  /// What an identifier has kept.
  init(_ algorithm: Algorithm, form: Bytes) {
    self.algorithm = algorithm
    self.form = form
  }

  /// Keeps the string of that name; true if it was one. A second one, or another type, can't be
  /// a key: "!" is no base64url and no name.
  private static func keep(
    _ member: JSONMembers.Member, _ name: StaticString, _ place: inout Bytes
  ) throws(Failure) -> Bool {
    guard try member.isNamed(name) else { return false }
    place = member.kind == .string && place.isEmpty ? member.raw.slice(1, member.raw.count &- 1) : Bytes("!")
    return true
  }

  /// Whether the key made the signature of `text`; false too if the form is no key.
  func verifies(_ text: Bytes, _ signature: Bytes) -> Bool {
    guard let key = key() else { return false }
    defer { sys_key_free(key) }
    let kind = algorithm == .es256 ? SYS_KEY_P256 : SYS_KEY_RSA
    return sys_key_verify(key, kind, text.start, text.count, signature.start, signature.count)
  }

  private func key() -> OpaquePointer? {
    switch algorithm {
    case .es256: return form.count == 64 ? sys_key_p256(form.start) : nil
    case .rs256:
      let size = Int(form[0])
      return sys_key_rsa(form.dropFirst(1 &+ size).lent, form.slice(1, 1 &+ size).lent)
    }
  }
}
