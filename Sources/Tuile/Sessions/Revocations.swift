import CTuile

/// What makes sessions in cookies end before their time: for each session that was
/// logged out a denial, for each owner whose sessions were all ended the moment of
/// that. Kept in any store, under names that no session has, a little longer than
/// any copy of a cookie is good.
///
/// They are written under a name of each secret and looked for under each, so that
/// servers in the middle of a rotation see what the others wrote.
struct Revocations {
  let store: any Store
  /// The longest that a token is good, in microseconds.
  let age: Int64
  /// What the dialect gives beyond that, and what clocks of several servers may be apart.
  let margin: Int64

  static let clocksApart: Int64 = 300_000_000

  /// Ends a session; `ends` is when the token at hand does. false if it had been
  /// ended before: of several that end one session at the same time at most one is
  /// told that it was first.
  func deny(_ id: Bytes, _ names: RecordNames, ends: Int64?, now: Int64) throws(Failure) -> Bool {
    let expires = expires(from: now, ends)
    var first = true
    for i in Indices(names.count) {
      try names.with(i, .session, id) { (name) throws(Failure) in
        guard try !store.create(name, data: Bytes("1"), expires: expires, now: now) else { return }
        first = false
        try store.put(name, data: Bytes("1"), expires: expires)
      }
    }
    return first
  }

  /// Ends all sessions of the owner that began up to now, or up to the moment that it tells.
  func end(_ owner: Bytes, _ names: RecordNames, now: Int64) throws(Failure) -> Int64 {
    // Another server's clock may be ahead: what it ended stays ended.
    let moment = max(now, try self.moment(owner, names, now: now) ?? now)
    var text = ByteBuffer()
    Numbers.writeDecimal(moment, to: &text)
    guard !text.failed else { throw .memory }
    let data = text.bytes
    let expires = expires(from: moment, nil)
    for i in Indices(names.count) {
      try names.with(i, .owner, owner) { (name) throws(Failure) in
        try store.put(name, data: data, expires: expires)
      }
    }
    return moment
  }

  /// `since` is when the session began, in Unix microseconds.
  func contain(
    _ id: Bytes?, owner: Bytes?, since: Int64, _ names: RecordNames, now: Int64
  ) throws(Failure) -> Bool {
    var data = ByteBuffer()
    var i = 0
    while let id, i < names.count {
      let found = try names.with(i, .session, id) { (name) throws(Failure) in
        try store.load(name, now: now, into: &data)
      }
      if found != nil { return true }
      i &+= 1
    }
    guard let owner, let moment = try moment(owner, names, now: now) else { return false }
    return since <= moment
  }

  /// When the owner's sessions were ended last; what can't be read counts as for ever.
  private func moment(_ owner: Bytes, _ names: RecordNames, now: Int64) throws(Failure) -> Int64? {
    var latest: Int64?
    for i in Indices(names.count) {
      var data = ByteBuffer()
      let found = try names.with(i, .owner, owner) { (name) throws(Failure) in
        try store.load(name, now: now, into: &data)
      }
      if found != nil { latest = max(latest ?? .min, Numbers.read(data.bytes, base: 10) ?? .max) }
    }
    return latest
  }

  private func expires(from now: Int64, _ ends: Int64?) -> Int64 {
    let (sum, overflow) = now.addingReportingOverflow(age)
    let (all, overflow2) = max(sum, ends ?? sum).addingReportingOverflow(margin)
    return overflow || overflow2 ? .max : all
  }
}

/// A session in a cookie that can be revoked has a name and a beginning.
extension Session {
  static let idName: StaticString = "_session_id"
  static let sinceName: StaticString = "_session_since"

  /// The name, if there is one.
  private var id: Bytes? {
    guard let raw = data.reserved(Session.idName), JSONText.type(of: raw) == TUILE_TYPE_STRING else {
      return nil
    }
    return raw.slice(1, raw.count &- 1)
  }

  /// Whether the session that was read from a cookie was revoked.
  func isRevoked() throws(Failure) -> Bool {
    guard let revocations = manager.revocations, let names = keys.recordNames else { return false }
    // One without a beginning is older than all that was ended.
    let since = data.reserved(Session.sinceName).flatMap { Numbers.read($0, base: 10) } ?? .min
    let owner = try owner()
    let id = id
    let now = manager.now
    return try manager.reaching(.load) { (_) throws(Failure) in
      try revocations.contain(id, owner: owner, since: since, names, now: now)
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

  /// Gives a token that has none, since the framework wrote it, a name that all its
  /// copies have, and its time of issue, in Unix microseconds, as its beginning.
  func identify(_ token: Bytes, issued: Int64) throws(Failure) {
    guard manager.revocations != nil else { return }
    if id == nil {
      try withScratch(SessionKey.idSize) { (room) throws(Failure) in
        let size = SessionKey.writeID(of: token, to: room)
        try data.set(Bytes(Session.idName), .string(Bytes(room, size)))
      }
    }
    if data.reserved(Session.sinceName) == nil { try data.set(Bytes(Session.sinceName), .integer(issued)) }
  }

  /// Ends every copy of this session's cookie; false if another request was first.
  func deny() throws(Failure) -> Bool {
    guard let revocations = manager.revocations, let names = keys.recordNames else { return true }
    try loadAgain()
    guard let id else { return true }
    let now = manager.now
    let ends = known.expires
    return try manager.reaching(.put) { (_) throws(Failure) in
      try revocations.deny(id, names, ends: ends, now: now)
    }
  }

  /// For a login: what was known before is worth nothing.
  func cycleCookie() throws(Failure) {
    guard try deny() else {
      // A logout is final, also for a login that began before it.
      didFindDeleted()
      return
    }
    try identify(anew: true)
    markModified()
  }

  /// Stays when the owner's other sessions end.
  func beginAnew(after moment: Int64) throws(Failure) {
    try access()
    try identify(anew: false)
    try data.set(Bytes(Session.sinceName), .integer(moment &+ 1))
    try change()
  }
}
