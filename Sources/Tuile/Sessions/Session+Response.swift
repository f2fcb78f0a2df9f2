import CTuile

/// What a response needs, by the rules of Django's SessionMiddleware.
extension Session {
  enum Committed { case done, deleted }

  /// Where the response's headers go; throws if the host refuses one.
  typealias Deliver = (_ name: StaticString, _ value: Bytes) throws(Failure) -> Void

  func commit(httpStatus: Int32, _ deliver: Deliver) throws(Failure) -> Committed {
    let saveAlways = manager.settings.config.save_every_request || touching
    // A session whose store did not answer is left alone: no save, no deletion.
    if case .failed(let failure) = loading {
      if accessed { try deliver("Vary", Bytes("Cookie")) }
      throw failure
    }
    if isDeleted { return .deleted }
    if modified || saveAlways { try load() }
    // What was kept in a cookie before, and nobody has asked for.
    if previous.isUnread { return .done }
    if isEmpty, isUnreadable {
      // It may be read again once this process has the secret that it was signed with.
      if accessed { try deliver("Vary", Bytes("Cookie")) }
      return .done
    }
    if isEmpty {
      if previousCookieSent, accessed {
        try deletePreviousCookie(deliver)
        if !cookieSent { try deliver("Cache-Control", Bytes("private")) }
      }
      if cookieSent { try deliverCookie(manager.settings.cookie.deletion, deliver) }
      if cookieSent, device.cookieSent, let bound = boundCookie { try deliverSetCookie(bound.deletion, deliver) }
      if cookieSent || accessed { try deliver("Vary", Bytes("Cookie")) }
      return .done
    }
    if httpStatus < 500, modified || saveAlways || wantsRefresh(now: manager.now) {
      let touched = accessed
      try lookForLogin()
      switch try saveOrTouch() {
      case .saved:
        do throws(Failure) {
          try list()
        } catch {
          // The session has its new key: the commit made again still has to tell the browser.
          touch()
          throw error
        }
        try deliverSessionCookie(deliver)
        if previous.isTaken { try deletePreviousCookie(deliver) }
        didTouch()
        try deliver("Vary", Bytes("Cookie"))
        try deliverOffer(deliver)
      case .leftAlone:
        if touched { try deliver("Vary", Bytes("Cookie")) }
        try deliverOffer(deliver)
      case .deleted:
        // The cookie stays: a newer login may have replaced it already.
        if touched { try deliver("Vary", Bytes("Cookie")) }
        return .deleted
      }
    } else if accessed {
      if httpStatus < 500, !modified {
        if hasOldSignature { try renewSignature() }
        try list()
      }
      try deliver("Vary", Bytes("Cookie"))
      if httpStatus < 500, !modified { try deliverOffer(deliver) }
    }
    return .done
  }

  /// A session that is saved only to live longer keeps its data untouched.
  private func saveOrTouch() throws(Failure) -> Saved {
    modified ? try save() : try keys.home.keepAlive(self)
  }

  func touchStored() throws(Failure) -> Saved {
    if movedTo != nil { return .leftAlone }
    guard let key, mayTouchStored else { return try save() }
    return try keepAlive(key, expires: expires(now: manager.now))
  }

  /// What is stored may stay as it is, to the byte.
  var mayTouchStored: Bool {
    !hasOldSignature && !(keys.layout?.expiresInside ?? false)
      && (manager.settings.config.lifetime == 0 || ends != nil)
  }

  /// A touch of just what was read: a key that another request has replaced meanwhile
  /// must not live on, nor one that got an earlier end.
  private func keepAlive(_ key: Bytes, expires: Int64) throws(Failure) -> Saved {
    var wait = Backoff()
    var attempts = SessionData.Attempts(data)
    while true {
      switch try replace(key, expected: stored.bytes, data: stored.bytes, expires: expires, .touch) {
      case .replaced:
        manager.counters.touches.increment()
        return .saved
      case .absent:
        didFindDeleted()
        return .deleted
      case .conflict:
        // Whoever changed it has kept it alive; but a cookie may be owed, or it was a logout.
        guard touching else { return .leftAlone }
        try wait.next(manager)
        try beginAgain(&attempts)
        guard try fetch(key), movedTo == nil else {
          didFindDeleted()
          return .deleted
        }
      }
    }
  }

  private func deliverSessionCookie(_ deliver: Deliver) throws(Failure) {
    // What is written for the response stays nowhere, however often a session is committed.
    let mark = data.arena.mark
    defer { data.arena.release(to: mark) }
    try deliverCookie(try sessionCookie(), deliver)
  }

  private func sessionCookie() throws(Failure) -> SetCookie {
    var cookie = manager.settings.cookie
    cookie.value = key ?? Bytes()
    if keys.layout != nil, let key {
      var value = ByteBuffer()
      try keys.writeCookie(key, now: manager.now / 1_000_000, to: &value)
      cookie.value = try data.keep(value.bytes)
    }
    if !expiry.atBrowserClose(standard: manager.settings.config.expire_at_browser_close) {
      let present = manager.now
      let age = age(now: present)
      cookie.maxAge = age
      cookie.expires = present / 1_000_000 &+ age
    }
    return cookie
  }

  /// A response that sets a cookie is for one visitor: `private` keeps it out of
  /// shared caches.
  private func deliverCookie(
    _ cookie: SetCookie, _ deliver: Deliver
  ) throws(Failure) {
    try deliverSetCookie(cookie, deliver)
    try deliver("Cache-Control", Bytes("private"))
  }

  /// The cookie that the session came from, where that had another name.
  private func deletePreviousCookie(_ deliver: Deliver) throws(Failure) {
    didReadPrevious(false)
    var cookie = manager.settings.cookie.deletion
    guard !(manager.settings.previousCookie == cookie.name) else { return }
    cookie.name = manager.settings.previousCookie
    try deliverSetCookie(cookie, deliver)
  }

  func deliverSetCookie(_ cookie: SetCookie, _ deliver: Deliver) throws(Failure) {
    var measure = ByteWriter()
    cookie.write(to: &measure)
    guard let room = data.arena.take(measure.count) else { throw .memory }
    var writer = ByteWriter(room, capacity: measure.count)
    cookie.write(to: &writer)
    manager.counters.cookieBytes.increment(by: measure.count)
    try deliver("Set-Cookie", writer.written)
  }
}
