import CTuile

/// Symfony's sessions, which are PHP's with its own names in them: the host sees what is in
/// `_sf2_attributes`. Flashes and whatever else is beside them stay; of `_sf2_meta` the time
/// of last use moves.
final class Symfony: PHPLayout {
  private static let attributes: StaticString = "_sf2_attributes"
  private static let meta: StaticString = "_sf2_meta"
  /// The times in it, in Unix seconds, and the cookie's age.
  private static let used: StaticString = "u"
  private let kind: Kind
  private var firewall: LayoutText?

  init(_ kind: Kind) { self.kind = kind }

  override func isFor(_ kind: Kind) -> Bool { kind == .redis || kind == .memcached || kind == .file || isTable }
  private var isTable: Bool { kind == .sqlite || kind == .postgresql }

  override var shared: LayoutOptions.Names { isTable ? [.table, .ttl] : super.shared }

  override var standardPrefix: StaticString { "sf_s" }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    guard option.name == Bytes("firewall") else {
      let isOfFiles = option.name == Bytes("depth")
      guard !isOfFiles || kind == .file, !(option.name == Bytes("distribution")) else { return false }
      return try super.takeOwn(option)
    }
    firewall = try LayoutText.decoded(option.value)
    return true
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    if kind == .memcached {
      Layout.write("key_prefix", options.prefix?.bytes ?? Bytes(standardPrefix), to: &url)
      return url.append("&php_compression=1")
    }
    guard isTable else { return try super.writeOptions(for: kind, to: &url) }
    Layout.write("table", options.table?.bytes ?? Bytes("sessions"), to: &url)
    Layout.write(
      "columns", Bytes("sess_id:key,sess_data:bytes,sess_lifetime:seconds,sess_time:written"), to: &url)
  }

  // MARK: What is stored

  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    var all = ByteBuffer()
    guard try super.read(stored, limit: limit, into: &all) else { return false }
    guard let found = JSONText.member(Symfony.attributes, of: all.bytes) else {
      json.append("{}")
      guard !json.failed else { throw .memory }
      return true
    }
    // PHP has one empty array. Names that are numbers have no place in a session's JSON.
    if found.raw == Bytes("[]") {
      json.append("{}")
    } else {
      guard found.kind == .object, JSONText.member("$type", of: found.raw) == nil else { return false }
      json.append(found.raw)
    }
    guard !json.failed else { throw .memory }
    return true
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    var old = ByteBuffer()
    guard try super.read(base, limit: Payload.largest, into: &old) else {
      throw Failure(status: TUILE_E_CORRUPT, message: "what the store has is no session of Symfony's")
    }
    var all = ByteBuffer()
    var first = JSONMembers(json)
    var has = (attributes: first.next() == nil, meta: false)
    func begin(_ name: Bytes) {
      all.append(all.count == 0 ? "{\"" : ",\"")
      all.append(name)
      all.append("\":")
    }
    var members = JSONMembers(old.bytes)
    while let member = members.next() {
      let name = member.name.slice(1, member.name.count &- 1)
      if try member.isNamed(Symfony.attributes) {
        // Symfony leaves out what is empty.
        guard !has.attributes else { continue }
        has.attributes = true
        begin(name)
        all.append(json)
      } else if try member.isNamed(Symfony.meta), member.kind == .object {
        has.meta = true
        begin(name)
        try Symfony.writeUsed(member.raw, moment, to: &all)
      } else if try !member.isNamed(Symfony.meta) {
        begin(name)
        all.append(member.raw)
      }
    }
    if !has.attributes {
      begin(Bytes(Symfony.attributes))
      all.append(json)
    }
    if !has.meta {
      begin(Bytes(Symfony.meta))
      Symfony.writeMeta(moment, to: &all)
    }
    all.append("}")
    guard !all.failed else { throw .memory }
    try super.write(all.bytes, base: base, moment, to: &out)
  }

  private static func writeUsed(_ meta: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer) throws(Failure) {
    var isFirst = true
    var members = JSONMembers(meta)
    while let member = members.next() {
      out.append(isFirst ? "{" : ",")
      isFirst = false
      out.append(member.name)
      out.append(":")
      if try member.isNamed(used), Numbers.read(member.raw, base: 10) != nil {
        Numbers.writeDecimal(moment.now / 1_000_000, to: &out)
      } else {
        out.append(member.raw)
      }
    }
    out.append(isFirst ? "{}" : "}")
  }

  /// As its MetadataBag stamps a new session.
  private static func writeMeta(_ moment: LayoutMoment, to out: inout ByteBuffer) {
    out.append("{\"u\":")
    Numbers.writeDecimal(moment.now / 1_000_000, to: &out)
    out.append(",\"c\":")
    Numbers.writeDecimal(moment.now / 1_000_000, to: &out)
    out.append(",\"l\":")
    Numbers.writeDecimal(moment.ages.atBrowserClose ? 0 : moment.ages.cookieAge, to: &out)
    out.append("}")
  }

  // MARK: Its end

  /// So that the time of last use moves with each request that keeps it alive.
  override var expiresInside: Bool { true }

  // MARK: Who is logged in

  /// The security token of a firewall.
  override func isLogin(_ name: Bytes) -> Bool {
    let before = Bytes("_security_")
    return name.hasPrefix(before) && name.dropFirst(before.count) == (firewall?.bytes ?? Bytes("main"))
  }

  override func readLogin(_ raw: Bytes, into name: inout ByteBuffer) throws(Failure) -> Bool {
    guard JSONText.type(of: raw) == TUILE_TYPE_STRING else { return false }
    var token = ByteBuffer()
    defer { token.wipe() }
    try JSONText.readString(raw, lenient: false, to: &token)
    var reader = SecurityToken(token.bytes)
    guard let user = reader.user() else { return false }
    switch user {
    case .number(let digits): name.append(digits)
    case .text(let text): try JSONText.writeString(text, to: &name)
    }
    guard !name.failed else { throw .memory }
    return true
  }
}
