// Section 16: Stores
// Where sessions are kept. Most programs name one in tuile_config and need
// nothing of this; it is for hosts that bring their own store, share one between
// managers, or look into one. Keys are 8 to 40 bytes of a-z and 0-9, the
// first perhaps a '~', which makes it a record's: kept apart from sessions, and in no
// walk. Anything else is TUILE_E_ARGUMENT and never reaches a path or a query. Times are Unix
// microseconds. All functions but tuile_store_close are safe from all threads,
// and in a child after fork(): it opens connections of its own.
// Each may also return TUILE_E_STORE if the store failed or could not be reached,
// TUILE_E_BUSY if others held it for too long, TUILE_E_CORRUPT if its file or
// table is damaged, and TUILE_E_MEMORY.

import CSystem
import CTuile

/// Opens the store that a URL names. `*store` is the caller's, to be closed with
/// tuile_store_close.
///
/// "memory:" keeps sessions in this process; its option `max_bytes=N`, 65536 and more, lets
/// those go that were used longest ago. "file:///absolute/folder" keeps them as Django's
/// file backend does, one file each; the folder is made if missing, for its owner alone,
/// and refused if others may list it, unless `others=list`. Its options:
/// `prefix=sessionid`, Django's SESSION_COOKIE_NAME; `age=1209600`, Django's
/// SESSION_COOKIE_AGE in seconds; `busy=5000`, the milliseconds to wait for other writers;
/// `fsync=off`, `data` (the default: power loss leaves each session whole) or `full` (it
/// loses none). "sqlite:///absolute/path" keeps them in Django's table `django_session` in
/// that file; both are made if missing, the file readable by its owner alone. Its options:
/// `busy=5000`, the milliseconds to wait for other writers; `synchronous=full`, so that a
/// commit also survives power loss (`normal`, the default, survives a crash of the process
/// only). Paths are absolute: a folder or file in / itself, as "sqlite:///name" says, is
/// TUILE_E_SYNTAX without `mode=rwc`. The option `mode` of both is SQLite's: `rwc`, the
/// default, makes what is missing, `rw` makes nothing, `ro` writes nothing. NAME://… is
/// opened by the module libtuile-NAME.so: see tuile_module_folder.
///
/// Returns TUILE_OK; TUILE_E_SYNTAX for another URL (`offset` says where); TUILE_E_LIMIT
/// for one over 4096 bytes; TUILE_E_MISSING if its module can't be loaded; TUILE_E_ARGUMENT
/// for NULL; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held
/// by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_open")
public func tuile_store_open(
  _ url: tuile_bytes, _ store: UnsafeMutablePointer<UnsafeMutablePointer<tuile_store>?>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let store else { throw .argument("store is NULL") }
    let opened = try StoreURL.openAny(try StoreURL.check(url))
    store.pointee = Handle.give(StoreHandle(opened.store, layout: opened.layout))
    return TUILE_OK
  }
}

/// Says where store modules are: the objects libtuile-NAME.so that URLs such as
/// redis://… and postgresql://… need.
///
/// Until this is called they are looked for in the folder that the environment
/// variable TUILE_MODULE_PATH names (not in programs with raised rights), then in
/// the folder tuile/ beside this library, then beside it. Empty: there again.
/// What is loaded already stays.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL, a NUL in it, or over 4095 bytes. Since 0.1.
@_cdecl("tuile_module_folder")
public func tuile_module_folder(_ path: tuile_bytes) -> tuile_status {
  if path.size == 0 { return sys_module_folder("") ? TUILE_OK : TUILE_E_ARGUMENT }
  return answering(nil) { () throws(Failure) in
    try withPath(path) { (path) throws(Failure) in
      guard sys_module_folder(path) else { throw .argument("the path is too long") }
      return TUILE_OK
    }
  }
}

/// Makes a store of your own operations, which are copied.
///
/// `context` is given to each of them and must live until `close` was called,
/// which tuile_store_close does.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, a missing operation other than
/// `close`, or a struct of a size that no version has. Since 0.1.
@_cdecl("tuile_store_open_ops")
public func tuile_store_open_ops(
  _ ops: UnsafePointer<tuile_store_ops>?, _ context: UnsafeMutableRawPointer?,
  _ store: UnsafeMutablePointer<UnsafeMutablePointer<tuile_store>?>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let ops, let store else { throw .argument("ops or store is NULL") }
    let own = try CallbackStore.make(try tuile_store_ops(given: ops), context: context)
    store.pointee = Handle.give(StoreHandle(own))
    return TUILE_OK
  }
}

/// Closes a store. NULL is fine. No call with it may be under way, and no manager
/// may use it any more. Since 0.1.
@_cdecl("tuile_store_close")
public func tuile_store_close(_ store: UnsafeMutablePointer<tuile_store>?) {
  guard let store else { return }
  let handle: StoreHandle = Handle.take(store)
  handle.store.close()
}

/// Gives `receive` the data and expiry of a key.
///
/// `receive` is called once, for TUILE_OK alone, while no lock is held; the data is
/// borrowed for that call. `context` is handed to it.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is no such key or its expiry is not later than
/// `now`; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store
/// failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_load")
public func tuile_store_load(
  _ store: UnsafeMutablePointer<tuile_store>?, _ key: tuile_bytes, _ now: Int64, _ receive: tuile_receive?,
  _ context: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  calling(store, key, error) { (store, key) throws(Failure) in
    guard let receive else { throw .argument("receive is NULL") }
    var data = ByteBuffer()
    guard let expires = try store.load(key, now: now, into: &data) else { return TUILE_ABSENT }
    receive(context, data.bytes.c, expires)
    return TUILE_OK
  }
}

/// Stores data under a key that is not taken.
///
/// Returns TUILE_OK; TUILE_EXISTS if the key is stored, expired or not; TUILE_E_ARGUMENT;
/// TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held by others
/// or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_create")
public func tuile_store_create(
  _ store: UnsafeMutablePointer<tuile_store>?, _ key: tuile_bytes, _ data: tuile_bytes, _ expires: Int64,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  calling(store, key, error) { (store, key) throws(Failure) in
    let data = try payload(data)
    return try store.create(key, data: data, expires: expires, now: .min) ? TUILE_OK : TUILE_EXISTS
  }
}

/// Replaces the data of a key, if it is `expected` to the byte, and its expiry, in one
/// atomic step.
///
/// Returns TUILE_OK; TUILE_CONFLICT if other data is stored; TUILE_ABSENT if the key is
/// not; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store
/// failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_replace")
public func tuile_store_replace(
  _ store: UnsafeMutablePointer<tuile_store>?, _ key: tuile_bytes, _ expected: tuile_bytes, _ data: tuile_bytes,
  _ expires: Int64, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  calling(store, key, error) { (store, key) throws(Failure) in
    let expected = try payload(expected)
    let data = try payload(data)
    switch try store.replace(key, expected: expected, data: data, expires: expires) {
    case .replaced: return TUILE_OK
    case .conflict: return TUILE_CONFLICT
    case .absent: return TUILE_ABSENT
    }
  }
}

/// Sets the expiry of a key and leaves its data alone.
///
/// Returns TUILE_OK; TUILE_ABSENT if the key is not stored; TUILE_E_ARGUMENT;
/// TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held by others
/// or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_touch")
public func tuile_store_touch(
  _ store: UnsafeMutablePointer<tuile_store>?, _ key: tuile_bytes, _ expires: Int64,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  calling(store, key, error) { (store, key) throws(Failure) in
    try store.touch(key, expires: expires) ? TUILE_OK : TUILE_ABSENT
  }
}

/// Removes a key and its data.
///
/// Returns TUILE_OK, whether or not it was there; TUILE_E_ARGUMENT; TUILE_E_STORE,
/// TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
/// TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_remove")
public func tuile_store_remove(
  _ store: UnsafeMutablePointer<tuile_store>?, _ key: tuile_bytes, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  calling(store, key, error) { (store, key) throws(Failure) in
    try store.remove(key)
    return TUILE_OK
  }
}

/// Removes at most `limit` keys whose expiry is before `now`.
///
/// `*removed`, which may be NULL, gets how many. SQLite removes up to 500 in one
/// transaction, so that other writers get their turn in between.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if
/// the store failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_sweep")
public func tuile_store_sweep(
  _ store: UnsafeMutablePointer<tuile_store>?, _ now: Int64, _ limit: size_t, _ removed: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let store else { throw .argument("the store is NULL") }
    let handle: StoreHandle = Handle.borrow(store)
    let count = try handle.store.sweep(now: now, limit: limit < 0 ? Int.max : limit)
    removed?.pointee = count
    return TUILE_OK
  }
}

/// Sets data and expiry of a key, whether or not it is there.
///
/// For caches: two writers at once do not notice each other, and a removed key comes back.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if
/// the store failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_store_put")
public func tuile_store_put(
  _ store: UnsafeMutablePointer<tuile_store>?, _ key: tuile_bytes, _ data: tuile_bytes, _ expires: Int64,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  calling(store, key, error) { (store, key) throws(Failure) in
    try store.put(key, data: try payload(data), expires: expires)
    return TUILE_OK
  }
}

/// What a `tuile_store *` points to.
final class StoreHandle {
  let store: any Store
  /// Whose sessions are in it; nil: Django's.
  let layout: Layout?

  init(_ store: any Store, layout: Layout? = nil) {
    self.store = store
    self.layout = layout
  }
}

/// Longer data is refused by every store.
private let largestData = 128 << 20

private func payload(_ data: tuile_bytes) throws(Failure) -> Bytes {
  guard let bytes = Bytes(data) else { throw .argument("the data is NULL and has a size") }
  guard bytes.count <= largestData else { throw .limit("the data has more than 128 MiB") }
  return bytes
}

/// Runs `body` with a store and a key that can be one.
func calling(
  _ store: UnsafeMutablePointer<tuile_store>?, _ key: tuile_bytes, _ error: UnsafeMutablePointer<tuile_error>?,
  _ body: (any Store, Bytes) throws(Failure) -> tuile_status
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let store else { throw .argument("the store is NULL") }
    let handle: StoreHandle = Handle.borrow(store)
    // Of a layout also what a walk gave.
    guard let key = Bytes(key),
      handle.layout?.names(key)
        ?? (SessionKey.isValid(key) || SessionKey.isRecord(key))
    else {
      throw .argument(
        handle.layout == nil
          ? "a key has 8 to 40 characters of a-z and 0-9, or, for a record, ~ in front of them"
          : "the session ID is none that the store's layout has")
    }
    return try body(handle.store, key)
  }
}
