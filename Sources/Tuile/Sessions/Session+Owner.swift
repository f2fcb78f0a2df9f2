import CTuile

/// Whose a session is. Its owner's list, beside the data, has an entry for it,
/// written when the session gets its owner or key, and then once a minute.
extension Session {
  static let ownerName: StaticString = "_session_owner"
  private static let djangoName: StaticString = "_auth_user_id"

  /// What set_owner left, or what Django's login did, where that counts.
  func owner() throws(Failure) -> Bytes? {
    var raw = data.reserved(Session.ownerName)
    if raw == nil, manager.settings.config.track_owners { raw = login() }
    guard let raw else { return nil }
    do throws(Failure) {
      let text = JSONText.type(of: raw) == TUILE_TYPE_STRING ? try data.string(raw) : raw
      return Owner.isValid(text) ? text : nil
    } catch {
      // Half a surrogate pair is nobody's name; without memory nobody knows.
      guard error.status == TUILE_E_SYNTAX else { throw error }
      return nil
    }
  }

  /// Whoever the framework's own login put there.
  func login() -> Bytes? {
    guard let layout = keys.layout else { return data.reserved(Session.djangoName) }
    if let raw = layout.login({ data.value(of: Bytes($0)) }) { return raw }
    for i in Indices(data.entries.count) {
      guard data.entries[i].live, layout.isLogin(data.entries[i].name) else { continue }
      var user = ByteBuffer()
      guard (try? layout.readLogin(data.entries[i].value, into: &user)) ?? false else { return nil }
      return try? data.keep(user.bytes)
    }
    return nil
  }

  func set(owner: Bytes) throws(Failure) {
    guard manager.keepsOwners || manager.revocations != nil else {
      throw .argument("this store keeps no lists of owners")
    }
    try access()
    if let known = try self.owner(), known == owner {} else { device.isLogin = true }
    try data.set(Bytes(Session.ownerName), .string(owner))
    try change()
  }

  /// false if it had none.
  func removeOwner() throws(Failure) -> Bool {
    try access()
    guard data.remove(Bytes(Session.ownerName)) else { return false }
    try change()
    return true
  }

  func setClient(userAgent: Bytes, address: Bytes) throws(Failure) {
    client = (
      try data.keep(userAgent.slice(0, OwnerRecord.longestUserAgent)),
      try data.keep(address.slice(0, OwnerRecord.longestAddress))
    )
  }

  /// Brings the owner's list up to date, after the session was saved or read. A
  /// new entry that can't be written fails the commit, since a session that no list
  /// has could not be revoked.
  func list() throws(Failure) {
    guard manager.keepsOwners, keys.home.hasKeys, movedTo == nil, let key, !keyIsNew else { return }
    let owner = try owner()
    guard owner != nil || listed != nil else { return }
    var same = false
    if let owner, let listed { same = listed.owner == owner && listed.key == key }
    guard !same || !manager.wasListed(key) else { return }
    let before = listed
    do {
      if let owner {
        var known: Bytes?
        if let before, before.owner == owner { known = before.key }
        try manager.list(key, of: owner, expires: expires(now: manager.now), client, before: known)
        listed = (owner, key)
      }
      if let before, !same {
        try manager.reaching(.disown) { (store) throws(Failure) in try store.disown(before.owner, before.key) }
      }
      if owner == nil { listed = nil }
    } catch {
      if !same { throw error }
    }
  }

  /// After a logout: the entry points nowhere, and goes now or with a sweep.
  func unlist() {
    guard let entry = listed else { return }
    listed = nil
    _ = try? manager.reaching(.disown) { (store) throws(Failure) in try store.disown(entry.owner, entry.key) }
  }
}
