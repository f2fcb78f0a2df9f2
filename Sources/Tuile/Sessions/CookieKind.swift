import CSystem
import CTuile

/// How sessions are written into their cookies: what stands behind "cookie:". Which
/// dialects there are for that says Sources/CSystem/include/dialect_table.h.
struct CookieKind {
  private let row: UnsafePointer<sys_dialect>

  /// "" is "django".
  init?(_ name: Bytes) {
    let wanted = name.isEmpty ? Bytes("django") : name
    var i = 0
    while let row = sys_dialect_at(i) {
      i &+= 1
      if !wanted.isEmpty, Bytes(cString: row.pointee.session) == wanted {
        self.row = row
        return
      }
    }
    return nil
  }

  /// Of a URL cookie:NAME; nil if it names a store.
  static func parse(_ url: Bytes) throws(Failure) -> CookieKind? {
    guard url.hasPrefix(Bytes(StoreURL.cookieScheme)) else { return nil }
    if let kind = CookieKind(url.dropFirst(StoreURL.cookieScheme.count)) { return kind }
    var names = ByteBuffer()
    var i = 0
    while let row = sys_dialect_at(i) {
      i &+= 1
      let name = Bytes(cString: row.pointee.session)
      if !name.isEmpty, names.count > 0 { names.append(", ") }
      names.append(name)
    }
    throw Failure(
      status: TUILE_E_SYNTAX, message: "cookie: is followed by none of",
      offset: StoreURL.cookieScheme.count, detail: Failure.Detail(names.bytes))
  }

  /// How its framework reads cookies.
  var rule: CookieRule {
    CookieRule(tuile_cookie_rule(rawValue: UInt32(bitPattern: row.pointee.rule)), standard: .django) ?? .django
  }

  func dialect(_ secrets: SecretList, _ settings: Settings, name: Bytes) throws(Failure) -> Dialect {
    var signer = SignerSettings(secrets: secrets)
    signer.name = name
    signer.salt = Bytes(cString: row.pointee.salt)
    return try Dialect.make(tuile_dialect(rawValue: UInt32(bitPattern: row.pointee.dialect)), signer)
  }
}
