import CSystem
import CTuile

/// A walk through a folder that many sweeps share: each goes on where the last
/// one stopped. Nothing is locked on the way; of two at once the second starts anew.
final class FolderWalk {
  private let folder: Int32
  private let name: StaticString
  private var mutex = sys_mutex()
  private var stopped: UnsafeMutableRawPointer?
  private var generation = sys_fork_generation()

  /// `name` ends with a NUL; `folder` is lent and outlives this.
  init(_ folder: Int32, _ name: StaticString) {
    self.folder = folder
    self.name = name
    sys_mutex_init(&mutex)
  }

  deinit {
    sys_folder_list_close(stopped)
    sys_mutex_destroy(&mutex)
  }

  private func open() throws(Failure) -> UnsafeMutableRawPointer? {
    var list: UnsafeMutableRawPointer?
    let failure = Bytes(name).withCString { sys_folder_list(folder, $0, &list) }
    guard failure == 0 || failure == ENOENT else { throw .folder(failure) }
    return list
  }

  private func take() -> UnsafeMutableRawPointer? {
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    let taken = stopped
    stopped = nil
    guard generation != sys_fork_generation() else { return taken }
    // The parent reads from the same place in the folder.
    generation = sys_fork_generation()
    sys_folder_list_close(taken)
    return nil
  }

  private func giveBack(_ list: UnsafeMutableRawPointer) {
    sys_mutex_lock(&mutex)
    let unwanted = stopped
    stopped = list
    sys_mutex_unlock(&mutex)
    sys_folder_list_close(unwanted)
  }

  /// Gives names to `each` until it says that it has enough, `most` were given, or
  /// all were; false if there is no such folder.
  func walk(most: Int, _ each: (Bytes) throws(Failure) -> Bool) throws(Failure) -> Bool {
    var list = take()
    var whole = list == nil
    if whole { list = try open() }
    guard var list else { return false }
    var given = 0
    while given < most {
      guard let name = sys_folder_next(list, nil) else {
        sys_folder_list_close(list)
        // The part before the place where this began, too.
        guard !whole, let again = try open() else { return true }
        whole = true
        list = again
        continue
      }
      given &+= 1
      let size = strlen(name)
      let enough: Bool
      do throws(Failure) {
        enough = try each(Bytes(UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), Int(size)))
      } catch {
        giveBack(list)
        throw error
      }
      if enough { break }
    }
    giveBack(list)
    return true
  }
}

extension FileStore {
  /// One call looks at no more names than so many for each session that it may remove.
  private static let namesForEach = 16
  /// After this, in microseconds, a temporary file belongs to nobody any more.
  private static let abandoned: Int64 = 3_600_000_000

  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    guard options.mode.writes else { throw .readOnly }
    guard limit > 0 else { return 0 }
    let most = limit > Int.max / FileStore.namesForEach ? Int.max : max(limit, 1000) &* FileStore.namesForEach
    var removed = 0
    let fine = try sessionsWalk.walk(most: most) { (name) throws(Failure) in
      if try sweepFile(name, now: now) { removed &+= 1 }
      return removed >= limit
    }
    // Of a folder that was deleted the system says that it is empty.
    guard fine, !sys_folder_is_gone(folder) else { throw .folder(ENOENT) }
    if removed < limit {
      _ = try recordsWalk.walk(most: most) { (name) throws(Failure) in
        if try sweepRecord(name, now: now) { removed &+= 1 }
        return removed >= limit
      }
    }
    try sweepOwners()
    if options.layout != nil {
      _ = try temporaryWalk.walk(most: 1000) { (name) throws(Failure) in
        if name.hasPrefix(Bytes(FileStore.temporaryMark)) { removeAbandonedTemporary(name) }
        return false
      }
    }
    return removed
  }

  /// true if it was a record, and is needed no longer.
  private func sweepRecord(_ name: Bytes, now: Int64) throws(Failure) -> Bool {
    let key = name.slice(0, name.find(UInt8(ascii: "_")))
    guard SessionKey.isRecord(key) else { return false }
    if key.count == name.count { return try removeExpired(key, now: now) }
    if name.dropFirst(key.count).hasPrefix(Bytes(FileStore.temporaryMark)) { removeAbandoned(named: name) }
    return false
  }

  /// true if it was a session, and expired.
  private func sweepFile(_ name: Bytes, now: Int64) throws(Failure) -> Bool {
    if let key = key(of: name) { return try removeExpired(key, now: now) }
    if options.layout == nil, name.hasPrefix(options.prefix.bytes) {
      removeAbandoned(name.dropFirst(options.prefix.count))
    }
    return false
  }

  private func removeExpired(_ key: Bytes, now: Int64) throws(Failure) -> Bool {
    // Looked at again under the lock: it may have been touched meanwhile.
    guard try isExpired(key, now: now) else { return false }
    return try locked(key) { () throws(Failure) in
      guard try isExpired(key, now: now) else { return false }
      return try withName(key) { (name) throws(Failure) in sys_folder_remove(folder, name) } == 0
    }
  }

  /// What has not the form of a session or record is not ours to remove, whatever its name:
  /// a file without content, too.
  private func isExpired(_ key: Bytes, now: Int64) throws(Failure) -> Bool {
    var facts = sys_file_facts()
    let failure = try withName(key) { (name) throws(Failure) in sys_folder_facts(folder, name, &facts) }
    // What can't be looked at stays, and the sweep goes on.
    guard failure == 0, facts.size > 0, facts.size <= FileStore.largest else { return false }
    // Most are not expired, which the time tells without the content.
    if let expires = expiresByTime(facts), expires >= now { return false }
    var content = ByteBuffer()
    guard let facts = try read(key, into: &content, whole: true),
      options.layout != nil && !SessionKey.isRecord(key) || FileContent.isOurs(content.bytes)
    else { return false }
    return expires(facts, content.bytes) < now
  }

  private func isAbandoned(_ facts: sys_file_facts) -> Bool {
    facts.changed < sys_now_microseconds() &- FileStore.abandoned
  }

  /// A temporary file, ours or Django's, whose writer died.
  private func removeAbandoned(_ rest: Bytes) {
    let mark = Bytes(FileStore.temporaryMark)
    let end = rest.find(UInt8(ascii: "_"))
    guard rest.count < 100, SessionKey.isValid(rest.slice(0, end)), rest.dropFirst(end).hasPrefix(mark) else { return }
    removeAbandoned(named: rest)
  }

  /// Of a layout: in our own folder.
  private func removeAbandonedTemporary(_ name: Bytes) {
    var path = ByteBuffer()
    path.append(FileStore.temporaryFolder)
    path.append(name)
    path.append(0)
    guard !path.failed else { return }
    path.bytes.withCString { path in
      var facts = sys_file_facts()
      guard sys_folder_facts(folder, path, &facts) == 0, isAbandoned(facts) else { return }
      _ = sys_folder_remove(folder, path)
    }
  }

  private func removeAbandoned(named key: Bytes) {
    _ = try? withName(key) { (name) throws(Failure) in
      var facts = sys_file_facts()
      guard sys_folder_facts(folder, name, &facts) == 0, isAbandoned(facts) else { return }
      _ = sys_folder_remove(folder, name)
    }
  }
}
