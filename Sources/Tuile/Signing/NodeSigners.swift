/// Node's cookie-signature, as it is and as Express uses it, and keygrip as
/// cookie-session uses it. None has a time in it.
final class CookieSignature: Dialect {
  private let keys: HMACKeys
  /// `s:` in front, all of it percent-encoded; JSON has `j:` in front.
  private let express: Bool

  static func make(_ settings: SignerSettings, express: Bool) throws(Failure) -> CookieSignature {
    let made = CookieSignature(try settings.plainKeys(settings.digest ?? .sha256), express)
    let claims = KeyClaims(.node)
    try claims.add(made.keys, .signs(prefix: Bytes()))
    made.claims = claims
    return made
  }

  private init(_ keys: consuming HMACKeys, _ express: Bool) {
    self.keys = keys
    self.express = express
  }

  override var isPercentInCookies: Bool { !express }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    try write("", text, to: &out)
  }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .javaScript, to: &text)
    try write(express ? "j:" : "", text.bytes, to: &out)
  }

  private func write(_ mark: StaticString, _ text: Bytes, to out: inout ByteBuffer) throws(Failure) {
    var token = ByteBuffer()
    token.append(mark)
    token.append(text)
    try withScratch(Digest.largest) { (mac) throws(Failure) in
      keys.digest(0, of: token.bytes, to: mac)
      token.append(UInt8(ascii: "."))
      Base64.standardBare.encode(Bytes(mac, keys.digest.size), to: &token)
    }
    if express {
      out.append("s%3A")
      Percent.encode(token.bytes, to: &out)
    } else {
      out.append(token.bytes)
    }
    guard !token.failed, !out.failed else { throw .memory }
  }

  override func verify(_ token: Bytes, maxAge: Int64?, now: Int64) throws(Failure) -> Answer {
    guard !express else { throw .argument("this dialect's tokens hold more than text; use tuile_token_unsign") }
    return try check(token)
  }

  private func check(_ token: Bytes) throws(Failure) -> Answer {
    guard token.count <= Dialect.largest, let dot = token.findLast(UInt8(ascii: ".")), token.count &- dot <= 100 else {
      return .badSignature
    }
    let value = token.slice(0, dot)
    var mac = ByteBuffer()
    guard try Base64.standardBare.decode(token.dropFirst(dot &+ 1), to: &mac), let key = keys.matching(value, mac.bytes)
    else { return .badSignature }
    return .valid(Verified(value: value, timestamp: nil, key: key))
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard token.count <= Dialect.largest else { return .badSignature }
    var plain = ByteBuffer()
    var text = token
    if express {
      guard Percent.decode(token, to: &plain) else { throw .memory }
      guard plain.bytes.hasPrefix(Bytes("s:")) else { return .badSignature }
      text = plain.bytes.dropFirst(2)
    }
    guard case .valid(let verified) = try check(text) else { return .badSignature }
    var value = verified.value
    if express, json {
      guard value.hasPrefix(Bytes("j:")) else { throw .syntax("the cookie holds text, not JSON") }
      value = value.dropFirst(2)
    }
    guard value.count <= limit else { throw .limit("the payload is over the limit") }
    out.append(value)
    guard !out.failed else { throw .memory }
    return .valid(timestamp: nil, key: verified.key)
  }
}

/// keygrip signs `name=value`; cookie-session keeps the value in the cookie
/// `name` and the signature in `name.sig`. A token here is both with a dot between:
/// the signature, which has none, follows the last one.
final class Keygrip: Dialect {
  private let keys: HMACKeys
  private let name: ByteBuffer

  static func make(_ settings: SignerSettings) throws(Failure) -> Keygrip {
    try settings.needName()
    var name = ByteBuffer()
    name.append(settings.name)
    guard !name.failed else { throw .memory }
    let made = Keygrip(try settings.plainKeys(settings.digest ?? .sha1), name)
    let claims = KeyClaims(.keygrip)
    let prefix = try made.signed(Bytes())
    try claims.add(made.keys, .signs(prefix: prefix.bytes))
    made.claims = claims
    return made
  }

  private init(_ keys: consuming HMACKeys, _ name: consuming ByteBuffer) {
    self.keys = keys
    self.name = name
  }

  private func signed(_ value: Bytes) throws(Failure) -> ByteBuffer {
    var text = ByteBuffer()
    text.append(name.bytes)
    text.append(UInt8(ascii: "="))
    text.append(value)
    guard !text.failed else { throw .memory }
    return text
  }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    let signed = try signed(text)
    out.append(text)
    out.append(UInt8(ascii: "."))
    try withScratch(Digest.largest) { (mac) throws(Failure) in
      keys.digest(0, of: signed.bytes, to: mac)
      Base64.url.encode(Bytes(mac, keys.digest.size), to: &out)
    }
    guard !out.failed else { throw .memory }
  }

  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    var value = ByteBuffer()
    try JSONText.write(json, .javaScript, to: &text)
    Base64.standard.encode(text.bytes, to: &value)
    guard !value.failed else { throw .memory }
    try sign(value.bytes, now: now, to: &out)
  }

  override func verify(_ token: Bytes, maxAge: Int64?, now: Int64) throws(Failure) -> Answer {
    guard token.count <= Dialect.largest, let dot = token.findLast(UInt8(ascii: ".")), token.count &- dot <= 100 else {
      return .badSignature
    }
    let value = token.slice(0, dot)
    let signed = try signed(value)
    var mac = ByteBuffer()
    guard try Base64.url.decode(token.dropFirst(dot &+ 1), to: &mac), let key = keys.matching(signed.bytes, mac.bytes)
    else { return .badSignature }
    return .valid(Verified(value: value, timestamp: nil, key: key))
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard json else { return try openPlain(token, maxAge: maxAge, now: now, limit: limit, to: &out) }
    guard case .valid(let verified) = try verify(token, maxAge: maxAge, now: now) else { return .badSignature }
    guard verified.value.count / 4 &* 3 <= limit else { throw .limit("the payload is over the limit") }
    guard try Base64.standard.decode(verified.value, to: &out) else { throw .syntax("the payload is not base64") }
    guard !out.failed else { throw .memory }
    return .valid(timestamp: nil, key: verified.key)
  }
}
