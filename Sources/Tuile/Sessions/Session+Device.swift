import CTuile

/// What a request's session has to do with its browser's device.
struct DeviceState {
  /// It is bound, and its bound cookie did not come, or is over: nothing is read, shown or written.
  var isRefused = false
  /// A bound cookie was sent, whatever was in it.
  var cookieSent = false
  /// This request did what a login does.
  var isLogin = false
  /// The host wants the next commit to offer a binding.
  var isOffered = false
  /// What was given to the host.
  var answer: DeviceAnswer?
}

extension Session {
  /// Whether the ID says that the session is bound.
  var isBound: Bool { key.map { keys.boundID.contains($0) } ?? false }

  /// The bound cookie without value and age; nil: sessions are not bound.
  var boundCookie: SetCookie? { manager.settings.device?.cookie(beside: manager.settings.cookie) }

  /// Looks whether a bound session came with its bound cookie: with any that is good, where
  /// a domain's other hosts have added some.
  func lookForDevice(of key: Bytes, _ secrets: DeviceSecrets, in header: CookieHeader) throws(Failure) {
    guard let name = manager.settings.device?.cookieName else { return }
    let binding = keys.boundID.binding(of: key)
    device.isRefused = binding != nil
    let present = manager.now / 1_000_000
    var position = 0
    var looks = 0
    while looks < 8, let pair = header.next(&position) {
      guard pair.name == name else { continue }
      looks &+= 1
      device.cookieSent = true
      if let binding, device.isRefused, try secrets.accepts(cookie: pair.value, of: binding, now: present) {
        device.isRefused = false
      }
    }
  }

  /// A new ID, bound as the one that it replaces: the browser's key stays good.
  func makeFreshKey() throws(Failure) -> Bytes {
    if let key, let binding = keys.boundID.binding(of: key) { return try keys.boundID.make(binding, in: &data.arena) }
    return try keys.makeKey(in: &data.arena)
  }

  // MARK: Requests under way

  /// The ID that a registration gave the session while this request had the old one, for
  /// the grace; nil: it was something else.
  func boundMeanwhile(_ old: Bytes) throws(Failure) -> Bytes? {
    guard keys.device != nil, !keys.boundID.contains(old) else { return nil }
    var arena = Arena(limit: 4096)
    guard case .moved(let target) = try manager.find(old, keys, now: manager.now, &arena),
      keys.boundID.contains(target)
    else { return nil }
    guard let copy = data.arena.copy(target) else { throw .memory }
    return copy
  }

  /// A page's own requests meet the registration that its login has caused: what they change is
  /// not lost. It is the same login on both sides, as after no other new ID; nobody is told that one.
  func save(_ old: Bytes, into target: Bytes) throws(Failure) -> Saved {
    follow(to: target)
    guard try fetch(target), movedTo == nil else {
      didFindDeleted()
      return .deleted
    }
    guard case .saved = try replaceStored(target, now: manager.now) else { return .deleted }
    didFollow(from: old, to: target)
    return .leftAlone
  }

  // MARK: The offer

  /// The next commit offers to bind the session; false if it is bound already.
  func offerBinding() throws(Failure) -> Bool {
    guard keys.device != nil else { throw .argument("device_binding is off") }
    try access()
    guard !isBound else { return false }
    device.isOffered = true
    return true
  }

  /// Before a save: a new session with a framework's login in it is one, too.
  func lookForLogin() throws(Failure) {
    guard let settings = manager.settings.device, settings.offersLogins else { return }
    if device.isLogin || (key == nil || keyIsNew) && login() != nil { device.isOffered = true }
  }

  /// The offer, once the session is stored under an ID that the browser has.
  func deliverOffer(_ deliver: Deliver) throws(Failure) {
    guard device.isOffered, let settings = manager.settings.device, let secrets = keys.device, let key,
      !keyIsNew, movedTo == nil, !isBound
    else { return }
    var challenge = ByteBuffer()
    try secrets.writeChallenge(.offer, about: key, now: manager.now / 1_000_000, to: &challenge)
    var offer = ByteBuffer()
    settings.writeOffer(challenge.bytes, to: &offer)
    guard !challenge.failed, !offer.failed else { throw .memory }
    (device.isOffered, device.isLogin) = (false, false)
    try deliver("Secure-Session-Registration", offer.bytes)
  }
}
