// What 0.1 had under these names, for programs that were compiled with its header: in no
// header any more, and gone with 1.0. Each answers as its successor does.

import CTuile

/// tuile_session_start, without a URL.
@_cdecl("tuile_session_begin")
public func tuile_session_begin(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ cookie_header: tuile_bytes
) -> UnsafeMutablePointer<tuile_session>? {
  var session: UnsafeMutablePointer<tuile_session>?
  let status = tuile_session_start(manager, cookie_header, tuile_bytes(), &session, nil)
  return status == TUILE_OK ? session : nil
}

/// tuile_store_open_ops.
@_cdecl("tuile_store_new")
public func tuile_store_new(
  _ ops: UnsafePointer<tuile_store_ops>?, _ context: UnsafeMutableRawPointer?,
  _ store: UnsafeMutablePointer<UnsafeMutablePointer<tuile_store>?>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  tuile_store_open_ops(ops, context, store, error)
}

/// tuile_token_dumps.
@_cdecl("tuile_signer_dumps")
public func tuile_signer_dumps(
  _ signer: UnsafePointer<tuile_signer>?, _ json: tuile_bytes, _ compress: Bool, _ now: Int64,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  var signing = tuile_signing.standard()
  (signing.value, signing.now, signing.compress) = (json, now, compress)
  return tuile_token_dumps(signer, &signing, buffer, capacity, size, error)
}

/// tuile_token_loads. `verified` has two fields: when the token was signed, and by which secret.
@_cdecl("tuile_signer_loads")
public func tuile_signer_loads(
  _ signer: UnsafePointer<tuile_signer>?, _ token: tuile_bytes, _ max_age: Int64, _ now: Int64,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ verified: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  var verification = tuile_verification.standard()
  (verification.token, verification.max_age, verification.now) = (token, max_age, now)
  let status = tuile_token_loads(signer, &verification, buffer, capacity, size, error)
  if status == TUILE_OK, let verified {
    verified.storeBytes(of: verification.timestamp, as: Int64.self)
    verified.storeBytes(of: verification.secret, toByteOffset: 8, as: Int.self)
  }
  return status
}
