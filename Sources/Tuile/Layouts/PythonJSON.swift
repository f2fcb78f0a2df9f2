import CSystem
import CTuile

/// starsessions in Redis: JSON as json.dumps writes it, with the times of the session in the
/// member `__metadata__`, which is the last.
final class StarSessions: Layout {
  private static let metadata: StaticString = "__metadata__"
  /// SessionMiddleware's `rolling`.
  private var isRolling = false
  /// RedisStore's `gc_ttl`: of sessions that live until the browser closes.
  private var gcSeconds: Int64 = 2_592_000

  override func isFor(_ kind: Kind) -> Bool { kind == .redis }

  /// secrets.token_hex(16).
  override var keyAlphabet: StaticString { "0123456789abcdef" }
  override func isKey(_ key: Bytes) -> Bool { super.isKey(key) && key.count >= 16 }
  override func hiddenName(_ i: Int) -> StaticString? { i == 0 ? StarSessions.metadata : nil }

  override var shared: LayoutOptions.Names { [.prefix, .ttl] }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("rolling") {
      isRolling = try option.choice("rolling (on, off)", ("on", true), ("off", false))
    } else if option.name == Bytes("gc_ttl") {
      gcSeconds = try option.number(1...Expiry.longest)
    } else {
      return false
    }
    return true
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    Layout.write("key_prefix", options.prefix?.bytes ?? Bytes("starsessions."), to: &url)
  }

  /// Its `lifetime`; without one sessions live until the browser closes.
  override var standardAge: Int64? { options.ttl ?? gcSeconds }

  override func expiry(_ value: (StaticString) -> Bytes?, _ ages: LayoutAges) -> Expiry? {
    guard let lifetime = options.ttl else { return .seconds(0) }
    guard !isRolling, let kept = value(StarSessions.metadata),
      let created = JSONText.member("created", of: kept)?.raw, let start = PythonJSON.microseconds(created)
    else { return nil }
    let said = JSONText.member("lifetime", of: kept).flatMap { Numbers.read($0.raw, base: 10) } ?? lifetime
    return .date(microseconds: start &+ max(0, min(Expiry.longest, said)) &* 1_000_000)
  }

  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    guard stored.count <= limit else { throw .limit("the session is larger than max_data") }
    guard JSONText.isObject(stored) else { return false }
    if let kept = JSONText.member(StarSessions.metadata, of: stored), kept.kind != .object { return false }
    json.append(stored)
    guard !json.failed else { throw .memory }
    return true
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    var text = ByteBuffer()
    text.append(0x7B)
    var members = JSONMembers(json)
    while let member = members.next() {
      if try member.isNamed(StarSessions.metadata) { continue }
      text.append(member.name)
      text.append(0x3A)
      text.append(member.raw)
      text.append(0x2C)
    }
    guard members.isComplete else { throw .syntax("the session is no JSON object") }
    text.append("\"__metadata__\":")
    let kept = JSONText.member(StarSessions.metadata, of: json) ?? JSONText.member(StarSessions.metadata, of: base)
    try writeMetadata(kept?.raw, moment, to: &text)
    text.append(0x7D)
    guard !text.failed else { throw .memory }
    try JSONText.write(text.bytes, .pythonSpaced, to: &out)
  }

  private func writeMetadata(_ kept: Bytes?, _ moment: LayoutMoment, to text: inout ByteBuffer) throws(Failure) {
    func of(_ name: StaticString) -> Bytes? { kept.flatMap { JSONText.member(name, of: $0)?.raw } }
    text.append("{\"lifetime\":")
    if let lifetime = of("lifetime") {
      text.append(lifetime)
    } else {
      Numbers.writeDecimal(options.ttl ?? 0, to: &text)
    }
    text.append(",\"created\":")
    if let created = of("created") { text.append(created) } else { PythonJSON.write(moment.now, to: &text) }
    text.append(",\"last_access\":")
    PythonJSON.write(moment.now, to: &text)
    if let kept {
      var members = JSONMembers(kept)
      while let member = members.next() {
        if try member.isNamed("lifetime") { continue }
        if try member.isNamed("created") { continue }
        if try member.isNamed("last_access") { continue }
        text.append(0x2C)
        text.append(member.name)
        text.append(0x3A)
        text.append(member.raw)
      }
    }
    text.append(0x7D)
  }
}

/// aiohttp-session in Redis: JSON of the session and of the second of its last change, from
/// which on aiohttp counts `max_age`.
final class AiohttpSession: Layout {
  override func isFor(_ kind: Kind) -> Bool { kind == .redis }

  /// uuid.uuid4().hex.
  override var keyAlphabet: StaticString { "0123456789abcdef" }
  override func isKey(_ key: Bytes) -> Bool { super.isKey(key) && key.count >= 16 }

  override var shared: LayoutOptions.Names { [.prefix, .ttl] }

  /// The cookie's name and `_`.
  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    Layout.write("key_prefix", options.prefix?.bytes ?? Bytes("AIOHTTP_SESSION_"), to: &url)
  }

  override var expiresInside: Bool { true }

  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    guard stored.count <= limit else { throw .limit("the session is larger than max_data") }
    guard JSONText.isObject(stored), let session = JSONText.member("session", of: stored), session.kind == .object
    else { return false }
    json.append(session.raw)
    guard !json.failed else { throw .memory }
    return true
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    var text = ByteBuffer()
    text.append("{\"created\":")
    Numbers.writeDecimal(SessionTable.seconds(moment.now), to: &text)
    text.append(",\"session\":")
    text.append(json)
    text.append(0x7D)
    guard !text.failed else { throw .memory }
    try JSONText.write(text.bytes, .pythonSpaced, to: &out)
  }

  /// aiohttp-security's SessionIdentityPolicy.
  override func login(_ value: (StaticString) -> Bytes?) -> Bytes? { value("AIOHTTP_SECURITY") }
}

/// Times as time.time() gives them.
enum PythonJSON {
  static func microseconds(_ raw: Bytes) -> Int64? {
    if let whole = Numbers.read(raw, base: 10) { return max(-Expiry.longest, min(Expiry.longest, whole)) &* 1_000_000 }
    guard let seconds = try? JSONText.double(raw), seconds == seconds else { return nil }
    return sys_microseconds(seconds, Expiry.longest &* 1_000_000)
  }

  static func write(_ microseconds: Int64, to text: inout ByteBuffer) {
    Numbers.writeDecimal(microseconds / 1_000_000, to: &text)
    text.append(0x2E)
    let digits = max(0, microseconds % 1_000_000)
    var place: Int64 = 100_000
    while place > 0 {
      text.append(0x30 &+ UInt8(truncatingIfNeeded: digits / place % 10))
      place /= 10
    }
  }
}
