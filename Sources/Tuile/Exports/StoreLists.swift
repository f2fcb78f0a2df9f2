// Section 17: Stores, what is in them
// All keys of a store, to move or to list its sessions, and the lists of whose
// sessions they are. Stores that can't tell answer TUILE_E_ARGUMENT. What is
// said of stores above holds here too. A callback runs while no lock is held, and
// may call the store.

import CSystem
import CTuile

/// Gives `receive` each key whose expiry is later than `now`, in no order, until
/// it answers false. `context` is handed to it.
///
/// A key that is stored for as long as this takes, and does not expire, is given
/// at least once, whatever other threads and processes write meanwhile; one that
/// comes or goes meanwhile may be given. Files and Redis may give a key twice. Other
/// writers never wait for it, and its memory does not grow with the number of keys.
/// docs/stores.md says when a cluster of Redis promises less.
///
/// Returns TUILE_OK, also if there is no key or `receive` answered false;
/// TUILE_E_ARGUMENT, also if the store can't tell its keys; TUILE_E_STORE, TUILE_E_BUSY or
/// TUILE_E_CORRUPT if the store failed, was held by others or is damaged; TUILE_E_MEMORY: then
/// some keys may have been given. Since 0.1.
@_cdecl("tuile_store_keys")
public func tuile_store_keys(
  _ store: UnsafeMutablePointer<tuile_store>?, _ now: Int64, _ receive: tuile_receive_key?,
  _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let store, let receive else { throw .argument("the store or receive is NULL") }
    let handle: StoreHandle = Handle.borrow(store)
    try handle.store.keys(now: now) { key, expires in receive(context, key.c, expires) }
    return TUILE_OK
  }
}

/// Gives `receive` the name of each owner in whose list is an entry, in no order, until it
/// answers false. `context` is handed to it.
///
/// Names may be given more than once; what tuile_store_keys says of writers holds for them
/// too. The entries are for tuile_store_owned to tell: an owner whose sessions have ended
/// may be given still.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT, also if the store keeps no lists or can't tell
/// whose; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held by
/// others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_owners")
public func tuile_store_owners(
  _ store: UnsafeMutablePointer<tuile_store>?, _ receive: tuile_receive_owner?, _ context: UnsafeMutableRawPointer?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let store, let receive else { throw .argument("the store or receive is NULL") }
    let handle: StoreHandle = Handle.borrow(store)
    try handle.store.owners { owner in receive(context, owner.c) }
    return TUILE_OK
  }
}

/// Writes the id that tuile_manager_sessions gives the session of a key: 32 hex
/// digits that tell sessions apart and nothing of their keys. No NUL is added.
///
/// Returns TUILE_OK; TUILE_E_SPACE with the size in `*size`, which may be NULL;
/// TUILE_E_ARGUMENT. Since 0.1.
@_cdecl("tuile_store_key_id")
public func tuile_store_key_id(
  _ key: tuile_bytes, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  guard let key = Bytes(key), SessionKey.isSafe(key) else { return TUILE_E_ARGUMENT }
  var id = ByteBuffer()
  guard id.fill(SessionKey.idSize, { SessionKey.writeID(of: key, to: $0) }) else { return TUILE_E_MEMORY }
  return deliver(id.bytes, buffer, capacity, size)
}

/// Writes the entry of `key` in the list of an owner's sessions, new or not.
///
/// `owner` has 1 to 255 bytes of UTF-8 without NUL, `record`, which is kept as it is, at
/// most 1024. `expires` is that of the session, after which the entry may go.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT, also if the store keeps no such lists;
/// TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held by others
/// or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_own")
public func tuile_store_own(
  _ store: UnsafeMutablePointer<tuile_store>?, _ owner: tuile_bytes, _ key: tuile_bytes, _ record: tuile_bytes,
  _ expires: Int64, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  calling(store, key, error) { (store, key) throws(Failure) in
    guard let record = Bytes(record), record.count <= Owner.largestRecord, UTF8Text.firstInvalid(record) == nil,
      !record.contains(0)
    else {
      throw .argument("a record has at most 1024 bytes of UTF-8 without NUL")
    }
    try store.own(try Owner.check(owner), key, record: record, expires: expires)
    return TUILE_OK
  }
}

/// Gives `receive` each session of an owner that is stored and expires later than `now`, in
/// no order.
///
/// The views are borrowed for the call; no lock is held while it runs. `context` is handed
/// to it.
///
/// Returns TUILE_OK, also if there is none; TUILE_E_ARGUMENT, also if the store keeps no
/// such lists; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held
/// by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_owned")
public func tuile_store_owned(
  _ store: UnsafeMutablePointer<tuile_store>?, _ owner: tuile_bytes, _ now: Int64, _ receive: tuile_receive_owned?,
  _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let store, let receive else { throw .argument("the store or receive is NULL") }
    let handle: StoreHandle = Handle.borrow(store)
    try handle.store.owned(try Owner.check(owner), now: now) { key, record, expires in
      receive(context, key.c, record.c, expires)
    }
    return TUILE_OK
  }
}

/// Gives `receive` the record of `key` in the list of an owner's sessions, with an expiry
/// that means nothing, whether or not the session is stored.
///
/// The record is borrowed for the call; no lock is held while it runs. `context` is handed
/// to it.
///
/// Returns TUILE_OK after one call of `receive`; TUILE_ABSENT if the list has no such
/// entry; TUILE_E_ARGUMENT, also if the store keeps no such lists; TUILE_E_STORE,
/// TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
/// TUILE_E_MEMORY. Since 0.1.1.
@_cdecl("tuile_store_owned_record")
public func tuile_store_owned_record(
  _ store: UnsafeMutablePointer<tuile_store>?, _ owner: tuile_bytes, _ key: tuile_bytes, _ receive: tuile_receive?,
  _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  calling(store, key, error) { (store, key) throws(Failure) in
    guard let receive else { throw .argument("receive is NULL") }
    var record = ByteBuffer()
    guard try store.ownedRecord(try Owner.check(owner), key, into: &record) else { return TUILE_ABSENT }
    receive(context, record.bytes.c, 0)
    return TUILE_OK
  }
}

/// Removes the entry of `key` from the list of an owner's sessions; the session stays.
///
/// Returns TUILE_OK, whether or not it was there; TUILE_E_ARGUMENT, also if the store keeps
/// no such lists; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was
/// held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_disown")
public func tuile_store_disown(
  _ store: UnsafeMutablePointer<tuile_store>?, _ owner: tuile_bytes, _ key: tuile_bytes,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  calling(store, key, error) { (store, key) throws(Failure) in
    try store.disown(try Owner.check(owner), key)
    return TUILE_OK
  }
}
