import CSystem
import CTuile

/// How one framework keeps its sessions on the server: what is in the cookie, under
/// which key the store has them, how they are written, and when they end. A layout is
/// one file that inherits from this and overrides what it has; which there are knows
/// `Layouts.swift` alone.
///
/// Safe from all threads: nothing changes once the store's URL is read.
class Layout {
  /// The kinds of stores that layouts are in.
  enum Kind { case redis, memcached, postgresql, file, sqlite }

  /// What the URL says in place of the framework's own defaults.
  var options = LayoutOptions()

  // MARK: The cookie

  /// How the cookie is signed or encrypted; nil: it holds the session's key as it is,
  /// and the manager needs no secret.
  var cookieDialect: tuile_dialect? { nil }
  /// Says what the dialect needs beside the secrets and the cookie's name.
  func setUpCookie(_ settings: inout SignerSettings) {}
  var cookieRule: CookieRule { .rack }

  /// Whether the framework could have made such a key, or would take it. Never empty, over
  /// 256 bytes, or with anything but A-Z, a-z, 0-9 and `-_,:`.
  func isKey(_ key: Bytes) -> Bool { SessionKey.isSafe(key) }

  /// Keys that are made here: of these characters, so many.
  var keyAlphabet: StaticString { "abcdefghijklmnopqrstuvwxyz0123456789" }
  var keySize: Int { SessionKey.size }

  // MARK: The store's key

  /// The store has sessions under other keys than the cookie: `writeStoreKey` is asked.
  var mapsKeys: Bool { false }

  /// Appends the key under which the store has the session, without what the store's own
  /// option puts in front. Only called where `mapsKeys`.
  func writeStoreKey(_ key: Bytes, to out: inout ByteBuffer) { out.append(key) }

  /// Store keys lead back to the session's: `readStoreKey` is asked, so that there are lists of
  /// owners, and walks give what cookies have.
  var readsStoreKeys: Bool { false }

  /// The session's key that a store's key stands for; nil: it is none of the layout's.
  func readStoreKey(_ stored: Bytes) throws(Failure) -> Bytes? { nil }

  /// Whether the store can have a session under that key. What is no key of a cookie's, too,
  /// is taken for one of the store's: a walk gives those.
  func isStoreKey(_ key: Bytes) -> Bool { isKey(key) }

  /// Either of them.
  final func names(_ key: Bytes) -> Bool { isKey(key) || isStoreKey(key) }

  // MARK: What is stored

  /// Appends the session as a JSON object, metadata and all; false if it is none of this
  /// framework's.
  func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool { false }

  /// Appends what is to be stored. `json` came from `read` or is new, and `base` is what the
  /// store has now, or empty: what JSON can't say stays as it is there.
  func write(_ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer) throws(Failure) {
    throw .argument("this layout writes nothing")
  }

  /// What seals sessions beside that, with the manager's secrets; nil: nothing.
  var sealingDialect: tuile_dialect? { nil }

  /// `read` where sessions may be sealed: which of the secrets it was, or nil for what is none
  /// of this framework's.
  func read(
    _ stored: Bytes, _ sealer: Sealer?, limit: Int, into json: inout ByteBuffer
  ) throws(Failure) -> Int? { try read(stored, limit: limit, into: &json) ? 0 : nil }

  /// `write` where sessions may be sealed.
  func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, _ sealer: Sealer?, to out: inout ByteBuffer
  ) throws(Failure) { try write(json, base: base, moment, to: &out) }

  /// Names in the session that are the framework's own metadata: kept, and not shown to the host.
  final func hides(_ name: Bytes) -> Bool {
    var i = 0
    while let hidden = hiddenName(i) {
      if name == Bytes(hidden) { return true }
      i &+= 1
    }
    return false
  }

  /// Whether `read` shows what JSON lacks by objects with `$type`; false where all that is
  /// stored is JSON as it stands.
  var showsWhatJSONLacks: Bool { true }

  /// The names that `hides` says yes to, one after the other.
  func hiddenName(_ i: Int) -> StaticString? { nil }

  // MARK: Its end

  /// Seconds that a session lives for which nothing else says it; nil: the manager's `cookie_age`.
  var standardAge: Int64? { options.ttl }

  /// What the framework itself says of a session's end; nil: nothing. `value` finds a member.
  func expiry(_ value: (StaticString) -> Bytes?, _ settings: LayoutAges) -> Expiry? { nil }

  /// The framework itself reads `_session_expiry`, as Django does.
  var readsSessionExpiry: Bool { false }

  /// The end is in what is stored, so that keeping a session alive writes it anew.
  var expiresInside: Bool { false }

  // MARK: Who is logged in

  /// The JSON text of whoever the framework's usual login put there.
  func login(_ value: (StaticString) -> Bytes?) -> Bytes? { nil }

  /// Whether that value says it, where the name itself is not known beforehand.
  func isLogin(_ name: Bytes) -> Bool { false }

  /// Appends the JSON text of whoever such a value says it is; false: it says nobody.
  func readLogin(_ raw: Bytes, into user: inout ByteBuffer) throws(Failure) -> Bool {
    user.append(raw)
    guard !user.failed else { throw .memory }
    return true
  }

  // MARK: The store

  /// false: this layout is not for such a store.
  func isFor(_ kind: Kind) -> Bool { false }

  /// Which of the options that several layouts have this one has.
  var shared: LayoutOptions.Names { [] }

  /// Takes an option of the URL if it is this layout's own, and none of the shared ones.
  func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool { false }

  /// Takes an option of the URL if it is one of this layout's.
  final func take(_ option: URLText.Option) throws(Failure) -> Bool {
    if shared.contains(.prefix), option.name == Bytes("prefix") {
      options.prefix = try LayoutText.decoded(option.value)
    } else if shared.contains(.table), option.name == Bytes("table") {
      options.table = try LayoutText.decoded(option.value)
    } else if shared.contains(.ttl), option.name == Bytes("ttl") {
      options.ttl = try option.number(1...Expiry.longest)
    } else {
      return try takeOwn(option)
    }
    return true
  }

  /// Appends the options that tell the store's module where things are, each with `&` in front.
  func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {}

  /// For a store that is the cache in front of Django's table: its keys are others then.
  /// false: this layout is no such cache's.
  func beCacheOfTable() -> Bool { false }

  // MARK: Files

  /// Around the key in a file's name.
  var filePrefix: StaticString { "" }
  var fileSuffix: StaticString { "" }
  /// So many folders lead to a file, each named after a character of the key.
  var fileDepth: Int { 0 }
  /// Written in place under flock, as the framework does; else renamed.
  var writesInPlace: Bool { false }
  /// When a file's session ends, in Unix microseconds; nil: it holds none.
  func fileExpires(_ content: Bytes, modified: Int64) -> Int64? { nil }
}

/// What a manager's configuration says of ends, in seconds.
struct LayoutAges {
  let cookieAge: Int64
  let atBrowserClose: Bool
}

/// When something is written, and for how long.
struct LayoutMoment {
  /// Unix microseconds.
  let now: Int64
  let expires: Int64
  let ages: LayoutAges
  /// The manager's session cookie, without a value.
  let cookie: SetCookie
}

extension LayoutMoment {
  /// Of a store that only moves the end of what is there.
  init(expires: Int64) {
    self.init(
      now: sys_now_microseconds(), expires: expires, ages: LayoutAges(cookieAge: 0, atBrowserClose: true),
      cookie: SetCookie())
  }
}
