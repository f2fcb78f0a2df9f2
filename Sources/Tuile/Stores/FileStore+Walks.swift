import CSystem
import CTuile

/// Walks through the folder as readdir gives it: names that are there all the time
/// come once, however many others come and go.
extension FileStore {
  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    let fine = try walkNames(in: folder, ".\0") { (name) throws(Failure) in
      guard name.hasPrefix(options.prefix.bytes) else { return true }
      let key = name.dropFirst(options.prefix.count)
      guard SessionKey.isValid(key), let expires = try plainExpiry(key), expires > now else { return true }
      return each(key, expires)
    }
    guard fine else { throw .folder(ENOENT) }
  }

  /// nil also for what is no plain file, which no session is.
  private func plainExpiry(_ key: Bytes) throws(Failure) -> Int64? {
    var facts = sys_file_facts()
    let failure = try withName(key) { (name) throws(Failure) in sys_folder_facts(folder, name, &facts) }
    guard failure != ENOENT, failure != ELOOP else { return nil }
    try check(failure)
    guard facts.size > 0 else { return nil }
    if let expires = expiresByTime(facts) { return expires }
    return try expiry(key)
  }

  /// The folders of owners are named after digests: each entry has the owner's name.
  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    _ = try walkNames(in: folder, FileStore.ownersFolder) { (name) throws(Failure) in
      guard name.count == 64 else { return true }
      let list = openList(name)
      guard list != -ENOENT, list != -ENOTDIR, list != -ELOOP else { return true }
      guard list >= 0 else { throw .folder(-list) }
      defer { sys_descriptor_close(list) }
      var owner = ByteBuffer()
      var found = false
      _ = try walkNames(in: list, ".\0") { (entry) throws(Failure) in
        guard SessionKey.isValid(entry) else { return true }
        owner.removeAll()
        guard try readOwner(entry: entry, in: list, to: &owner) else { return true }
        // Whoever can write here may have written anything.
        let expected = FileStore.folderName(of: owner.bytes)
        found = Owner.isValid(owner.bytes) && expected.bytes == name
        return !found
      }
      return !found || each(owner.bytes)
    }
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
