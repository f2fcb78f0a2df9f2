import CTuile

/// One session on its way from a manager's store to another's, whose framework may write
/// sessions in another form. What that form can't say is told before anything is written.
struct SessionCopy {
  let source: Manager
  let target: Manager
  /// Nothing is written.
  let isLooking: Bool
  /// Values that the other form can't say are left out; else such a session is not copied.
  let isLossy: Bool
  let lost: (_ what: tuile_loss, _ name: Bytes) -> Void

  enum Answer { case copied, absent, exists, unreadable }

  func copy(_ key: Bytes) throws(Failure) -> Answer {
    guard source.keys.home.hasKeys, target.keys.home.hasKeys else {
      throw .argument("sessions in cookies are in no store that they could be copied from or to")
    }
    guard source.keys.names(key) else { throw .argument("the session ID is none of the store's") }
    guard target.keys.names(key) else { throw .syntax("the session ID is none that the other store takes") }
    guard !source.keys.boundID.contains(key) || target.keys.boundID.contains(key) else {
      throw .syntax("the session is bound to a device, which its ID would not say in the other store")
    }
    let now = source.now
    var stored = ByteBuffer()
    guard let expires = try source.store.load(key, now: now, into: &stored) else { return .absent }
    var json = ByteBuffer()
    guard try SessionCopy.read(stored.bytes, source, into: &json) else { return .unreadable }
    // Of an ID that a login has replaced nothing is left but where it leads to.
    guard JSONText.member(Session.pointer, of: json.bytes) == nil,
      Session.ends(JSONText.member(Session.endsName, of: json.bytes)?.raw) ?? .max > now
    else { return .absent }
    var there = ByteBuffer()
    guard try target.store.load(key, now: .min, into: &there) == nil else { return .exists }

    let moment = target.moment(now: now, expires: min(expires, Date.latest &* 1_000_000))
    let isSameForm = try isSameForm(stored.bytes, json.bytes)
    var text = ByteBuffer()
    if !isSameForm {
      let isWhole = try carry(json.bytes, moment, to: &text)
      guard isWhole || isLossy || isLooking else {
        throw .type("the session has values that the other store's form can't say")
      }
    }
    var encoded = ByteBuffer()
    try target.keys.codec.encode(
      isSameForm ? json.bytes : text.bytes, base: isSameForm ? stored.bytes : Bytes(), moment,
      unique: target.store.mayBeUnsure, to: &encoded)
    if !isSameForm { try checkExpiry(encoded.bytes) }
    guard !isLooking else { return .copied }
    return try target.store.create(key, data: encoded.bytes, expires: moment.expires, now: .min) ? .copied : .exists
  }

  /// false if what is stored can't be verified, or is no session.
  private static func read(_ stored: Bytes, _ manager: Manager, into json: inout ByteBuffer) throws(Failure) -> Bool {
    do throws(Failure) {
      return try manager.keys.codec.decode(stored, to: &json) != nil && JSONText.isObject(json.bytes)
    } catch {
      guard error.status == TUILE_E_SYNTAX else { throw error }
      return false
    }
  }

  /// Whether the other store's framework reads the very bytes as the same session: then
  /// values that JSON lacks stay as they are.
  private func isSameForm(_ stored: Bytes, _ json: Bytes) throws(Failure) -> Bool {
    guard source.keys.layout != nil, target.keys.layout != nil else {
      return source.keys.layout == nil && target.keys.layout == nil
    }
    var other = ByteBuffer()
    return try SessionCopy.read(stored, target, into: &other) && other.bytes == json
  }

  // MARK: Into another form

  /// Appends what can be carried over; false if a value is left out.
  private func carry(_ json: Bytes, _ moment: LayoutMoment, to text: inout ByteBuffer) throws(Failure) -> Bool {
    var isWhole = true
    var saysItsEnd = false
    text.append("{")
    var members = JSONMembers(json)
    while let member = members.next() {
      let name = member.name.slice(1, member.name.count &- 1)
      if try isHidden(member, source.keys.layout) {
        lost(TUILE_LOSS_METADATA, name)
        continue
      }
      guard try canCarry(member, moment) else {
        lost(TUILE_LOSS_VALUE, name)
        isWhole = false
        continue
      }
      if try member.isNamed(Expiry.name) { saysItsEnd = true }
      append(member.name, member.raw, to: &text)
    }
    guard members.isComplete else { throw .syntax("the session is no JSON object") }
    if !saysItsEnd { writeExpiry(json, to: &text) }
    text.append("}")
    guard !text.failed else { throw .memory }
    return isWhole
  }

  private func append(_ name: Bytes, _ raw: Bytes, to text: inout ByteBuffer) {
    if text.count > 1 { text.append(UInt8(ascii: ",")) }
    text.append(name)
    text.append(UInt8(ascii: ":"))
    text.append(raw)
  }

  private func isHidden(_ member: JSONMembers.Member, _ layout: Layout?) throws(Failure) -> Bool {
    guard let layout else { return false }
    var i = 0
    while let hidden = layout.hiddenName(i) {
      if try member.isNamed(hidden) { return true }
      i &+= 1
    }
    return false
  }

  private func canCarry(_ member: JSONMembers.Member, _ moment: LayoutMoment) throws(Failure) -> Bool {
    if source.keys.layout?.showsWhatJSONLacks ?? false, SessionCopy.hasPlaceholder(member.raw) { return false }
    guard let layout = target.keys.layout else { return true }
    // It would be taken for the framework's own.
    if try isHidden(member, layout) { return false }
    var alone = ByteBuffer()
    alone.append("{")
    append(member.name, member.raw, to: &alone)
    alone.append("}")
    guard !alone.failed else { throw .memory }
    var written = ByteBuffer()
    do throws(Failure) {
      try layout.write(alone.bytes, base: Bytes(), moment, target.keys.codec.sealer, to: &written)
      return true
    } catch {
      guard error.status == TUILE_E_TYPE else { throw error }
      return false
    }
  }

  /// An object with `$type` in front. No string holds these bytes: its quotes would be escaped.
  private static func hasPlaceholder(_ raw: Bytes) -> Bool {
    let mark: StaticString = "{\"$type\":"
    var i = raw.find(UInt8(ascii: "{"))
    while i < raw.count {
      if raw.dropFirst(i).hasPrefix(Bytes(mark)) { return true }
      i = raw.find(UInt8(ascii: "{"), from: i &+ 1)
    }
    return false
  }

  // MARK: Its end

  /// An age of the session's own that the framework keeps elsewhere, as Django says it.
  private func writeExpiry(_ json: Bytes, to text: inout ByteBuffer) {
    let said = source.keys.layout?.expiry({ JSONText.member($0, of: json)?.raw }, source.settings.ages)
    var seconds: Int64
    switch said {
    case .seconds(let whole): seconds = whole
    // A part of a second more never ends a session early.
    case .interval(let microseconds):
      seconds = microseconds / 1_000_000 &+ (microseconds % 1_000_000 > 0 ? 1 : 0)
    case .standard, .date, nil: return
    }
    // 0 would mean: until the browser closes.
    if case .interval = said { seconds = max(1, seconds) }
    var name = ByteBuffer()
    name.append("\"")
    name.append(Bytes(Expiry.name))
    name.append("\"")
    var number = ByteBuffer()
    Numbers.writeDecimal(seconds, to: &number)
    append(name.bytes, number.bytes, to: &text)
  }

  /// The end that a session has of its own is Tuile's to keep where its framework reads
  /// another place, or none.
  private func checkExpiry(_ encoded: Bytes) throws(Failure) {
    guard let layout = target.keys.layout, !layout.readsSessionExpiry else { return }
    var back = ByteBuffer()
    guard try SessionCopy.read(encoded, target, into: &back) else {
      throw Failure(status: TUILE_E_TYPE, message: "the other store's form can't say the session")
    }
    if JSONText.member(Expiry.name, of: back.bytes) != nil { lost(TUILE_LOSS_EXPIRY, Bytes(Expiry.name)) }
  }
}
