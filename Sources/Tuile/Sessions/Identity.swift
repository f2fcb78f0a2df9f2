/// Under which key a session is, and what its commit owes the store: one of these at
/// a time. docs/architecture.md has them as a table.
enum Identity {
  /// Without a key until it is saved.
  case none
  /// Under the key that the request came with, or under which it was saved. In a
  /// cookie the token is the key.
  case kept(Bytes)
  /// Under a key that was made here; nothing is stored there yet.
  case fresh(Bytes)
  /// The same, in place of `old`, under which it is stored until the commit.
  case cycled(Bytes, old: Bytes)
  /// Under a key that another request's cycle_key replaced by `to`: what is here can
  /// be read for the grace, and not be saved.
  case moved(Bytes, to: Bytes)
  /// Another request deleted it: no commit of this one saves it, under whatever key
  /// it was given since, unless it starts anew with a flush.
  case deleted(Bytes?)

  var key: Bytes? {
    switch self {
    case .none: return nil
    case .kept(let key), .fresh(let key), .cycled(let key, _), .moved(let key, _): return key
    case .deleted(let key): return key
    }
  }

  /// The key that cycle_key replaced, until the commit.
  var retiring: Bytes? {
    guard case .cycled(_, let old) = self else { return nil }
    return old
  }

  var movedTo: Bytes? {
    guard case .moved(_, let target) = self else { return nil }
    return target
  }

  /// Whether nothing is stored under the key.
  var isNew: Bool {
    switch self {
    case .fresh, .cycled, .deleted: return true
    case .none, .kept, .moved: return false
    }
  }

  var isDeleted: Bool {
    guard case .deleted = self else { return false }
    return true
  }

  /// A first key, or another one in place of one that can't be.
  mutating func adopt(_ fresh: Bytes) {
    switch self {
    case .cycled(_, let old): self = .cycled(fresh, old: old)
    case .deleted: self = .deleted(fresh)
    case .none, .kept, .fresh, .moved: self = .fresh(fresh)
    }
  }

  /// A new key, for a login. With a key that another request has replaced, this is a
  /// session of its own: whoever comes with an old key never gets at the new one.
  mutating func cycle(to fresh: Bytes) {
    switch self {
    case .kept(let old), .cycled(_, let old): self = .cycled(fresh, old: old)
    case .deleted: self = .deleted(fresh)
    case .none, .fresh, .moved: self = .fresh(fresh)
    }
  }

  /// What was read under the key has this pointer, or none. Under the old key of a
  /// session that is given a new one, the commit looks at it itself.
  mutating func read(pointer: Bytes?) {
    switch self {
    case .kept(let key), .moved(let key, _): self = pointer.map { .moved(key, to: $0) } ?? .kept(key)
    case .none, .fresh, .cycled, .deleted: break
    }
  }

  /// The store has it under its key now.
  mutating func didSave() {
    switch self {
    case .fresh(let key), .cycled(let key, _): self = .kept(key)
    case .none, .kept, .moved, .deleted: break
    }
  }
}

/// The cookie that sessions were kept in before a store kept them.
enum PreviousCookie {
  /// None came, or it was looked at and is no session.
  case none
  /// Its token, at which nobody has looked.
  case unread(Bytes)
  /// The session came from it, and it is to be deleted.
  case taken

  var isUnread: Bool {
    guard case .unread = self else { return false }
    return true
  }

  var isTaken: Bool {
    guard case .taken = self else { return false }
    return true
  }
}

extension Session {
  /// What the last load said of the session, whatever this request did to the data; in
  /// Unix microseconds.
  struct Known {
    /// The key that it leads to, and until when it does.
    var pointer: Bytes?
    var until: Int64?
    /// The end that no activity moves.
    var ends: Int64?
    /// When the store lets it go.
    var expires: Int64?
  }

  /// When the host says that the session expires, in Unix microseconds, in place of the
  /// expiry that it had then.
  struct HostExpiry: ~Copyable {
    var date: Int64?
    var expiry = ByteBuffer()
  }

  /// What a commit that gives the session a new key has done so far.
  struct Cycling: ~Copyable {
    /// What is under the new key; empty: nothing yet.
    var placed = ByteBuffer()
    /// Nobody knows whether the old key leads to the new one already; until when it does,
    /// if so, in Unix microseconds.
    var pointerMayEnd: Int64?
  }
}
