import CSystem
import CTuile

/// Lists of owners in a folder that Django never looks into:
/// `.tuile/owners/<SHA-256 of the owner>/<key>` holds the record, and behind a NUL
/// the owner's name. An entry counts only while its session is there.
extension FileStore {
  static let ownersFolder: StaticString = ".tuile/owners\0"
  /// Owners that one sweep looks at.
  private static let ownersForEach = 64
  /// For so long, in microseconds, an entry waits for its session to be written.
  private static let waiting: Int64 = 60_000_000

  var keepsOwners: Bool { true }

  /// The descriptor of an owner's folder, or -errno.
  private func openOwner(_ owner: Bytes, make: Bool) -> Int32 {
    if make {
      let all = Bytes(FileStore.ownersFolder).withCString { sys_folder_open(folder, $0, true, options.sync == .full) }
      guard all >= 0 else { return all }
      sys_descriptor_close(all)
    }
    var path = ByteBuffer()
    let name = FileStore.folderName(of: owner)
    guard FileStore.appendPath(of: name.bytes, to: &path) else { return -ENOMEM }
    return path.bytes.withCString { sys_folder_open(folder, $0, make, options.sync == .full) }
  }

  /// Empty without memory, which no folder's name is.
  static func folderName(of owner: Bytes) -> ByteBuffer {
    var digest = ByteBuffer()
    _ = digest.fill(32) { start in
      sys_digest_of(SYS_SHA256, owner.start, owner.count, start)
      return 32
    }
    var name = ByteBuffer()
    Hex.encode(digest.bytes, to: &name)
    return name
  }

  /// The descriptor of an owner's folder by its name, or -errno.
  func openList(_ name: Bytes) -> Int32 {
    var path = ByteBuffer()
    guard FileStore.appendPath(of: name, to: &path) else { return -ENOMEM }
    return path.bytes.withCString { sys_folder_open(folder, $0, false, false) }
  }

  /// The path of a folder in the owners' one, with a NUL; false without memory.
  private static func appendPath(of name: Bytes, to path: inout ByteBuffer) -> Bool {
    path.append(Bytes(ownersFolder).slice(0, ownersFolder.count &- 1))
    path.append(UInt8(ascii: "/"))
    path.append(name)
    path.append(0)
    return !path.failed
  }

  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    guard options.mode.writes else { throw .readOnly }
    let makes = options.mode.makes
    var entry = ByteBuffer()
    entry.append(record)
    entry.append(0)
    entry.append(owner)
    guard !entry.failed else { throw .memory }
    // At any moment a sweep may remove a folder that is empty.
    var attempts = 0
    while true {
      let list = openOwner(owner, make: makes)
      defer { sys_descriptor_close(list) }
      let failure = list < 0 ? 0 &- list : try write(entry.bytes, of: key, in: list)
      attempts &+= 1
      if failure == ENOENT, attempts < 64, !sys_folder_is_gone(folder) { continue }
      return try check(failure)
    }
  }

  private func write(_ entry: Bytes, of key: Bytes, in list: Int32) throws(Failure) -> Int32 {
    try withEntry(key) { (name) throws(Failure) in
      try withScratch(320) { (room) throws(Failure) in
        var writer = ByteWriter(room, capacity: 320)
        writer.append(key)
        try FileStore.appendTemporary(to: &writer)
        writer.append(0)
        let temporary = UnsafeRawPointer(room).assumingMemoryBound(to: CChar.self)
        var failure = sys_folder_write(list, temporary, entry.start, entry.count, nil, options.sync != .off)
        guard failure == 0 else { return failure }
        failure = sys_folder_rename(list, temporary, name)
        if failure != 0 { _ = sys_folder_remove(list, temporary) }
        return failure == 0 && options.sync == .full ? sys_folder_sync(list) : failure
      }
    }
  }

  /// Whether an entry of a list may have that name.
  func isEntry(_ name: Bytes) -> Bool { options.layout?.isStoreKey(name) ?? SessionKey.isValid(name) }

  /// The key in the name of an entry, or of one that is being written.
  private static func withoutTemporary(_ name: Bytes) -> Bytes {
    let at = name.count &- temporaryMark.count &- 16
    return at > 0 && name.dropFirst(at).hasPrefix(Bytes(temporaryMark)) ? name.slice(0, at) : name
  }

  private func withEntry<Answer>(_ key: Bytes, _ body: (UnsafePointer<CChar>) throws(Failure) -> Answer)
    throws(Failure) -> Answer
  {
    try withScratch(320) { (room) throws(Failure) in
      var writer = ByteWriter(room, capacity: 320)
      writer.append(key)
      writer.append(0)
      guard writer.fits else { throw .folder(ENAMETOOLONG) }
      return try body(UnsafeRawPointer(room).assumingMemoryBound(to: CChar.self))
    }
  }

  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    try inFolder(of: owner) { (list) throws(Failure) in
      try walkEntries(list) { (key, expires) throws(Failure) in
        guard expires > now else { return }
        var entry = ByteBuffer()
        guard try read(entry: key, in: list, to: &entry) else { return }
        each(key, entry.bytes.slice(0, min(entry.bytes.find(0), Owner.largestRecord)), expires)
      }
    }
  }

  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    var entry = ByteBuffer()
    var found = false
    try inFolder(of: owner) { (list) throws(Failure) in found = try read(entry: key, in: list, to: &entry) }
    record.append(entry.bytes.slice(0, min(entry.bytes.find(0), Owner.largestRecord)))
    guard !record.failed else { throw .memory }
    return found
  }

  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) {
    guard options.mode.writes else { throw .readOnly }
    try inFolder(of: owner) { (list) throws(Failure) in
      let failure = try withEntry(key) { (name) throws(Failure) in sys_folder_remove(list, name) }
      try check(failure == ENOENT ? 0 : failure)
      if options.sync == .full { try check(sys_folder_sync(list)) }
    }
  }

  /// Not at all if the owner has none.
  private func inFolder(of owner: Bytes, _ body: (Int32) throws(Failure) -> Void) throws(Failure) {
    let list = openOwner(owner, make: false)
    guard list != -ENOENT else {
      let _: Bool? = try missing()
      return
    }
    guard list >= 0 else { throw .folder(answer: Int(list)) }
    defer { sys_descriptor_close(list) }
    try body(list)
  }

  /// Appends the owner's name of an entry; false if it is gone meanwhile.
  func readOwner(entry key: Bytes, in list: Int32, to owner: inout ByteBuffer) throws(Failure) -> Bool {
    var entry = ByteBuffer()
    guard try read(entry: key, in: list, to: &entry) else { return false }
    owner.append(entry.bytes.dropFirst(entry.bytes.find(0) &+ 1))
    guard !owner.failed else { throw .memory }
    return true
  }

  private static let largestEntry = Owner.largestRecord &+ 1 &+ Owner.longest

  /// false if the entry is gone meanwhile, or no plain file.
  private func read(entry key: Bytes, in list: Int32, to entry: inout ByteBuffer) throws(Failure) -> Bool {
    var facts = sys_file_facts()
    let file = try withEntry(key) { (name) throws(Failure) in sys_folder_file_open(list, name, &facts) }
    guard file != -ENOENT, file != -ELOOP else { return false }
    guard file >= 0 else { throw .folder(answer: Int(file)) }
    defer { sys_descriptor_close(file) }
    var got = 0
    let size = min(facts.size, FileStore.largestEntry)
    guard
      entry.fill(
        size,
        { start in
          got = sys_descriptor_read(file, start, size); return got
        })
    else { throw .memory }
    guard got >= 0 else { throw .folder(answer: got) }
    return true
  }

  /// Each key with its session's expiry; entries without a session go.
  private func walkEntries(_ list: Int32, _ each: (Bytes, Int64) throws(Failure) -> Void) throws(Failure) {
    var names: UnsafeMutableRawPointer?
    var failure = Bytes(".\0").withCString { sys_folder_list(list, $0, &names) }
    // Removed by a sweep, since it was empty.
    guard failure != ENOENT else { return }
    try check(failure)
    defer { sys_folder_list_close(names) }
    while let name = sys_folder_next(names, &failure) {
      let entry = Bytes(UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), Int(strlen(name)))
      let key = FileStore.withoutTemporary(entry)
      guard isEntry(key) else { continue }
      if key.count == entry.count, let expires = try expiry(key) {
        try each(key, expires)
      } else {
        // Written before its session is, or left by somebody who died.
        var facts = sys_file_facts()
        guard sys_folder_facts(list, name, &facts) == 0 else { continue }
        if options.mode.writes, facts.changed < sys_now_microseconds() &- FileStore.waiting {
          _ = sys_folder_remove(list, name)
        }
      }
    }
    try check(failure)
  }

  /// Looks at some owners' lists; those that are empty then go.
  func sweepOwners() throws(Failure) {
    _ = try ownersWalk.walk(most: FileStore.ownersForEach) { (name) throws(Failure) in
      guard name.count == 64 else { return false }
      let list = openList(name)
      guard list >= 0 else { return false }
      defer { sys_descriptor_close(list) }
      try walkEntries(list) { (_, _) throws(Failure) in }
      var path = ByteBuffer()
      guard FileStore.appendPath(of: name, to: &path) else { throw .memory }
      _ = path.bytes.withCString { sys_folder_remove_folder(folder, $0) }
      return false
    }
  }
}
