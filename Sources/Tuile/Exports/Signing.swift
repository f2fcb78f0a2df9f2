// Section 14: Signing
// Tokens of Django, and of the other frameworks that tuile_dialect names, to the
// byte, and Tuile's own. A signer keeps keys, not secrets, and wipes them when it
// is freed. tuile_token_sign and tuile_token_unsign are for text, tuile_token_dumps
// and tuile_token_loads for JSON, as in Django. A signature that does not match is an ordinary answer,
// TUILE_BAD_SIGNATURE, and compared in constant time; so is a token that can't be
// decrypted, or is of another format. All functions but tuile_signer_free are safe
// from all threads.

import CSystem
import CTuile

/// Sets all fields to what TUILE_SIGNER_CONFIG_INIT sets.
///
/// `size` is sizeof(tuile_signer_config), as the caller was compiled: an older program has a
/// shorter struct, and no byte behind it is written. Before 0.2 it was not asked for.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
/// Since 0.1.
@_cdecl("tuile_signer_config_init")
public func tuile_signer_config_init(
  _ config: UnsafeMutablePointer<tuile_signer_config>?, _ size: size_t
) -> tuile_status {
  initialize(config, size)
}

/// Makes a signer. `*signer` is the caller's, to be freed with tuile_signer_free.
///
/// The salt names the purpose: a value signed under one salt does not verify under another.
/// Django's default salts are "django.core.signing.Signer",
/// "django.core.signing.TimestampSigner" and, for dumps, "django.core.signing";
/// itsdangerous' "itsdangerous.Signer" and, for dumps, "itsdangerous".
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an empty secret or fallback, one that the
/// dialect can't use, a cookie's name that it needs, an unknown constant, or a struct of a
/// size that no version has; TUILE_E_LIMIT for more than 64 fallbacks or a secret or salt
/// over 4096 bytes; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_signer_new")
public func tuile_signer_new(
  _ config: UnsafePointer<tuile_signer_config>?,
  _ signer: UnsafeMutablePointer<UnsafeMutablePointer<tuile_signer>?>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let config, let signer else { throw .argument("config or signer is NULL") }
    let given = try tuile_signer_config(given: config)
    signer.pointee = Handle.give(try Dialect.make(given.dialect, SignerSettings(given)))
    return TUILE_OK
  }
}

/// Frees a signer and wipes its keys. NULL is fine. No call with it may be under
/// way. Since 0.1.
@_cdecl("tuile_signer_free")
public func tuile_signer_free(_ signer: UnsafeMutablePointer<tuile_signer>?) {
  guard let signer else { return }
  let _: Dialect = Handle.take(signer)
}

/// Makes the token of a text: in Django's dialect `value:signature`, or
/// `value:timestamp:signature` if the signer is timed. No NUL is written.
///
/// `signing` has the text and the time. `buffer` takes `capacity` bytes; `*size`, which
/// may be NULL, gets the size, or for TUILE_E_SPACE the size that is enough for any token
/// of the text: an encrypted one is another each time. The buffer is written only on
/// success. Django's dialect allocates no memory.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_LIMIT for a token over 64 MiB;
/// TUILE_E_SYNTAX if the dialect holds text in UTF-8 alone and it is none;
/// TUILE_E_RANGE for a time that the format can't hold; TUILE_E_ARGUMENT for NULL, a
/// struct of a size that no version has, or if the dialect signs JSON alone;
/// TUILE_E_MEMORY; TUILE_E_RANDOM. Since 0.2.
@_cdecl("tuile_token_sign")
public func tuile_token_sign(
  _ signer: UnsafePointer<tuile_signer>?, _ signing: UnsafePointer<tuile_signing>?,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let call = try SigningCall(signer, signing)
    guard call.value.count <= Dialect.largest &- 64 else { throw .limit("the value has more than 64 MiB") }
    if let django = call.dialect.django {
      return writing(buffer, capacity, size, most: DjangoSigner.roomFor(call.value.count)) {
        django.sign(call.value, now: call.now, to: &$0)
      }
    }
    var token = ByteBuffer()
    try call.dialect.sign(call.value, now: call.now, to: &token)
    return try deliverToken(token, of: call.dialect, buffer, capacity, size)
  }
}

/// Checks a token and gives the text in it, where the token holds it as it is.
///
/// `verification` has the token, its greatest age and the time; the answer is put there,
/// too: when the token was signed, and with which secret. One that is not 0 is a
/// fallback, and the value worth signing again. `*value` points into the token.
/// Django's dialect allocates no memory.
///
/// Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_ARGUMENT for
/// NULL, a struct of a size that no version has, and for a dialect whose tokens hold
/// their text in another form: tuile_token_unsign reads those; TUILE_E_MEMORY. Outputs
/// are written for TUILE_OK alone. Since 0.2.
@_cdecl("tuile_token_verify")
public func tuile_token_verify(
  _ signer: UnsafePointer<tuile_signer>?, _ verification: UnsafeMutablePointer<tuile_verification>?,
  _ value: UnsafeMutablePointer<tuile_bytes>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    var call = try VerificationCall(signer, verification)
    guard let value else { throw .argument("value is NULL") }
    switch try call.dialect.verify(call.token, maxAge: call.maxAge, now: call.now) {
    case .badSignature: return TUILE_BAD_SIGNATURE
    case .expired: return TUILE_EXPIRED
    case .valid(let answer):
      try call.store(timestamp: answer.timestamp, secret: answer.key)
      value.pointee = answer.value.c
      return TUILE_OK
    }
  }
}

/// Checks a token of tuile_token_sign and writes the text in it, in every dialect.
///
/// `verification` has the token, its greatest age and the time, and gets what was found
/// out, as in tuile_token_verify. A token's own end counts too. Nothing is decoded before
/// the token was found genuine. `buffer` takes `capacity` bytes; `*size`, which may be
/// NULL, gets the size that is needed, also for TUILE_E_SPACE.
///
/// Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_SPACE;
/// TUILE_E_TYPE if the token holds JSON that is no text; TUILE_E_SYNTAX if it
/// holds what its dialect does not; TUILE_E_LIMIT for more than 64 MiB;
/// TUILE_E_ARGUMENT for NULL or a struct of a size that no version has;
/// TUILE_E_MEMORY. Since 0.2.
@_cdecl("tuile_token_unsign")
public func tuile_token_unsign(
  _ signer: UnsafePointer<tuile_signer>?, _ verification: UnsafeMutablePointer<tuile_verification>?,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    try opening(signer, verification, json: false, buffer, capacity, size)
  }
}

/// Makes the token of JSON: what a framework keeps a session as. In Django's
/// dialect this is signing.dumps: compact JSON in URL-safe base64, then
/// `:timestamp:signature`.
///
/// `signing` has the JSON, which is one value, and the time. White space and escapes
/// become those that the dialect's own language writes, numbers and the order of keys
/// stay as they stand. With its `compress` the dialects of Django and itsdangerous
/// deflate it where that makes it shorter. `buffer` takes `capacity` bytes; `*size`, which
/// may be NULL, gets the size, or for TUILE_E_SPACE the size that is enough for any token
/// of the JSON.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if it is no JSON (`offset`
/// says where); TUILE_E_LIMIT for a token over 64 MiB; TUILE_E_MEMORY;
/// TUILE_E_RANGE for a time that the format can't hold; TUILE_E_ARGUMENT for NULL, a
/// struct of a size that no version has, or if the dialect has no form for JSON;
/// TUILE_E_RANDOM. Since 0.2.
@_cdecl("tuile_token_dumps")
public func tuile_token_dumps(
  _ signer: UnsafePointer<tuile_signer>?, _ signing: UnsafePointer<tuile_signing>?,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let call = try SigningCall(signer, signing)
    guard call.value.count <= Dialect.largest else { throw .limit("the payload has more than 64 MiB") }
    var token = ByteBuffer()
    try call.dialect.dumps(call.value, compress: call.compress, now: call.now, to: &token)
    return try deliverToken(token, of: call.dialect, buffer, capacity, size)
  }
}

/// Checks a token of tuile_token_dumps, or of the framework itself, and writes its
/// JSON, without a NUL.
///
/// `verification` has the token, its greatest age and the time, and gets what was found
/// out, as in tuile_token_verify. Nothing is decoded before the signature was found
/// right. `buffer` takes `capacity` bytes; `*size`, which may be NULL, gets the size that
/// is needed, also for TUILE_E_SPACE.
///
/// Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_SPACE;
/// TUILE_E_SYNTAX if what was signed is no JSON; TUILE_E_LIMIT if it has more
/// than 64 MiB, deflated or not; TUILE_E_MEMORY; TUILE_E_ARGUMENT for NULL or a struct
/// of a size that no version has. Since 0.2.
@_cdecl("tuile_token_loads")
public func tuile_token_loads(
  _ signer: UnsafePointer<tuile_signer>?, _ verification: UnsafeMutablePointer<tuile_verification>?,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    try opening(signer, verification, json: true, buffer, capacity, size)
  }
}

/// What a caller gave to be signed.
private struct SigningCall {
  let dialect: Dialect
  let value: Bytes
  let now: Int64
  let compress: Bool

  init(_ signer: UnsafePointer<tuile_signer>?, _ signing: UnsafePointer<tuile_signing>?) throws(Failure) {
    guard let signer, let signing else { throw .argument("signer or signing is NULL") }
    let given = try tuile_signing(given: signing)
    guard let value = Bytes(given.value) else { throw .argument("the value is NULL and has a size") }
    dialect = Handle.borrow(signer)
    self.value = value
    now = seconds(given.now)
    compress = given.compress
  }
}

/// What a caller gave to be verified, and where the answer goes.
private struct VerificationCall {
  let dialect: Dialect
  let token: Bytes
  let maxAge: Int64?
  let now: Int64
  private var given: tuile_verification
  private let caller: UnsafeMutablePointer<tuile_verification>

  init(
    _ signer: UnsafePointer<tuile_signer>?, _ verification: UnsafeMutablePointer<tuile_verification>?
  ) throws(Failure) {
    guard let signer, let verification else { throw .argument("signer or verification is NULL") }
    given = try tuile_verification(given: verification)
    guard let token = Bytes(given.token) else { throw .argument("the token is NULL and has a size") }
    caller = verification
    dialect = Handle.borrow(signer)
    self.token = token
    maxAge = given.max_age == unset ? nil : given.max_age
    now = seconds(given.now)
  }

  mutating func store(timestamp: Int64?, secret: Int) throws(Failure) {
    given.timestamp = timestamp ?? unset
    given.secret = secret
    try given.store(in: caller)
  }
}

/// What is written can be read: a larger token is taken for none.
func deliverToken(
  _ token: borrowing ByteBuffer, of dialect: Dialect, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?
) throws(Failure) -> tuile_status {
  guard token.count <= Dialect.largest else { throw .limit("the token has more than 64 MiB") }
  let status = deliver(token.bytes, buffer, capacity, size)
  if status == TUILE_E_SPACE { size?.pointee = dialect.roomFor(token.bytes) }
  return status
}

private func opening(
  _ signer: UnsafePointer<tuile_signer>?, _ verification: UnsafeMutablePointer<tuile_verification>?, json: Bool,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?
) throws(Failure) -> tuile_status {
  var call = try VerificationCall(signer, verification)
  var out = ByteBuffer()
  defer { out.wipe() }
  let opened = try call.dialect.openAsSent(
    call.token, json: json, maxAge: call.maxAge, now: call.now, limit: Dialect.largest, to: &out)
  switch opened {
  case .badSignature: return TUILE_BAD_SIGNATURE
  case .expired: return TUILE_EXPIRED
  case .valid(let timestamp, let secret):
    if json { try JSONText.check(out.bytes) }
    let status = deliver(out.bytes, buffer, capacity, size)
    if status == TUILE_OK { try call.store(timestamp: timestamp, secret: secret) }
    return status
  }
}

extension SignerSettings {
  /// What a caller of the C interface gave.
  fileprivate init(_ config: tuile_signer_config) throws(Failure) {
    guard let salt = Bytes(config.salt), let name = Bytes(config.name), let block = Bytes(config.block_secret),
      let mac = Bytes(config.mac_salt)
    else { throw .argument("a view of the config is NULL and has a size") }
    guard salt.count <= 4096, name.count <= 4096, mac.count <= 4096 else {
      throw .limit("salt or name has more than 4096 bytes")
    }
    guard config.iterations > 0, config.iterations <= 10_000_000 else {
      throw .argument("iterations is not from 1 to 10000000")
    }
    if let keyring = config.keyring {
      self.init(secrets: try SecretList(Handle.borrow(keyring)))
    } else {
      self.init(
        secrets: try SecretList(secret: config.secret, fallbacks: config.fallbacks, count: config.fallback_count))
    }
    (self.salt, self.name, blockSecret) = (salt, name, block)
    timed = config.timed
    legacy = config.legacy
    iterations = Int32(truncatingIfNeeded: config.iterations)
    lifetime = config.lifetime == unset ? nil : config.lifetime
    guard config.leeway >= 0, config.leeway <= 1 << 40 else { throw .argument("leeway is not from 0 to 2^40") }
    leeway = config.leeway
    digest = try SignerSettings.digest(config.digest)
    macDigest = try SignerSettings.digest(config.mac_digest)
    macSalt = mac
    switch config.cipher {
    case TUILE_CIPHER_DEFAULT: cipher = nil
    case TUILE_CIPHER_AES_256_GCM: cipher = .gcm256
    case TUILE_CIPHER_AES_192_GCM: cipher = .gcm192
    case TUILE_CIPHER_AES_128_GCM: cipher = .gcm128
    case TUILE_CIPHER_AES_256_CBC: cipher = .cbc256
    default: throw .argument("cipher is no tuile_cipher")
    }
    switch config.derivation {
    case TUILE_DERIVATION_DEFAULT: derivation = nil
    case TUILE_DERIVATION_DJANGO_CONCAT: derivation = .djangoConcat
    case TUILE_DERIVATION_CONCAT: derivation = .concat
    case TUILE_DERIVATION_HMAC: derivation = .hmac
    case TUILE_DERIVATION_NONE: derivation = KeyDerivation.none
    default: throw .argument("derivation is no tuile_derivation")
    }
  }

  private static func digest(_ given: tuile_digest) throws(Failure) -> Digest? {
    switch given {
    case TUILE_DIGEST_DEFAULT: return nil
    case TUILE_DIGEST_SHA1: return .sha1
    case TUILE_DIGEST_SHA256: return .sha256
    case TUILE_DIGEST_SHA384: return .sha384
    case TUILE_DIGEST_SHA512: return .sha512
    default: throw .argument("a digest is no tuile_digest")
    }
  }
}
