// Section 13: Secrets
// Secrets from wherever they are kept, in the order of their use: to rotate, add
// the new one first. A secret must have 32 bytes, of 8 kinds at least, unless weak
// ones are allowed for the sake of another framework.

import CSystem
import CTuile

/// Makes an empty keyring. `*keyring` is the caller's, to be freed with
/// tuile_keyring_free.
///
/// `allow_weak` takes secrets that are shorter, as older applications have them.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_keyring_new")
public func tuile_keyring_new(
  _ allow_weak: Bool, _ keyring: UnsafeMutablePointer<UnsafeMutablePointer<tuile_keyring>?>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let keyring else { throw .argument("keyring is NULL") }
    keyring.pointee = Handle.give(try Keyring.make(allowWeak: allow_weak))
    return TUILE_OK
  }
}

/// Frees a keyring and wipes its secrets. NULL is fine; signers and managers made
/// from it have their own. Since 0.1.
@_cdecl("tuile_keyring_free")
public func tuile_keyring_free(_ keyring: UnsafeMutablePointer<tuile_keyring>?) {
  guard let keyring else { return }
  let _: Keyring = Handle.take(keyring)
}

/// Adds a secret behind those that are there. The text is copied, not kept.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX for what is not of the format;
/// TUILE_E_ARGUMENT for NULL, an unknown format, an empty or a weak secret;
/// TUILE_E_LIMIT for more than 65 secrets or 4096 bytes; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_keyring_add")
public func tuile_keyring_add(
  _ keyring: UnsafeMutablePointer<tuile_keyring>?, _ secret: tuile_bytes, _ format: tuile_secret_format,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  adding(keyring, format, error) { (ring, format) throws(Failure) in
    guard let secret = Bytes(secret) else { throw .argument("the secret is NULL and has a size") }
    try ring.add(secret, format)
  }
}

/// Adds a secret with what belongs to it where a framework keeps more than a secret:
/// gorilla's block key, of the same format, or empty for a pair that signs alone;
/// iron-session's id, or TUILE_UNSET for the place in the ring, the last secret being 1.
///
/// Where one secret of a ring has an id, all need one. Other dialects make no use of either.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX for what is not of the format; TUILE_E_ARGUMENT for
/// NULL, an unknown format, an empty or a weak secret, an id that is negative or another
/// secret's; TUILE_E_LIMIT for more than 65 secrets or 4096 bytes; TUILE_E_MEMORY. Since 0.1.1.
@_cdecl("tuile_keyring_add_entry")
public func tuile_keyring_add_entry(
  _ keyring: UnsafeMutablePointer<tuile_keyring>?, _ secret: tuile_bytes, _ block_key: tuile_bytes, _ id: Int64,
  _ format: tuile_secret_format, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  adding(keyring, format, error) { (ring, format) throws(Failure) in
    guard let secret = Bytes(secret), let block = Bytes(block_key) else {
      throw .argument("a key is NULL and has a size")
    }
    try ring.add(secret, format, block: block, id: id == unset ? nil : id)
  }
}

/// Adds the secrets of a file, one a line, the newest first. Lines may end in CR LF.
///
/// What makes another secret of a secret is an error: a byte order mark, UTF-16, spaces
/// around it, quotes, or a name before it as in `SECRET_KEY = 'x'`. A secret that is
/// meant so can be written in hex or base64.
///
/// With TUILE_SECRET_SHARED_FILE in `format` others than its owner may read the file, as
/// its group does, or a container with a secret mounted into it; write it they may not.
///
/// Returns TUILE_OK; TUILE_E_FILE if it can't be read, or if others than its owner
/// may open it; TUILE_E_SYNTAX, with the place in `offset`, for one of these;
/// TUILE_E_ARGUMENT for NULL, an unknown format, an empty or a weak secret;
/// TUILE_E_LIMIT for more than 1 MiB, 65 secrets, or 4096 bytes in one; TUILE_E_MEMORY.
/// Since 0.1.
@_cdecl("tuile_keyring_add_file")
public func tuile_keyring_add_file(
  _ keyring: UnsafeMutablePointer<tuile_keyring>?, _ path: tuile_bytes, _ format: tuile_secret_format,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  let flag = UInt32(TUILE_SECRET_SHARED_FILE)
  let shared = format.rawValue & flag != 0
  let format = tuile_secret_format(format.rawValue & ~flag)
  return adding(keyring, format, error) { (ring, format) throws(Failure) in
    var data: UnsafeMutableRawPointer?
    var size = 0
    let others = shared ? SYS_OTHERS_READ : SYS_OTHERS_NOTHING
    let failure = try withPath(path) { sys_file_read($0, others, 1 &<< 20, &data, &size) }
    guard failure == 0, let data else {
      if failure == EFBIG { throw .limit("the file has more than 1 MiB") }
      if failure == EPERM && shared { throw .file("others than its owner may write the file", failure) }
      if failure == EPERM { throw .file("others than its owner may open the file", failure) }
      throw .file("the file could not be read", failure)
    }
    defer {
      sys_wipe(data, size)
      free(data)
    }
    try ring.addLines(Bytes(UnsafePointer(data.assumingMemoryBound(to: UInt8.self)), size), format)
  }
}

/// Adds the secrets in a variable of the environment, as tuile_keyring_add_file does
/// those of a file. Not to be called while another thread changes the environment.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is no such variable, or the program
/// runs with raised rights; TUILE_E_SYNTAX, TUILE_E_ARGUMENT, TUILE_E_LIMIT and
/// TUILE_E_MEMORY for what tuile_keyring_add_file refuses. Since 0.1.
@_cdecl("tuile_keyring_add_environment")
public func tuile_keyring_add_environment(
  _ keyring: UnsafeMutablePointer<tuile_keyring>?, _ variable: tuile_bytes, _ format: tuile_secret_format,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  var found = true
  let status = adding(keyring, format, error) { (ring, format) throws(Failure) in
    guard let text = try withPath(variable, { sys_environment($0) }) else {
      found = false
      return
    }
    let size = strlen(text)
    try ring.addLines(Bytes(UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), Int(size)), format)
  }
  return found ? status : TUILE_ABSENT
}

/// Counts the secrets.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL. Since 0.1.
@_cdecl("tuile_keyring_count")
public func tuile_keyring_count(
  _ keyring: UnsafePointer<tuile_keyring>?, _ count: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  guard let keyring, let count else { return TUILE_E_ARGUMENT }
  let ring: Keyring = Handle.borrow(keyring)
  count.pointee = ring.count
  return TUILE_OK
}

/// Writes a new secret: 32 random bytes in URL-safe base64, 43 characters, no NUL.
///
/// Returns TUILE_OK; TUILE_E_SPACE, with the size in `*size`, which may be NULL;
/// TUILE_E_RANDOM if the system gives no random bytes; TUILE_E_ARGUMENT. Since 0.1.
@_cdecl("tuile_secret_generate")
public func tuile_secret_generate(
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    try withScratch(32 &+ 43) { (random) throws(Failure) in
      guard sys_random(random, 32) else { throw .random }
      Base64URL.encode(Bytes(random, 32), to: random + 32)
      return deliver(Bytes(random + 32, 43), buffer, capacity, size)
    }
  }
}

/// Whether a user is still who a Django session says: its `_auth_user_hash` is what
/// Django's AbstractBaseUser.get_session_auth_hash makes of the user's row.
///
/// `password` is that row's column, as it is stored; `hash` the session's value. Each
/// secret is tried, as Django tries SECRET_KEY and SECRET_KEY_FALLBACKS, and compared in
/// constant time. After another password was set no session from before has the hash.
///
/// Returns TUILE_OK; TUILE_BAD_SIGNATURE, also for what is no such hash;
/// TUILE_E_ARGUMENT for NULL or an empty keyring; TUILE_E_MEMORY. Since 0.1.1.
@_cdecl("tuile_keyring_verify_login")
public func tuile_keyring_verify_login(
  _ keyring: UnsafePointer<tuile_keyring>?, _ password: tuile_bytes, _ hash: tuile_bytes,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let keyring, let password = Bytes(password), let hash = Bytes(hash) else {
      throw .argument("the keyring is NULL, or password or hash is NULL and has a size")
    }
    let secrets = try SecretList(Handle.borrow(keyring) as Keyring)
    let salt = Bytes("django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash")
    let keys = try SignerSettings(secrets: secrets, salt: salt).hashedKeys(.sha256, before: salt, "")
    var given = ByteBuffer()
    guard hash.count == 64, try Hex.decode(hash, to: &given) else { return TUILE_BAD_SIGNATURE }
    return keys.matching(password, given.bytes) == nil ? TUILE_BAD_SIGNATURE : TUILE_OK
  }
}

/// Writes the secret that another one gives for a purpose: 43 characters as
/// tuile_secret_generate writes them, no NUL. Dialects that share a secret may give each
/// other away; those with secrets of their own, derived from one, do not.
///
/// base64url(HKDF-SHA-256(secret, no salt, "tuile v1 derive" 00 length ":" purpose, 32)).
///
/// Returns TUILE_OK; TUILE_E_SPACE, with the size in `*size`, which may be NULL;
/// TUILE_E_ARGUMENT for NULL, an empty purpose or a secret under 32 bytes;
/// TUILE_E_LIMIT for one of them over 4096 bytes; TUILE_E_MEMORY. Since 0.1.1.
@_cdecl("tuile_secret_derive")
public func tuile_secret_derive(
  _ secret: tuile_bytes, _ purpose: tuile_bytes, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let secret = Bytes(secret), let purpose = Bytes(purpose) else { throw .argument("secret or purpose is NULL") }
    guard secret.count >= Keyring.strongSize else { throw .argument("the secret has less than 32 bytes") }
    return try Keyring.derived(secret, purpose) { (key) throws(Failure) in deliver(key, buffer, capacity, size) }
  }
}

/// Makes a keyring of what each secret of a ring gives for a purpose, in the same
/// order, so that a rotation of the one is one of the other. `*derived` is the
/// caller's, to be freed with tuile_keyring_free.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an empty ring or purpose;
/// TUILE_E_LIMIT for a purpose over 4096 bytes; TUILE_E_MEMORY. Since 0.1.1.
@_cdecl("tuile_keyring_derive")
public func tuile_keyring_derive(
  _ keyring: UnsafePointer<tuile_keyring>?, _ purpose: tuile_bytes,
  _ derived: UnsafeMutablePointer<UnsafeMutablePointer<tuile_keyring>?>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let keyring, let derived, let purpose = Bytes(purpose) else {
      throw .argument("keyring, purpose or derived is NULL")
    }
    let ring: Keyring = Handle.borrow(keyring)
    derived.pointee = Handle.give(try ring.derived(for: purpose))
    return TUILE_OK
  }
}

private func adding(
  _ keyring: UnsafeMutablePointer<tuile_keyring>?, _ format: tuile_secret_format,
  _ error: UnsafeMutablePointer<tuile_error>?, _ body: (Keyring, Keyring.Format) throws(Failure) -> Void
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let keyring else { throw .argument("the keyring is NULL") }
    let ring: Keyring = Handle.borrow(UnsafePointer(keyring))
    switch format {
    case TUILE_SECRET_TEXT: try body(ring, .text)
    case TUILE_SECRET_HEX: try body(ring, .hex)
    case TUILE_SECRET_BASE64: try body(ring, .base64)
    default: throw .argument("format is no tuile_secret_format")
    }
    return TUILE_OK
  }
}
