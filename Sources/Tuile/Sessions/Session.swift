import CSystem
import CTuile
import Synchronization

/// One request's session. Nothing is read from the store until something is
/// asked, and nothing is written until commit, but for flush, which is final at
/// once. Belongs to one thread at a time.
final class Session {
  let manager: Manager
  let keys: ManagerKeys
  var data: SessionData
  /// What the store holds under `key`, to the byte, as far as we know.
  var stored = ByteBuffer()
  var json = ByteBuffer()
  /// The text of the last flat call.
  var answer = ByteBuffer()
  /// The JSON text that the host has seen last.
  var shown = Bytes()
  /// What is about to be stored.
  var encoded = ByteBuffer()

  /// The session cookie was sent, whatever was in it.
  let cookieSent: Bool
  /// Other cookies of its name had other values.
  let cookieIsOneOfSeveral: Bool
  private var identity = Identity.none
  var known = Known()
  var hostExpiry = HostExpiry()
  /// When the last load began, by the clock that nobody sets.
  private(set) var fetchedAt: Int64 = .min
  /// What came with the request's cookie can't be verified, or is no dictionary. It may be
  /// another program's, or signed with a secret that is not here yet: it is never written
  /// over, nor its cookie deleted, and what is set makes a session of its own.
  private(set) var isUnreadable = false
  /// An older secret had signed what the store has.
  private(set) var hasOldSignature = false
  private(set) var previous = PreviousCookie.none
  /// A cookie of that other name was sent.
  private(set) var previousCookieSent = false
  /// The entry that an owner's list has of this session, as far as we know.
  var listed: (owner: Bytes, key: Bytes)?
  /// What the host said of the client, for that list.
  var client: (userAgent: Bytes, address: Bytes) = (Bytes(), Bytes())

  /// A commit got no answer, and nobody has found out since.
  var unsettled: Unsettled?
  var cycling = Cycling()
  var device = DeviceState()

  enum Loading {
    case pending
    case loaded
    /// The store gave no answer: the session is neither there nor absent.
    case failed(Failure)
  }
  private(set) var loading = Loading.pending
  /// What was asked of the store before the operation that asks it began.
  var ahead: StoreCall?
  /// A queue has it, and nobody else may touch it.
  let isQueued = Atomic<Bool>(false)
  /// Its host ended it while a queue had it.
  let isEnded = Atomic<Bool>(false)
  private(set) var accessed = false
  private(set) var modified = false
  /// The commit keeps the session alive, changed or not.
  private(set) var touching = false

  /// `cookieHeader` and `url` are not kept. Where no session cookie came, a key in
  /// the URL counts, if the settings have it so.
  init(manager: Manager, cookieHeader: Bytes, url: Bytes = Bytes()) throws(Failure) {
    self.manager = manager
    keys = manager.keys
    // Room for a few times the largest session: the payload, new values, text.
    data = SessionData(
      arenaLimit: manager.settings.config.max_data &* 8 &+ (1 << 20), hashing: manager.hashing, layout: keys.layout)
    let header = CookieHeader(text: cookieHeader)
    let found = keys.cookieRule.find(manager.settings.cookieName, in: header)
    cookieSent = found != nil
    cookieIsOneOfSeveral = found?.isOneOfSeveral ?? false
    // From here on everything is set, so that a throw leaks nothing.
    if let found {
      let sent = try keep(found, keys.cookieRule)
      if let layout = keys.layout {
        try takeKey(sent, layout)
      } else if keys.home.isKey(sent) {
        identity = .kept(sent)
      }
    } else if let sent = manager.settings.key(in: url), keys.home.isKey(sent) {
      identity = .kept(try data.keep(sent))
    }
    if keys.previousDialect != nil,
      let old = keys.previousCookieRule.find(manager.settings.previousCookie, in: header)
    {
      let token = try keep(old, keys.previousCookieRule)
      if Session.mayBeToken(token) { previous = .unread(token) }
      previousCookieSent = !(manager.settings.previousCookie == manager.settings.cookieName)
    }
    if key == nil, !previous.isUnread { loading = .loaded }
    if cookieSent, let key, let secrets = keys.device { try lookForDevice(of: key, secrets, in: header) }
    if device.isRefused { loading = .failed(.unbound) }
  }

  /// Of an ID that came in no request.
  convenience init(manager: Manager, id: Bytes) throws(Failure) {
    guard manager.keys.home.hasKeys else { throw .argument("sessions in cookies have no IDs") }
    guard manager.keys.names(id) else { throw .argument("the session ID is none that the store can have") }
    try self.init(manager: manager, cookieHeader: Bytes())
    identity = .kept(try data.keep(id))
    loading = .pending
  }

  // MARK: What it is

  /// nil: the session has none until it is saved.
  var key: Bytes? { identity.key }
  var retiring: Bytes? { identity.retiring }
  var keyIsNew: Bool { identity.isNew }
  var movedTo: Bytes? { identity.movedTo }
  var isDeleted: Bool { identity.isDeleted }

  /// The session came from the cookie that it was kept in before, or did not.
  func didReadPrevious(_ found: Bool) { previous = found ? .taken : .none }

  /// The key in a layout's cookie. One that can't be verified may be signed with a secret
  /// that is not here yet.
  private func takeKey(_ sent: Bytes, _ layout: Layout) throws(Failure) {
    var plain = ByteBuffer()
    guard try keys.readCookie(sent, layout, to: &plain) else {
      if !sent.isEmpty { didFindUnreadable() }
      return
    }
    if layout.isKey(plain.bytes) { identity = .kept(try data.keep(plain.bytes)) }
  }

  // MARK: Reading and changing

  /// Loads unless that is done, and marks the session accessed, so that the
  /// response says `Vary: Cookie` whatever the answer is.
  func access() throws(Failure) {
    accessed = true
    try load()
  }

  func load() throws(Failure) {
    switch loading {
    case .loaded: return
    case .failed(let failure): throw failure
    case .pending: break
    }
    do {
      if let key, try !fetch(key) { identity = .none }
      if key == nil { try fetchFromPreviousCookie() }
      if previous.isUnread { previous = .none }
      loading = .loaded
      if let key, let owner = try owner() { listed = (owner, key) }
    } catch {
      loading = .failed(error)
      throw error
    }
  }

  /// As `load`, and asks a store that gave no answer once more.
  func loadAgain() throws(Failure) {
    if case .failed = loading { loading = .pending }
    try load()
  }

  /// Reads what the store has under `key` into `stored` and, by way of a replay
  /// of the changes so far, into `data`; false if the store has nothing.
  func fetch(_ key: Bytes) throws(Failure) -> Bool { try keys.home.fetch(key, for: self) }

  func fetchFromStore(_ key: Bytes) throws(Failure) -> Bool {
    stored.removeAll()
    let present = manager.now
    let session = self
    if let call = takeAhead(TUILE_STORE_LOAD, key) {
      known.expires = try call.made() == TUILE_OK ? call.foundExpires : nil
      stored.append(call.found.bytes)
      guard !stored.failed else { throw .memory }
    } else {
      willFetch()
      known.expires = try manager.reaching(.load) { (store) throws(Failure) in
        try store.load(key, now: present, into: &session.stored)
      }
    }
    guard known.expires != nil, try readStored(now: present) else {
      manager.counters.misses.increment()
      return false
    }
    manager.counters.loads.increment()
    return true
  }

  func willFetch() {
    if !manager.store.isInstant { fetchedAt = sys_monotonic_microseconds() }
  }

  /// As `fetch`, of what is known to be stored.
  func take(_ known: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    stored.removeAll()
    stored.append(known)
    guard !stored.failed else { throw .memory }
    self.known.expires = expires
    return try readStored(now: now)
  }

  private func readStored(now present: Int64) throws(Failure) -> Bool {
    var isHere = false
    do {
      isHere = try replayOnStored()
      if isHere, known.pointer != nil { isHere = try isServed(now: present) }
    } catch {
      // Some of the changes are made and some are not: nothing of it may be saved.
      loading = .failed(error)
      throw error
    }
    // Past its longest life: as if the store had let it go.
    if !isHere || known.ends ?? .max <= present {
      data.drop()
      identity.read(pointer: nil)
      return false
    }
    return true
  }

  /// false if what is stored can't be read.
  private func replayOnStored() throws(Failure) -> Bool {
    (known.pointer, known.until, known.ends) = (nil, nil, nil)
    var signedBy: Int?
    do {
      signedBy = try keys.codec.decode(stored.bytes, to: &json)
      if signedBy != nil {
        if data.cleared { try readReserved(json.bytes) }
        try data.replay(on: json.bytes)
      }
    } catch {
      // Signed with our key, but no dictionary: as with a bad signature.
      guard error.status == TUILE_E_SYNTAX else { throw error }
      signedBy = nil
    }
    guard let signedBy else {
      didFindUnreadable()
      return false
    }
    hasOldSignature = signedBy > 0
    if hasOldSignature { manager.counters.oldKeyLoads.increment() }
    if !data.cleared {
      known.ends = ends
      known.pointer = takePointer()
    }
    identity.read(pointer: known.pointer)
    return true
  }

  func forgetPointer() {
    known.pointer = nil
    identity.read(pointer: nil)
  }

  func didFindUnreadable() {
    isUnreadable = true
    manager.countBadSignature()
  }

  /// Without an access.
  func markModified() { modified = true }

  /// Every commit fails so from now on.
  func didLose(_ failure: Failure) { loading = .failed(failure) }

  func touch() { touching = true }

  func didTouch() { touching = false }

  func change() throws(Failure) {
    try access()
    modified = true
  }

  /// Drops everything without reading what is there.
  func clear(everything: Bool = false) {
    data.clear(everything: everything)
    accessed = true
    modified = true
  }

  /// Logs out: the data goes, and the key with it, now and for good.
  func flush() throws(Failure) {
    // Whoever comes without the bound cookie ends nothing that is stored.
    if device.isRefused { identity = .none }
    device.isRefused = false
    try keys.home.end(self)
    if let old = retiring ?? (keyIsNew && unsettled == nil ? nil : key) {
      try manager.delete(old, keys)
      manager.counters.deletes.increment()
    }
    if cycling.placed.count > 0, let key { try manager.delete(key, keys) }
    forgetAttempts()
    if previous.isUnread { previous = .none }
    isUnreadable = false
    clear(everything: true)
    identity = .none
    stored.removeAll()
    loading = .loaded
    unlist()
  }

  /// Gives the session a new key, for a login; the old one ends with the commit.
  func cycleKey() throws(Failure) {
    try access()
    try keys.home.cycle(self)
  }

  func cycleStored() throws(Failure) {
    identity.cycle(to: try makeFreshKey())
    device.isLogin = true
    modified = true
  }

  /// Gives the session the ID of one that is bound to a device.
  func cycle(toBound id: Bytes) {
    identity.cycle(to: id)
    modified = true
  }

  /// What this request changed is saved under another ID, of which it tells nobody.
  func follow(to id: Bytes) { identity = .kept(id) }
  func didFollow(from id: Bytes, to target: Bytes) { identity = .moved(id, to: target) }

  /// Whether the store has the session under that key, the commit of a new one aside.
  func isStored(under name: Bytes) -> Bool {
    if let key, key == name { return true }
    if let retiring, retiring == name { return true }
    if let movedTo, movedTo == name { return true }
    return false
  }

  /// Django's is_empty: no key and no data.
  var isEmpty: Bool { key == nil && data.entries.liveCount == 0 }

  // MARK: For commit

  /// A key for what is not saved yet, so that it can be named before the commit; that saves it then, empty too.
  func makeKey() throws(Failure) {
    guard keys.home.hasKeys else { throw .argument("a session in its cookie has no ID before it is saved") }
    try access()
    guard key == nil else { return }
    _ = try adoptNewKey()
    modified = true
  }

  /// Gives a session that has none a key.
  func adoptNewKey() throws(Failure) -> Bytes {
    let fresh = try makeFreshKey()
    identity.adopt(fresh)
    return fresh
  }

  /// The cookie will hold this token.
  func adopt(token: Bytes) throws(Failure) {
    guard let kept = data.arena.copy(token) else { throw .memory }
    identity = .kept(kept)
  }

  private func forgetAttempts() {
    unsettled = nil
    cycling.placed.removeAll()
    cycling.pointerMayEnd = nil
  }

  /// What an earlier commit tried to save is stored; what was changed since is not.
  func didSettle() {
    guard let tried = unsettled.take() else { return }
    stored.removeAll()
    // Of a merged one this data is not the whole: the next write has to meet a conflict, by
    // what no session is, nor a note that one was deleted, which is empty.
    stored.append(tried.isMerged ? Bytes("!") : tried.encoded.bytes)
    data.didSave(tried.changes)
    identity.didSave()
    manager.counters.saves.increment()
  }

  /// The store holds what was `encoded`; further changes start from there.
  func didSave() {
    swap(&stored, &encoded)
    data.didSave()
    didFinish()
    manager.counters.saves.increment()
  }

  /// All that this request did is stored.
  func didFinish() {
    forgetAttempts()
    identity.didSave()
    isUnreadable = false
    hasOldSignature = false
    modified = false
  }

  /// The session was deleted while this request ran, or a login gave it a new key:
  /// whoever comes with the old one writes nothing into it.
  func didFindDeleted() {
    identity = .deleted(nil)
    forgetAttempts()
    manager.counters.resurrectionsRefused.increment()
    manager.log(TUILE_LOG_DEBUG, "a session that was deleted or given a new key meanwhile was not saved")
  }
}
