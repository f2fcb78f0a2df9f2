// Section 6: Signing
// Django's Signer, TimestampSigner, dumps and loads, to the byte. A signer keeps
// keys, not secrets, and wipes them when it is freed. A signature that does not
// match is an ordinary answer, TUILE_BAD_SIGNATURE, and compared in constant
// time. All functions but tuile_signer_free are safe from all threads.

import CSystem
import CTuile

/// Sets all fields to what TUILE_SIGNER_CONFIG_INIT sets.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL. Since 0.1.
@_cdecl("tuile_signer_config_init")
public func tuile_signer_config_init(_ config: UnsafeMutablePointer<tuile_signer_config>?) -> tuile_status {
  guard let config else { return TUILE_E_ARGUMENT }
  config.pointee = tuile_signer_config()
  config.pointee.size = MemoryLayout<tuile_signer_config>.size
  config.pointee.timed = true
  return TUILE_OK
}

/// Makes a signer. `*signer` is the caller's, to be freed with tuile_signer_free.
///
/// The salt names the purpose: a value signed under one salt does not verify
/// under another. Django's default salts are "django.core.signing.Signer",
/// "django.core.signing.TimestampSigner" and, for dumps, "django.core.signing".
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an empty secret or fallback, or a
/// struct of another size; TUILE_E_LIMIT for more than 64 fallbacks or a secret
/// or salt over 4096 bytes; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_signer_new")
public func tuile_signer_new(
  _ config: UnsafePointer<tuile_signer_config>?,
  _ signer: UnsafeMutablePointer<UnsafeMutablePointer<tuile_signer>?>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let config, let signer else { throw .argument("config or signer is NULL") }
    let given = config.pointee
    guard given.size == MemoryLayout<tuile_signer_config>.size else { throw .argument("the config's size is wrong") }
    guard let salt = Bytes(given.salt) else { throw .argument("the salt is NULL and has a size") }
    guard salt.count <= 4096 else { throw .limit("the salt has more than 4096 bytes") }
    let secrets = try SecretList(secret: given.secret, fallbacks: given.fallbacks, count: given.fallback_count)
    signer.pointee = Handle.give(try Signer.make(secrets: secrets, salt: salt, timed: given.timed))
    return TUILE_OK
  }
}

/// Frees a signer and wipes its keys. NULL is fine. No call with it may be under
/// way. Since 0.1.
@_cdecl("tuile_signer_free")
public func tuile_signer_free(_ signer: UnsafeMutablePointer<tuile_signer>?) {
  guard let signer else { return }
  let _: Signer = Handle.take(signer)
}

/// Signs text: writes `value:signature`, or `value:timestamp:signature` if the
/// signer is timed, without a NUL.
///
/// `now` is Unix seconds, or TUILE_UNSET for the clock; an untimed signer does
/// not look at it. Needs 44 bytes more than the value, or up to 57 if timed;
/// `*size`, which may be NULL, gets the size that is needed, also for TUILE_E_SPACE. The buffer is written only on
/// success. No memory is allocated.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_LIMIT for a value over 64 MiB;
/// TUILE_E_ARGUMENT for NULL. Since 0.1.
@_cdecl("tuile_signer_sign")
public func tuile_signer_sign(
  _ signer: UnsafePointer<tuile_signer>?, _ value: tuile_bytes, _ now: Int64, _ buffer: UnsafeMutablePointer<CChar>?,
  _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  guard let signer, let value = Bytes(value) else { return TUILE_E_ARGUMENT }
  guard value.count <= Signer.largest else { return TUILE_E_LIMIT }
  let object: Signer = Handle.borrow(signer)
  let present = seconds(now)
  return writing(buffer, capacity, size, most: Signer.roomFor(value.count)) {
    object.sign(value, now: present, to: &$0)
  }
}

/// Checks a token and gives the value that was signed.
///
/// `max_age` is in seconds, or TUILE_UNSET for no limit; a token of just that age
/// is still good, and one from the future too, as in Django. `now` is Unix
/// seconds, or TUILE_UNSET for the clock; ages count in whole seconds. `*value`
/// points into `token`; `verified`, which may be NULL, gets the timestamp and
/// which key matched: one that is not 0 is a fallback, and the value worth signing
/// again. No memory is allocated.
///
/// Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_ARGUMENT for
/// NULL. Outputs are written for TUILE_OK alone. Since 0.1.
@_cdecl("tuile_signer_verify")
public func tuile_signer_verify(
  _ signer: UnsafePointer<tuile_signer>?, _ token: tuile_bytes, _ max_age: Int64, _ now: Int64,
  _ value: UnsafeMutablePointer<tuile_bytes>?, _ verified: UnsafeMutablePointer<tuile_verified>?
) -> tuile_status {
  guard let signer, let token = Bytes(token), let value else { return TUILE_E_ARGUMENT }
  let object: Signer = Handle.borrow(signer)
  switch object.verify(token, maxAge: max_age == unset ? nil : max_age, now: seconds(now)) {
  case .badSignature: return TUILE_BAD_SIGNATURE
  case .expired: return TUILE_EXPIRED
  case .valid(let answer):
    value.pointee = answer.value.c
    verified?.pointee = tuile_verified(timestamp: answer.timestamp ?? unset, key: answer.key)
    return TUILE_OK
  }
}

/// Signs JSON, as Django's signing.dumps does: compact JSON in URL-safe base64,
/// then `:timestamp:signature`.
///
/// `json` is one JSON value; white space is dropped and other than ASCII escaped,
/// as Python's json.dumps does, numbers stay as they stand. With `compress` it is
/// deflated where that makes it shorter. `now`, `buffer`, `capacity` and `*size`
/// as in tuile_signer_sign.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if `json` is none (`offset`
/// says where); TUILE_E_LIMIT for more than 64 MiB; TUILE_E_MEMORY;
/// TUILE_E_ARGUMENT for NULL. Since 0.1.
@_cdecl("tuile_signer_dumps")
public func tuile_signer_dumps(
  _ signer: UnsafePointer<tuile_signer>?, _ json: tuile_bytes, _ compress: Bool, _ now: Int64,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let signer, let json = Bytes(json) else { throw .argument("signer or json is NULL") }
    guard json.count <= Signer.largest else { throw .limit("the payload has more than 64 MiB") }
    let object: Signer = Handle.borrow(signer)
    var canonical = ByteBuffer()
    try JSONText.canonicalize(json, to: &canonical)
    var token = ByteBuffer()
    try object.dumps(canonical.bytes, compress: compress, now: seconds(now), to: &token)
    return deliver(token.bytes, buffer, capacity, size)
  }
}

/// Checks a token of tuile_signer_dumps or Django's signing.dumps and writes its
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
  answering(error) { () throws(Failure) in
    guard let signer, let token = Bytes(token) else { throw .argument("signer or token is NULL") }
    let object: Signer = Handle.borrow(signer)
    var json = ByteBuffer()
    let maxAge = max_age == unset ? nil : max_age
    switch try object.loads(token, maxAge: maxAge, now: seconds(now), limit: Signer.largest, to: &json) {
    case .badSignature: return TUILE_BAD_SIGNATURE
    case .expired: return TUILE_EXPIRED
    case .valid(let timestamp, let key):
      try JSONText.check(json.bytes)
      let status = deliver(json.bytes, buffer, capacity, size)
      if status == TUILE_OK { verified?.pointee = tuile_verified(timestamp: timestamp ?? unset, key: key) }
      return status
    }
  }
}

/// The present time where the caller gave none.
private func seconds(_ now: Int64) -> Int64 { now == unset ? sys_now_microseconds() / 1_000_000 : now }
