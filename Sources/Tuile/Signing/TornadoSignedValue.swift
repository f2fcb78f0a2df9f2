/// Tornado's signed cookies (`create_signed_value`), version 2:
/// `2|1:0|10:time|5:name|8:base64|HMAC`, each part with its length in front, the MAC
/// HMAC-SHA-256 in hex over all before it. The second part is the version of the
/// secret, its id in the keyring: 0 where an application has one secret, else its key in
/// the dictionary `cookie_secret`. Whatever a token says it is, each secret is tried.
///
/// With `legacy` version 1 is read too: `base64|time|HMAC-SHA-1` over name, value and
/// time, joined, so that only a time of the form that Tornado takes is believed.
final class TornadoSignedValue: Dialect {
  private static let longestNumber = 20
  /// Tornado refuses times of version 1 further in the future.
  private static let mostFuture: Int64 = 31 * 86400

  private let name: ByteBuffer
  /// Of the first secret.
  private let version: Int64
  private let keys: HMACKeys
  /// Of version 1; none unless it is read.
  private let oldKeys: HMACKeys

  static func make(_ settings: SignerSettings) throws(Failure) -> TornadoSignedValue {
    try settings.needName()
    var name = ByteBuffer()
    name.append(settings.name)
    guard !name.failed else { throw .memory }
    let made = TornadoSignedValue(
      name, settings.secrets.id(0) ?? 0, try settings.plainKeys(.sha256), try old(settings))
    let claims = KeyClaims(.tornado)
    try claims.add(made.keys, .signs(prefix: Bytes("2|")))
    try claims.add(made.oldKeys, .signs(prefix: settings.name))
    made.claims = claims
    return made
  }

  private static func old(_ settings: SignerSettings) throws(Failure) -> HMACKeys {
    if settings.legacy { return try settings.plainKeys(.sha1) }
    guard let none = HMACKeys(count: 0, .sha1) else { throw .memory }
    return none
  }

  private init(
    _ name: consuming ByteBuffer, _ version: Int64, _ keys: consuming HMACKeys, _ oldKeys: consuming HMACKeys
  ) {
    self.name = name
    self.version = version
    self.keys = keys
    self.oldKeys = oldKeys
  }

  override var isTimed: Bool { true }

  private func append(_ part: Bytes, to out: inout ByteBuffer) {
    Numbers.writeDecimal(Int64(part.count), to: &out)
    out.append(UInt8(ascii: ":"))
    out.append(part)
    out.append(UInt8(ascii: "|"))
  }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    guard now >= 0 else { throw .range("the format holds no time before 1970") }
    var time = ByteBuffer()
    var number = ByteBuffer()
    var value = ByteBuffer()
    Numbers.writeDecimal(version, to: &number)
    Numbers.writeDecimal(now, to: &time)
    Base64.standard.encode(text, to: &value)
    let from = out.count
    out.append("2|")
    append(number.bytes, to: &out)
    append(time.bytes, to: &out)
    append(name.bytes, to: &out)
    append(value.bytes, to: &out)
    guard !number.failed, !time.failed, !value.failed, !out.failed else { throw .memory }
    try withScratch(Digest.largest) { (mac) throws(Failure) in
      keys.digest(0, of: out.bytes.dropFirst(from), to: mac)
      Hex.encode(Bytes(mac, keys.digest.size), to: &out)
    }
    guard !out.failed else { throw .memory }
  }

  /// As json.dumps writes it.
  override func dumps(_ json: Bytes, compress: Bool, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    try JSONText.write(json, .pythonSpaced, to: &text)
    try sign(text.bytes, now: now, to: &out)
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard token.count <= Dialect.largest else { return .badSignature }
    // As Tornado tells them apart: what says 2 is never read as version 1.
    let second = token.hasPrefix(Bytes("2|"))
    guard second || oldKeys.count > 0, let (value, time, key) = try second ? check(token) : checkOld(token, now) else {
      return .badSignature
    }
    if let maxAge, Dialect.isOlder(time, than: maxAge, now: now) { return .expired }
    guard value.count / 4 &* 3 <= limit else { throw .limit("the payload is over the limit") }
    guard try Base64.standard.decode(value, to: &out) else {
      // Of version 1 that says that a part moved from one field to the next.
      guard second else { return .badSignature }
      throw .syntax("the payload is not base64")
    }
    guard !out.failed else { throw .memory }
    return .valid(timestamp: time, key: key)
  }

  private func check(_ token: Bytes) throws(Failure) -> (value: Bytes, time: Int64, key: Int)? {
    var rest = token.dropFirst(2)
    func part() -> Bytes? {
      let colon = rest.find(UInt8(ascii: ":"))
      guard colon > 0, colon < TornadoSignedValue.longestNumber, rest[0] != UInt8(ascii: "-"),
        let size = Numbers.read(rest.slice(0, colon), base: 10), size < Int64(rest.count &- colon &- 1)
      else { return nil }
      let end = colon &+ 1 &+ Int(size)
      guard rest[end] == UInt8(ascii: "|") else { return nil }
      defer { rest = rest.dropFirst(end &+ 1) }
      return rest.slice(colon &+ 1, end)
    }
    guard let version = part(), Numbers.read(version, base: 10) != nil, let time = part(), let theirs = part(),
      let value = part()
    else { return nil }
    var mac = ByteBuffer()
    guard try Hex.decode(rest, to: &mac), let key = keys.matching(token.slice(0, token.count &- rest.count), mac.bytes),
      theirs == name.bytes, let seconds = Numbers.read(time, base: 10)
    else { return nil }
    return (value, seconds, key)
  }

  private func checkOld(_ token: Bytes, _ now: Int64) throws(Failure) -> (value: Bytes, time: Int64, key: Int)? {
    let first = token.find(UInt8(ascii: "|"))
    let second = token.find(UInt8(ascii: "|"), from: first &+ 1)
    let value = token.slice(0, first)
    let time = token.slice(first &+ 1, second)
    var mac = ByteBuffer()
    var signed = ByteBuffer()
    signed.append(name.bytes)
    signed.append(value)
    signed.append(time)
    guard !signed.failed else { throw .memory }
    // Nothing says where the value ends: a digit could move from it to the time, which
    // would be far in the future then, or from the time, which would begin with 0.
    guard try Hex.decode(token.dropFirst(second &+ 1), to: &mac), let key = oldKeys.matching(signed.bytes, mac.bytes),
      time[0] &- UInt8(ascii: "1") < 9, let seconds = Numbers.read(time, base: 10),
      !Dialect.isOlder(now, than: TornadoSignedValue.mostFuture, now: seconds)
    else { return nil }
    return (value, seconds, key)
  }
}
