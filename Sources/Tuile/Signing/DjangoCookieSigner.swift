/// Django's set_signed_cookie and get_signed_cookie: a TimestampSigner whose key
/// begins with "django.http.cookies" and whose salt holds the cookie's name.
///
/// Since Django 5.2.15 and 6.0.6 the salt is `django.http.cookies.v2:LENGTH:SALTNAME`;
/// before, `NAMESALT`, in which cookie "ab" with salt "c" was cookie "a" with salt
/// "bc". With `legacy` that form is read too, never written.
final class DjangoCookieSigner: Dialect {
  private let current: DjangoSigner
  private let legacy: DjangoSigner?

  static func make(_ settings: SignerSettings) throws(Failure) -> DjangoCookieSigner {
    try settings.needName()
    var salt = ByteBuffer()
    salt.append("django.http.cookies.v2:")
    // Python counts characters.
    Numbers.writeDecimal(Int64(UTF8Text.count(settings.salt)), to: &salt)
    salt.append(UInt8(ascii: ":"))
    salt.append(settings.salt)
    salt.append(settings.name)
    var old = ByteBuffer()
    old.append(settings.name)
    old.append(settings.salt)
    guard !salt.failed, !old.failed else { throw .memory }
    let made = DjangoCookieSigner(
      try signer(settings, salt.bytes), legacy: settings.legacy ? try signer(settings, old.bytes) : nil)
    let claims = KeyClaims(.djangoCookie)
    try made.current.claim(claims)
    try made.legacy?.claim(claims)
    made.claims = claims
    return made
  }

  private static func signer(_ settings: SignerSettings, _ salt: Bytes) throws(Failure) -> DjangoSigner {
    DjangoSigner(try settings.hashedKeys(.sha256, before: salt, "signerdjango.http.cookies"), timed: true)
  }

  private init(_ current: DjangoSigner, legacy: DjangoSigner?) {
    self.current = current
    self.legacy = legacy
  }

  override func sign(_ text: Bytes, now: Int64, to out: inout ByteBuffer) throws(Failure) {
    try current.append(text, now: now, to: &out)
  }

  override func verify(_ token: Bytes, maxAge: Int64?, now: Int64) throws(Failure) -> Answer {
    let answer = current.verify(token, maxAge: maxAge, now: now)
    guard case .badSignature = answer, let legacy else { return answer }
    return legacy.verify(token, maxAge: maxAge, now: now)
  }

  override func open(
    _ token: Bytes, json: Bool, maxAge: Int64?, now: Int64, limit: Int, to out: inout ByteBuffer
  ) throws(Failure) -> Opened {
    guard !json else { throw .argument("this dialect has no form for JSON; use verify") }
    return try openPlain(token, maxAge: maxAge, now: now, limit: limit, to: &out)
  }
}
