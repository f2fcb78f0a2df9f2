import CTuile

/// What makes sessions in cookies end before their time: for each session that was
/// logged out a denial, for each owner whose sessions were all ended the moment of
/// that. Kept in any store, under hashes, for as long as a copy of a cookie is good.
struct Revocations {
  let store: any Store
  /// How long an entry is needed, in microseconds.
  let life: Int64

  private enum Kind: UInt8 { case session = 0x73, owner = 0x6F }

  func deny(_ id: Bytes, now: Int64) throws(Failure) {
    try write(.session, id, "1", now: now)
  }

  /// Ends all sessions of the owner that began up to now.
  func end(_ owner: Bytes, now: Int64) throws(Failure) {
    var text = ByteBuffer()
    Numbers.writeDecimal(now, to: &text)
    try write(.owner, owner, text.bytes, now: now)
  }

  /// `since` is when the session began, in Unix microseconds.
  func contain(_ id: Bytes?, owner: Bytes?, since: Int64, now: Int64) throws(Failure) -> Bool {
    var data = ByteBuffer()
    if let id, try read(.session, id, now: now, &data) { return true }
    data.removeAll()
    guard let owner, try read(.owner, owner, now: now, &data) else { return false }
    return since <= Numbers.read(data.bytes, base: 10) ?? Int64.max
  }

  private func read(_ kind: Kind, _ name: Bytes, now: Int64, _ data: inout ByteBuffer) throws(Failure) -> Bool {
    var key = ByteBuffer()
    try Revocations.key(kind, name, to: &key)
    return try store.load(key.bytes, now: now, into: &data) != nil
  }

  private func write(_ kind: Kind, _ name: Bytes, _ data: Bytes, now: Int64) throws(Failure) {
    var key = ByteBuffer()
    try Revocations.key(kind, name, to: &key)
    let (expires, overflow) = now.addingReportingOverflow(life)
    try store.put(key.bytes, data: data, expires: overflow ? .max : expires)
  }

  private func write(_ kind: Kind, _ name: Bytes, _ data: StaticString, now: Int64) throws(Failure) {
    try write(kind, name, Bytes(data), now: now)
  }

  private static func key(_ kind: Kind, _ name: Bytes, to out: inout ByteBuffer) throws(Failure) {
    var text = ByteBuffer()
    text.append("tuile revocation ")
    text.append(kind.rawValue)
    text.append(name)
    guard !text.failed else { throw .memory }
    try withScratch(Digest.largest) { (digest) throws(Failure) in
      Digest.sha256.hash(text.bytes, to: digest)
      Hex.encode(Bytes(digest, 20), to: &out)
    }
    guard !out.failed else { throw .memory }
  }
}

/// A session in a cookie that can be revoked has a name and a beginning.
extension Session {
  private static let idName: StaticString = "_session_id"
  private static let sinceName: StaticString = "_session_since"

  /// The name, if there is one.
  private var id: Bytes? {
    guard let raw = data.reserved(Session.idName), JSONText.type(of: raw) == TUILE_TYPE_STRING else {
      return nil
    }
    return raw.slice(1, raw.count &- 1)
  }

  /// Whether what was just read from a cookie was revoked. `timestamp` is the token's own.
  func isRevoked(timestamp: Int64?) throws(Failure) -> Bool {
    guard let revocations = manager.revocations else { return false }
    let stated = data.reserved(Session.sinceName).flatMap { Numbers.read($0, base: 10) }
    let since = stated ?? (timestamp ?? 0) &* 1_000_000
    let owner = try owner()
    let id = id
    let now = manager.now
    return try manager.reaching(.load) { (_) throws(Failure) in
      try revocations.contain(id, owner: owner, since: since, now: now)
    }
  }

  /// Gives a session that has none a name and a beginning; or, after a login, new ones.
  func identify(anew: Bool) throws(Failure) {
    guard manager.revocations != nil, anew || id == nil else { return }
    try withScratch(SessionKey.size) { (room) throws(Failure) in
      try SessionKey.fill(room)
      try data.set(Bytes(Session.idName), .string(Bytes(room, SessionKey.size)))
    }
    try data.set(Bytes(Session.sinceName), .integer(manager.now))
  }

  /// Ends every copy of this session's cookie.
  func deny() throws(Failure) {
    guard let revocations = manager.revocations else { return }
    try loadAgain()
    guard let id else { return }
    let now = manager.now
    try manager.reaching(.put) { (_) throws(Failure) in try revocations.deny(id, now: now) }
  }

  /// Stays when the owner's other sessions end.
  func beginAnew(after moment: Int64) throws(Failure) {
    try access()
    try identify(anew: false)
    try data.set(Bytes(Session.sinceName), .integer(moment &+ 1))
    try change()
  }
}
