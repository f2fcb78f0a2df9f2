import Synchronization

/// The keys of a manager, and what is made from them. A request keeps those that
/// it began with.
final class ManagerKeys {
  let codec: Codec
  /// Where sessions are kept.
  let home: SessionHome
  /// How sessions were written into their cookies before; nil: a store kept them.
  let previousDialect: Dialect?
  /// Where revocations are kept; nil without sessions in cookies.
  let recordNames: RecordNames?
  /// How a layout's cookies are signed; nil: none, or not at all.
  let keyDialect: Dialect?
  private let trusted: Bool
  let cookieRule: CookieRule
  let previousCookieRule: CookieRule
  private let kind: CookieKind?
  private let previousKind: CookieKind?
  /// Kept until the manager goes, for the requests under way.
  var previous: ManagerKeys?

  private init(
    codec: Codec, kind: CookieKind?, home: SessionHome, previousKind: CookieKind?, previousDialect: Dialect?,
    recordNames: RecordNames?, keyDialect: Dialect?, trusted: Bool, cookieRule: CookieRule
  ) {
    self.keyDialect = keyDialect
    self.trusted = trusted
    self.cookieRule = cookieRule
    previousCookieRule = previousKind?.rule ?? .django
    self.recordNames = recordNames
    self.codec = codec
    self.kind = kind
    self.home = home
    self.previousKind = previousKind
    self.previousDialect = previousDialect
  }

  /// `trusted`: the store needs no signatures. `kind`: sessions are in their
  /// cookies; `previous`: they were.
  static func make(
    _ secrets: SecretList?, trusted: Bool, kind: CookieKind?, previous: CookieKind?, layout: Layout?,
    _ settings: Settings
  ) throws(Failure) -> ManagerKeys {
    let needsNone = trusted || layout != nil && layout?.cookieDialect == nil
    guard secrets != nil || needsNone && previous == nil else { throw .argument("the store needs a secret") }
    var signer: DjangoSigner?
    var dialects: (now: Dialect?, before: Dialect?)
    var recordNames: RecordNames?
    var keyDialect: Dialect?
    var cipher: LayoutCipher?
    if let secrets {
      cipher = try layout?.makeCipher(secrets)
      if let dialect = layout?.cookieDialect {
        var signed = SignerSettings(secrets: secrets)
        signed.name = settings.cookieName
        keyDialect = try Dialect.make(dialect, signed)
      }
      if !trusted, layout == nil {
        signer = try DjangoSigner.make(secrets: secrets, salt: Bytes(Codec.salt), timed: true)
      }
      dialects.now = try kind?.dialect(secrets, settings, name: settings.cookieName)
      if kind != nil { recordNames = try RecordNames.make(secrets) }
      dialects.before = try previous?.dialect(secrets, settings, name: settings.previousCookie)
    }
    return ManagerKeys(
      codec: Codec(signer: signer, layout: layout, cipher: cipher, limit: settings.maxData), kind: kind,
      home: dialects.now.map { CookieHome($0) } ?? SessionHome(),
      previousKind: previous, previousDialect: dialects.before, recordNames: recordNames, keyDialect: keyDialect,
      trusted: trusted,
      cookieRule: CookieRule(settings.cookieRule, standard: kind?.rule ?? layout?.cookieRule ?? .django) ?? .django)
  }

  /// The same with other secrets.
  func renewed(_ secrets: SecretList?, _ settings: Settings) throws(Failure) -> ManagerKeys {
    try ManagerKeys.make(
      secrets, trusted: trusted, kind: kind, previous: previousKind, layout: codec.layout, settings)
  }
}

/// Which keys were dealt with in which minute: of each place in a small table the
/// last. To forget one costs a write too many, nothing else.
final class RecentKeys {
  private static let places = 2048
  private let table: UnsafeMutablePointer<Atomic<UInt64>>

  init() {
    table = .allocate(capacity: RecentKeys.places)
    for i in Indices(RecentKeys.places) {
      (table + i).initialize(to: Atomic(0))
    }
  }

  deinit {
    table.deinitialize(count: RecentKeys.places)
    table.deallocate()
  }

  func contains(_ key: Bytes, minute: Int64) -> Bool {
    let (place, word) = RecentKeys.place(key, minute)
    return table[place].load(ordering: .relaxed) == word
  }

  func insert(_ key: Bytes, minute: Int64) {
    let (place, word) = RecentKeys.place(key, minute)
    table[place].store(word, ordering: .relaxed)
  }

  private static func place(_ key: Bytes, _ minute: Int64) -> (place: Int, word: UInt64) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for i in Indices(key.count) {
      hash = (hash ^ UInt64(key[i])) &* 0x100_0000_01B3
    }
    let word = hash & 0xFFFF_FFFF_0000_0000 | UInt64(truncatingIfNeeded: minute) & 0xFFFF_FFFF
    return (Int(truncatingIfNeeded: hash & UInt64(places &- 1)), word)
  }
}
