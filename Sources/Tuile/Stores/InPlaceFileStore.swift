import CSystem
import CTuile

/// Sessions of a framework that writes its files in place under flock(2), as PHP does: who
/// has the lock has the session, so that neither ever undoes what the other did. Where PHP
/// holds it for a whole request, others wait as long, or give up.
final class InPlaceFileStore: Store {
  private let folder: Int32
  private let layout: Layout
  private let options: FileOptions
  private let remarks = Remarks()

  var trusted: Bool { false }

  /// `path` ends with a NUL.
  static func make(path: Bytes, _ layout: Layout, _ options: consuming FileOptions) throws(Failure) -> InPlaceFileStore
  {
    guard !options.saysSync else {
      throw .syntax("fsync=data is not for files that are written in place: off (the default) or full")
    }
    if options.mode.makes {
      let made = path.withCString { sys_folder_open_root($0, true) }
      sys_descriptor_close(made)
    }
    // PHP's folder may often be entered, and not listed.
    let folder = path.withCString { sys_folder_open_path($0) }
    guard folder >= 0 else { throw .folder(answer: Int(folder)) }
    let isListed = !options.othersMayList && sys_folder_is_listed(folder)
    guard !isListed || !sys_folder_is_reached(folder) else {
      sys_descriptor_close(folder)
      throw .listedFolder
    }
    let store = InPlaceFileStore(folder, layout, options)
    if isListed { store.remarks.add(.listed) }
    return store
  }

  private init(_ folder: Int32, _ layout: Layout, _ options: consuming FileOptions) {
    self.folder = folder
    self.layout = layout
    self.options = options
  }

  deinit { sys_descriptor_close(folder) }

  func close() {}
  func takeRemark() -> StaticString? { remarks.take() }

  // MARK: Files

  private func withName<Answer>(
    _ key: Bytes, _ body: (UnsafePointer<CChar>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    guard layout.isStoreKey(key), key.count > layout.fileDepth else {
      throw .argument("the session ID is none that the store's layout has")
    }
    return try withScratch(400) { (room) throws(Failure) in
      var writer = ByteWriter(room, capacity: 400)
      var i = 0
      while i < layout.fileDepth {
        writer.append(key[i])
        writer.append(UInt8(ascii: "/"))
        i &+= 1
      }
      writer.append(layout.filePrefix)
      writer.append(key)
      writer.append(layout.fileSuffix)
      writer.append(0)
      guard writer.fits else { throw .folder(ENAMETOOLONG) }
      return try body(UnsafeRawPointer(room).assumingMemoryBound(to: CChar.self))
    }
  }

  /// A session's file under its lock.
  private struct Locked {
    let file: Int32
    let facts: sys_file_facts
  }

  /// Runs `body` with the file locked; nil: there is none.
  private func locked<Answer>(
    _ key: Bytes, writes: Bool, _ body: (Locked, UnsafePointer<CChar>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer? {
    guard !writes || options.mode.writes else { throw .readOnly }
    return try withName(key) { (name) throws(Failure) -> Answer? in
      var facts = sys_file_facts()
      let file = sys_flocked_open(folder, name, false, writes, options.busyMilliseconds, &facts)
      guard file != -ENOENT else {
        guard !sys_folder_is_gone(folder) else { throw .folder(ENOENT) }
        return nil
      }
      guard file >= 0 else { throw .folder(answer: Int(file)) }
      defer { sys_descriptor_close(file) }
      return try body(Locked(file: file, facts: facts), name)
    }
  }

  private func read(_ locked: Locked, into data: inout ByteBuffer) throws(Failure) {
    let size = locked.facts.size
    guard size <= FileStore.largest else { throw .limit("a session's file has more than 128 MiB") }
    var got = 0
    let filled = data.fill(size) { start in
      got = sys_descriptor_read(locked.file, start, size)
      return got
    }
    guard filled else { throw .memory }
    guard got >= 0 else { throw .folder(answer: got) }
  }

  private func expires(_ facts: sys_file_facts) -> Int64 {
    layout.fileExpires(Bytes(), modified: facts.modified) ?? .max
  }

  private func modified(_ expires: Int64) -> Int64 {
    let (time, overflow) = expires.subtractingReportingOverflow((layout.standardAge ?? 0) &* 1_000_000)
    return overflow ? .min : time
  }

  private func check(_ failure: Int32) throws(Failure) {
    guard failure == 0 else { throw .folder(failure) }
  }

  private func write(_ locked: Locked, _ data: Bytes, expires: Int64) throws(Failure) {
    try check(sys_flocked_write(locked.file, data.start, data.count, locked.facts.size))
    try check(sys_folder_touch(locked.file, modified(expires), options.sync == .full))
  }

  // MARK: Store

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let from = data.count
    let found = try locked(key, writes: false) { (file, _) throws(Failure) in
      let expires = expires(file.facts)
      if expires > now { try read(file, into: &data) }
      return expires
    }
    guard let found, found > now else {
      data.truncate(from)
      return nil
    }
    return found
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    guard options.mode.writes else { throw .readOnly }
    return try withName(key) { (name) throws(Failure) in
      var facts = sys_file_facts()
      let file = sys_flocked_open(folder, name, true, true, options.busyMilliseconds, &facts)
      guard file != -EEXIST else { return false }
      guard file >= 0 else { throw .folder(answer: Int(file)) }
      defer { sys_descriptor_close(file) }
      do throws(Failure) {
        try write(Locked(file: file, facts: facts), data, expires: expires)
      } catch {
        _ = sys_folder_remove(folder, name)
        throw error
      }
      return true
    }
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    let answer = try locked(key, writes: true) { (file, _) throws(Failure) -> Replaced in
      var old = ByteBuffer()
      try read(file, into: &old)
      guard old.bytes == expected else { return .conflict }
      if data == expected {
        try check(sys_folder_touch(file.file, modified(expires), options.sync == .full))
        return .replaced
      }
      do throws(Failure) {
        try write(file, data, expires: expires)
      } catch {
        // What was there comes back; the room for it is there.
        guard sys_flocked_write(file.file, old.bytes.start, old.count, max(data.count, old.count)) == 0 else {
          throw Failure(status: TUILE_E_UNKNOWN, message: "the session's file was written in part")
        }
        throw error
      }
      return .replaced
    }
    return answer ?? .absent
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    let answer = try locked(key, writes: true) { (file, _) throws(Failure) in
      try check(sys_folder_touch(file.file, modified(expires), options.sync == .full))
      return true
    }
    return answer ?? false
  }

  /// Emptied first: a request of the framework's that waits for the lock reads that.
  func remove(_ key: Bytes) throws(Failure) {
    _ = try locked(key, writes: true) { (file, name) throws(Failure) in
      try check(sys_flocked_empty(file.file))
      let failure = sys_folder_remove(folder, name)
      if failure != ENOENT { try check(failure) }
    }
  }

  // MARK: Walks

  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    var path = ByteBuffer()
    path.append(UInt8(ascii: "."))
    _ = try walk(path.bytes, depth: layout.fileDepth) { (key, expires) throws(Failure) in
      expires > now ? each(key, expires) : true
    }
  }

  /// What PHP's own collector removes; nothing where the folder can't be listed, which is left to that.
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    guard options.mode.writes else { throw .readOnly }
    var list: UnsafeMutableRawPointer?
    let failure = Bytes(".\0").withCString { sys_folder_list(folder, $0, &list) }
    sys_folder_list_close(list)
    guard limit > 0, failure != EACCES else { return 0 }
    var removed = 0
    var path = ByteBuffer()
    path.append(UInt8(ascii: "."))
    _ = try walk(path.bytes, depth: layout.fileDepth) { (key, expires) throws(Failure) in
      guard expires < now else { return true }
      let gone = try locked(key, writes: true) { (file, name) throws(Failure) in
        // It may have been used meanwhile.
        self.expires(file.facts) < now && sys_folder_remove(folder, name) == 0
      }
      if gone ?? false { removed &+= 1 }
      return removed < limit
    }
    return removed
  }

  /// Each file of a session's below a path; false if `each` wants no more.
  private func walk(
    _ path: Bytes, depth: Int, _ each: (Bytes, Int64) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    var text = ByteBuffer()
    text.append(path)
    text.append(0)
    guard !text.failed else { throw .memory }
    var list: UnsafeMutableRawPointer?
    var failure = text.bytes.withCString { sys_folder_list(folder, $0, &list) }
    if failure == ENOENT || failure == ENOTDIR || failure == ELOOP, path.count > 1 { return true }
    try check(failure)
    defer { sys_folder_list_close(list) }
    while let entry = sys_folder_next(list, &failure) {
      let name = Bytes(UnsafeRawPointer(entry).assumingMemoryBound(to: UInt8.self), Int(strlen(entry)))
      if depth > 0 {
        guard name.count == 1, SessionKey.isSafe(name) else { continue }
        var below = ByteBuffer()
        below.append(path)
        below.append(UInt8(ascii: "/"))
        below.append(name)
        guard try walk(below.bytes, depth: depth &- 1, each) else { return false }
      } else if name.hasPrefix(Bytes(layout.filePrefix)), name.count > layout.filePrefix.count {
        let key = name.dropFirst(layout.filePrefix.count)
        guard layout.isStoreKey(key), key.count > layout.fileDepth else { continue }
        var facts = sys_file_facts()
        let found = try withName(key) { (file) throws(Failure) in sys_folder_facts(folder, file, &facts) }
        guard found == 0 else { continue }
        guard try each(key, expires(facts)) else { return false }
      }
    }
    try check(failure)
    return true
  }
}
