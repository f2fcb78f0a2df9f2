import CTuile
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
  /// How IDs say that their sessions are bound to devices.
  let boundID: BoundID
  /// nil: sessions are not bound to devices, and IDs that say so are like any other.
  let device: DeviceSecrets?
  let cookieRule: CookieRule
  let previousCookieRule: CookieRule
  private let place: Place
  /// Kept until the manager goes, for the requests under way.
  var previous: ManagerKeys?

  /// Where the sessions are, which other secrets do not change.
  struct Place {
    /// The store needs no signatures.
    let trusted: Bool
    /// Sessions are in their cookies.
    let kind: CookieKind?
    /// They were.
    let previous: CookieKind?
    let layout: Layout?
  }

  private typealias Dialects = (now: Dialect?, before: Dialect?, key: Dialect?)

  private init(
    _ place: Place, _ codec: Codec, _ dialects: Dialects, _ recordNames: RecordNames?, _ settings: Settings,
    _ device: DeviceSecrets?
  ) {
    self.device = device
    boundID = BoundID(place.layout?.keyAlphabet ?? SessionKey.alphabet)
    self.place = place
    self.codec = codec
    home = dialects.now.map { CookieHome($0) } ?? SessionHome()
    previousDialect = dialects.before
    keyDialect = dialects.key
    self.recordNames = recordNames
    let standard = place.kind?.rule ?? place.layout?.cookieRule ?? .django
    cookieRule = CookieRule(settings.config.cookie_rule, standard: standard) ?? .django
    previousCookieRule = place.previous?.rule ?? .django
  }

  static func make(_ secrets: SecretList?, _ place: Place, _ settings: Settings) throws(Failure) -> ManagerKeys {
    let (kind, previous, layout) = (place.kind, place.previous, place.layout)
    let needsNone = place.trusted || layout != nil && layout?.cookieDialect == nil
    guard secrets != nil || needsNone && previous == nil else { throw .argument("the store needs a secret") }
    var signer: DjangoSigner?
    var dialects: Dialects = (nil, nil, nil)
    var recordNames: RecordNames?
    var sealer: Sealer?
    if let secrets {
      if let sealing = layout?.sealingDialect {
        sealer = try LaravelEncrypter.make(secrets, gcm: sealing == TUILE_DIALECT_LARAVEL_GCM)
      }
      if let dialect = layout?.cookieDialect {
        var signed = SignerSettings(secrets: secrets)
        signed.name = settings.cookieName
        layout?.setUpCookie(&signed)
        dialects.key = try Dialect.make(dialect, signed)
      }
      if !place.trusted, layout == nil {
        signer = try DjangoSigner.make(secrets: secrets, salt: Bytes(Codec.salt), timed: true)
      }
      dialects.now = try kind?.dialect(secrets, settings, name: settings.cookieName)
      if kind != nil { recordNames = try RecordNames.make(secrets) }
      dialects.before = try previous?.dialect(secrets, settings, name: settings.previousCookie)
    }
    let codec = Codec(signer: signer, layout: layout, sealer: sealer, limit: settings.config.max_data)
    var device: DeviceSecrets?
    if settings.device != nil {
      guard let secrets else { throw .argument("device_binding needs a secret") }
      guard kind == nil else { throw .argument("device_binding is for sessions in a store, not in their cookies") }
      device = try DeviceSecrets.make(secrets)
    }
    let keys = ManagerKeys(place, codec, dialects, recordNames, settings, device)
    if device != nil { try keys.checkBoundIDs() }
    return keys
  }

  /// The same with other secrets.
  func renewed(_ secrets: SecretList?, _ settings: Settings) throws(Failure) -> ManagerKeys {
    try ManagerKeys.make(secrets, place, settings)
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

  // Atomic integers have nothing to deinitialize, and Swift 6.2 crashes on it.
  deinit {
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
