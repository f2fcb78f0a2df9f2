// Section 18: Layouts
// What other frameworks keep on the server, looked into and moved. A layout is chosen in a
// store's URL, as docs/layouts.md says.

import CTuile

/// Shows what a framework stored, a value of Redis' or a file's content, as JSON: the
/// session as a store of that URL would read it, with the framework's metadata. Nothing is
/// opened, and nothing of what is stored is ever run.
///
/// `url` is a store's URL with a layout, such as "file:///?layout=php" or
/// "redis://localhost?layout=flask-session&serializer=json". Give `size` NULL or a place
/// for the number of bytes; `buffer` may be NULL with a capacity of 0 to ask for it.
///
/// Returns TUILE_OK; TUILE_UNREADABLE if that is no session of the layout's; TUILE_E_SPACE;
/// TUILE_E_ARGUMENT for NULL, or a URL without a layout; TUILE_E_SYNTAX for one with an
/// unknown layout; TUILE_E_LIMIT for over 16 MiB; TUILE_E_MEMORY. Since 0.2.
@_cdecl("tuile_layout_read")
public func tuile_layout_read(
  _ url: tuile_bytes, _ stored: tuile_bytes, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let stored = Bytes(stored) else { throw .argument("what is stored is NULL and has a size") }
    guard let layout = try LayoutURL.read(try StoreURL.check(url))?.layout else {
      throw .argument("the store's URL names no layout")
    }
    guard stored.count <= 16 << 20 else { throw .limit("what is stored has more than 16 MiB") }
    var json = ByteBuffer()
    guard try layout.read(stored, nil, limit: 16 << 20, into: &json) != nil else { return TUILE_UNREADABLE }
    return deliver(json.bytes, buffer, capacity, size)
  }
}

/// Copies the session of an ID from one manager's store to another's, in the form that
/// the other's framework writes, with its end. `from` keeps it.
///
/// Where both frameworks write alike it is copied whole. Else what JSON can say is: see
/// `tuile_copying`, whose `lost` is told of the rest before anything is written. Metadata of
/// the framework's own stays behind. Safe from all threads.
///
/// Returns TUILE_OK; TUILE_ABSENT; TUILE_EXISTS if `to` has one of that ID, expired or not,
/// which stays; TUILE_UNREADABLE if what is stored can't be verified, or is no session;
/// TUILE_E_TYPE if values would be lost, and `lossy` is not set; TUILE_E_SYNTAX if `to` takes
/// no such ID; TUILE_E_LIMIT if it is larger than `max_data`; TUILE_E_ARGUMENT for NULL, an
/// ID that `from` can't have, or sessions in cookies; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if a
/// store gave no answer; TUILE_E_UNKNOWN if nobody knows whether it was written;
/// TUILE_E_MEMORY. Since 0.2.
@_cdecl("tuile_manager_copy_session")
public func tuile_manager_copy_session(
  _ from: UnsafeMutablePointer<tuile_manager>?, _ to: UnsafeMutablePointer<tuile_manager>?, _ id: tuile_bytes,
  _ copying: UnsafePointer<tuile_copying>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let from, let to, let copying, let id = Bytes(id) else { throw .argument("from, to, id or copying is NULL") }
    let how = try tuile_copying(given: copying)
    let copy = SessionCopy(
      source: Handle.borrow(from), target: Handle.borrow(to), isLooking: how.look, isLossy: how.lossy
    ) { what, name in
      how.lost?(how.lost_context, what, name.c)
    }
    switch try copy.copy(id) {
    case .copied: return TUILE_OK
    case .absent: return TUILE_ABSENT
    case .exists: return TUILE_EXISTS
    case .unreadable: return TUILE_UNREADABLE
    }
  }
}
