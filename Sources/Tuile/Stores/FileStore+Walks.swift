import CSystem
import CTuile

/// Walks through the folder as readdir gives it. A session's file is replaced when it
/// is saved, and on some file systems, tmpfs for one, a name that was replaced stands
/// at another place in the folder: so the names that files get meanwhile are given too.
extension FileStore {
  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    var watch: UnsafeMutableRawPointer?
    try check(sys_folder_watch(folder, &watch))
    defer { sys_folder_watch_close(watch) }
    func give(_ name: Bytes) throws(Failure) -> Bool {
      guard let key = key(of: name), let expires = try plainExpiry(key), expires > now else { return true }
      // A callback that saves what it gets would be given that again for ever.
      return sys_folder_is_given(watch, key.start, key.count) || each(key, expires)
    }
    var enough = false
    let fine = try walkNames(in: folder, ".\0") { (name) throws(Failure) in
      let goOn = try give(name)
      enough = goOn ? try !giveMoved(watch, give) : true
      return !enough
    }
    guard fine, !sys_folder_is_gone(folder) else { throw .folder(ENOENT) }
    if !enough { _ = try giveMoved(watch, give) }
  }

  /// What was renamed since the last call, but not what still is meanwhile, which
  /// might never end; false if `give` wants no more.
  private func giveMoved(
    _ watch: UnsafeMutableRawPointer?, _ give: (Bytes) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    var waiting = sys_folder_waiting(watch)
    while waiting > 0 {
      waiting &-= 1
      var name: UnsafePointer<CChar>?
      let failure = sys_folder_moved(watch, &name)
      guard failure != EOVERFLOW else {
        throw Failure(status: TUILE_E_BUSY, message: "more sessions were saved at once than a walk can follow")
      }
      try check(failure)
      guard let name else { return true }
      let text = Bytes(UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), Int(strlen(name)))
      guard try give(text) else { return false }
    }
    return true
  }

  /// nil also for what is no plain file, which no session is.
  private func plainExpiry(_ key: Bytes) throws(Failure) -> Int64? {
    var facts = sys_file_facts()
    let failure = try withName(key) { (name) throws(Failure) in sys_folder_facts(folder, name, &facts) }
    guard failure != ENOENT, failure != ELOOP else { return nil }
    try check(failure)
    guard facts.size > 0 else { return nil }
    if let expires = expiresByTime(facts) { return expires }
    let expires = try expiry(key)
    return expires == FileStore.endless ? nil : expires
  }

  /// The folders of owners are named after digests: each entry has the owner's name.
  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    _ = try walkNames(in: folder, FileStore.ownersFolder) { (name) throws(Failure) in
      guard name.count == 64 else { return true }
      let list = openList(name)
      guard list != -ENOENT, list != -ENOTDIR, list != -ELOOP else { return true }
      guard list >= 0 else { throw .folder(answer: Int(list)) }
      defer { sys_descriptor_close(list) }
      var owner = ByteBuffer()
      var found = false
      _ = try walkNames(in: list, ".\0") { (entry) throws(Failure) in
        guard isEntry(entry) else { return true }
        owner.removeAll()
        guard try readOwner(entry: entry, in: list, to: &owner) else { return true }
        // Whoever can write here may have written anything.
        let expected = FileStore.folderName(of: owner.bytes)
        found = Owner.isValid(owner.bytes) && expected.bytes == name
        return !found
      }
      return !found || each(owner.bytes)
    }
    let _: Bool? = try missing()
  }

  /// Each name in a folder until `each` says false; false if there is no such folder.
  private func walkNames(
    in folder: Int32, _ path: StaticString, _ each: (Bytes) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    var list: UnsafeMutableRawPointer?
    var failure = Bytes(path).withCString { sys_folder_list(folder, $0, &list) }
    guard failure != ENOENT else { return false }
    try check(failure)
    defer { sys_folder_list_close(list) }
    while let name = sys_folder_next(list, &failure) {
      let text = Bytes(UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), Int(strlen(name)))
      guard try each(text) else { return true }
    }
    try check(failure)
    return true
  }
}
