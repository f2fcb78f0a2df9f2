// Section 7: Signing
// Tokens of Django, and of the other frameworks that tuile_dialect names, to the
// byte, and Tuile's own. A signer keeps keys, not secrets, and wipes them when it
// is freed. A signature that does not match is an ordinary answer,
// TUILE_BAD_SIGNATURE, and compared in constant time; so is a token that can't be
// decrypted, or is of another format. All functions but tuile_signer_free are safe
// from all threads. Functions that allocate may also return TUILE_E_MEMORY, those
// that write encrypted tokens TUILE_E_RANDOM.

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
/// The salt names the purpose: a value signed under one salt does not verify
/// under another. Django's default salts are "django.core.signing.Signer",
/// "django.core.signing.TimestampSigner" and, for dumps, "django.core.signing";
/// itsdangerous' "itsdangerous.Signer" and, for dumps, "itsdangerous".
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an empty secret or fallback, one
/// that the dialect can't use, a cookie's name that it needs, an unknown constant,
/// or a struct of a size that no version has; TUILE_E_LIMIT for more than 64 fallbacks or a secret
/// or salt over 4096 bytes; TUILE_E_MEMORY. Since 0.1.
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
/// `now` is Unix seconds, or TUILE_UNSET for the clock. `*size`, which may be NULL,
/// gets the size, or for TUILE_E_SPACE the size that is enough for any token of the
/// text: an encrypted one is another each time. The buffer is written only on
/// success. Django's dialect allocates no memory.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_LIMIT for a token over 64 MiB;
/// TUILE_E_SYNTAX if the dialect holds text in UTF-8 alone and it is none;
/// TUILE_E_RANGE for a time that the format can't hold; TUILE_E_ARGUMENT for NULL,
/// or if the dialect signs JSON alone. Since 0.1.
@_cdecl("tuile_signer_sign")
public func tuile_signer_sign(
  _ signer: UnsafePointer<tuile_signer>?, _ value: tuile_bytes, _ now: Int64, _ buffer: UnsafeMutablePointer<CChar>?,
  _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  guard let signer, let value = Bytes(value) else { return TUILE_E_ARGUMENT }
  guard value.count <= Dialect.largest &- 64 else { return TUILE_E_LIMIT }
  let object: Dialect = Handle.borrow(signer)
  let present = seconds(now)
  if let django = object.django {
    return writing(buffer, capacity, size, most: DjangoSigner.roomFor(value.count)) {
      django.sign(value, now: present, to: &$0)
    }
  }
  return answering(nil) { () throws(Failure) in
    var token = ByteBuffer()
    try object.sign(value, now: present, to: &token)
    try checkSize(token)
    return deliver(token, of: object, buffer, capacity, size)
  }
}

/// Checks a token and gives the text in it, where the token holds it as it is.
///
/// `max_age` is in seconds, or TUILE_UNSET for no limit; a token of just that age
/// is still good. One from the future is too, as in Django, but not in the
/// dialects of itsdangerous, which refuse it. `now` is Unix seconds, or TUILE_UNSET
/// for the clock; ages count in whole seconds. `*value` points into `token`;
/// `verified`, which may be NULL, gets the timestamp and which key matched: one
/// that is not 0 is a fallback, and the value worth signing again. Django's
/// dialect allocates no memory.
///
/// Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_ARGUMENT for
/// NULL, and for a dialect whose tokens hold their text in another form:
/// tuile_signer_open reads those. Outputs are written for TUILE_OK alone.
/// Since 0.1.
@_cdecl("tuile_signer_verify")
public func tuile_signer_verify(
  _ signer: UnsafePointer<tuile_signer>?, _ token: tuile_bytes, _ max_age: Int64, _ now: Int64,
  _ value: UnsafeMutablePointer<tuile_bytes>?, _ verified: UnsafeMutablePointer<tuile_verified>?
) -> tuile_status {
  guard let signer, let token = Bytes(token), let value else { return TUILE_E_ARGUMENT }
  let object: Dialect = Handle.borrow(signer)
  return answering(nil) { () throws(Failure) in
    switch try object.verify(token, maxAge: max_age == unset ? nil : max_age, now: seconds(now)) {
    case .badSignature: return TUILE_BAD_SIGNATURE
    case .expired: return TUILE_EXPIRED
    case .valid(let answer):
      value.pointee = answer.value.c
      verified?.pointee = tuile_verified(timestamp: answer.timestamp ?? unset, key: answer.key)
      return TUILE_OK
    }
  }
}

/// Checks a token of tuile_signer_sign and writes the text in it, in every
/// dialect.
///
/// `max_age`, `now` and `verified` as in tuile_signer_verify; `buffer`,
/// `capacity` and `*size` as in tuile_signer_sign. A token's own end counts too.
/// Nothing is decoded before the token was found genuine.
///
/// Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_SPACE;
/// TUILE_E_TYPE if the token holds JSON that is no text; TUILE_E_SYNTAX if it
/// holds what its dialect does not; TUILE_E_LIMIT for more than 64 MiB;
/// TUILE_E_ARGUMENT. Since 0.1.
@_cdecl("tuile_signer_open")
public func tuile_signer_open(
  _ signer: UnsafePointer<tuile_signer>?, _ token: tuile_bytes, _ max_age: Int64, _ now: Int64,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ verified: UnsafeMutablePointer<tuile_verified>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  opening(signer, token, json: false, max_age, now, buffer, capacity, size, verified, error)
}

/// Makes the token of JSON: what a framework keeps a session as. In Django's
/// dialect this is signing.dumps: compact JSON in URL-safe base64, then
/// `:timestamp:signature`.
///
/// `json` is one JSON value; its white space and escapes become those that the
/// dialect's own language writes, numbers and the order of keys stay as they
/// stand. With `compress` the dialects of Django and itsdangerous deflate it where
/// that makes it shorter. `now`, `buffer`, `capacity` and `*size`
/// as in tuile_signer_sign.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if `json` is none (`offset`
/// says where); TUILE_E_LIMIT for a token over 64 MiB; TUILE_E_MEMORY;
/// TUILE_E_RANGE for a time that the format can't hold; TUILE_E_ARGUMENT for NULL,
/// or if the dialect has no form for JSON. Since 0.1.
@_cdecl("tuile_signer_dumps")
public func tuile_signer_dumps(
  _ signer: UnsafePointer<tuile_signer>?, _ json: tuile_bytes, _ compress: Bool, _ now: Int64,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let signer, let json = Bytes(json) else { throw .argument("signer or json is NULL") }
    guard json.count <= Dialect.largest else { throw .limit("the payload has more than 64 MiB") }
    let object: Dialect = Handle.borrow(signer)
    var token = ByteBuffer()
    try object.dumps(json, compress: compress, now: seconds(now), to: &token)
    try checkSize(token)
    return deliver(token, of: object, buffer, capacity, size)
  }
}

/// Checks a token of tuile_signer_dumps, or of the framework itself, and writes its
/// JSON, without a NUL.
///
/// `max_age`, `now` and `verified` as in tuile_signer_verify; `buffer`,
/// `capacity` and `*size` as in tuile_signer_sign. Nothing is decoded before the
/// signature was found right.
///
/// Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_SPACE;
/// TUILE_E_SYNTAX if what was signed is no JSON; TUILE_E_LIMIT if it has more
/// than 64 MiB, deflated or not; TUILE_E_MEMORY; TUILE_E_ARGUMENT for NULL.
/// Since 0.1.
@_cdecl("tuile_signer_loads")
public func tuile_signer_loads(
  _ signer: UnsafePointer<tuile_signer>?, _ token: tuile_bytes, _ max_age: Int64, _ now: Int64,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ verified: UnsafeMutablePointer<tuile_verified>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  opening(signer, token, json: true, max_age, now, buffer, capacity, size, verified, error)
}

private func deliver(
  _ token: borrowing ByteBuffer, of dialect: Dialect, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  let status = deliver(token.bytes, buffer, capacity, size)
  if status == TUILE_E_SPACE { size?.pointee = dialect.roomFor(token.bytes) }
  return status
}

/// What is written can be read: a larger token is taken for none.
private func checkSize(_ token: borrowing ByteBuffer) throws(Failure) {
  guard token.count <= Dialect.largest else { throw .limit("the token has more than 64 MiB") }
}

private func opening(
  _ signer: UnsafePointer<tuile_signer>?, _ token: tuile_bytes, json: Bool, _ max_age: Int64, _ now: Int64,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ verified: UnsafeMutablePointer<tuile_verified>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let signer, let token = Bytes(token) else { throw .argument("signer or token is NULL") }
    let object: Dialect = Handle.borrow(signer)
    var out = ByteBuffer()
    defer { out.wipe() }
    let maxAge = max_age == unset ? nil : max_age
    let opened = try object.openAsSent(
      token, json: json, maxAge: maxAge, now: seconds(now), limit: Dialect.largest, to: &out)
    switch opened {
    case .badSignature: return TUILE_BAD_SIGNATURE
    case .expired: return TUILE_EXPIRED
    case .valid(let timestamp, let key):
      if json { try JSONText.check(out.bytes) }
      let status = deliver(out.bytes, buffer, capacity, size)
      if status == TUILE_OK { verified?.pointee = tuile_verified(timestamp: timestamp ?? unset, key: key) }
      return status
    }
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
