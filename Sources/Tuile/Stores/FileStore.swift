import CSystem
import CTuile

/// Sessions as files in a folder, one each, as Django's file backend keeps them:
/// `<prefix><key>` holds the data, and the file's time says the expiry.
///
/// A file is never written in place. Readers take no lock.
final class FileStore: Store {
  let folder: Int32
  let options: FileOptions
  let locks: FileLocks
  /// Where sweeps go on: through the folder, and through the owners'.
  let sessionsWalk: FolderWalk
  let ownersWalk: FolderWalk

  var trusted: Bool { false }

  /// `path` ends with a NUL.
  static func make(path: Bytes, options: consuming FileOptions) throws(Failure) -> FileStore {
    let folder = path.withCString { sys_folder_open_root($0) }
    guard folder >= 0 else { throw .folder(answer: Int(folder)) }
    do throws(Failure) {
      // Django looks at nothing that begins with a dot.
      let own = Bytes(".tuile\0").withCString { sys_folder_open(folder, $0, true, true) }
      guard own >= 0 else { throw .folder(answer: Int(own)) }
      sys_descriptor_close(own)
      return FileStore(
        folder, options, try FileLocks.make(folder: folder, waitMilliseconds: options.busyMilliseconds))
    } catch {
      sys_descriptor_close(folder)
      throw error
    }
  }

  private init(_ folder: Int32, _ options: consuming FileOptions, _ locks: FileLocks) {
    self.folder = folder
    self.options = options
    self.locks = locks
    sessionsWalk = FolderWalk(folder, ".\0")
    ownersWalk = FolderWalk(folder, FileStore.ownersFolder)
  }

  deinit { sys_descriptor_close(folder) }

  func close() {}

  // MARK: Names

  /// The name of a key's file, for the call.
  func withName<Answer>(_ key: Bytes, _ body: (UnsafePointer<CChar>) throws(Failure) -> Answer) throws(Failure)
    -> Answer
  {
    try named(key, temporary: false, body)
  }

  /// A name that nobody has, of the form that Django's temporary files have.
  private func withTemporaryName<Answer>(_ key: Bytes, _ body: (UnsafePointer<CChar>) throws(Failure) -> Answer)
    throws(Failure) -> Answer
  {
    try named(key, temporary: true, body)
  }

  private func named<Answer>(
    _ key: Bytes, temporary: Bool, _ body: (UnsafePointer<CChar>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    try withScratch(160) { (room) throws(Failure) in
      var writer = ByteWriter(room, capacity: 160)
      writer.append(options.prefix.bytes)
      writer.append(key)
      if temporary { try FileStore.appendTemporary(to: &writer) }
      writer.append(0)
      guard writer.fits else { throw .folder(ENAMETOOLONG) }
      return try body(UnsafeRawPointer(room).assumingMemoryBound(to: CChar.self))
    }
  }

  static let temporaryMark: StaticString = "_out_"

  static func appendTemporary(to writer: inout ByteWriter) throws(Failure) {
    writer.append(temporaryMark)
    guard let start = writer.start, writer.count &+ 16 <= writer.capacity else { throw .folder(ENAMETOOLONG) }
    try Random.characters(of: "abcdefghijklmnopqrstuvwxyz0123456789", start + writer.count, count: 16)
    writer.skip(16)
  }

  // MARK: Reading

  /// Appends the data of a key. nil if there is none: an empty file is Django's
  /// place for a session that it has not written yet.
  private func read(_ key: Bytes, into data: inout ByteBuffer) throws(Failure) -> sys_file_facts? {
    var facts = sys_file_facts()
    let file = try withName(key) { (name) throws(Failure) in sys_folder_file_open(folder, name, &facts) }
    guard file != -ENOENT else { return try missing() }
    guard file >= 0 else { throw .folder(answer: Int(file)) }
    defer { sys_descriptor_close(file) }
    guard facts.size > 0 else { return nil }
    guard facts.size <= FileStore.largest else { throw .limit("a session's file has more than 128 MiB") }
    let size = facts.size
    var got = 0
    guard
      data.fill(
        size,
        { start in
          got = sys_descriptor_read(file, start, size); return got
        })
    else { throw .memory }
    guard got >= 0 else { throw .folder(answer: got) }
    FileStore.dropMark(&data)
    return facts
  }

  static let largest = 128 << 20 &+ 1

  /// Nothing is found in a folder that is not there any more, which is no answer.
  func missing<Answer>() throws(Failure) -> Answer? {
    guard !sys_folder_is_gone(folder) else { throw .folder(ENOENT) }
    return nil
  }

  /// When a session ends. The file's time is the expiry less `age`. Django leaves
  /// the time of writing, to the nanosecond, and goes by the data first; a file
  /// of which the time was set is ours.
  func expires(_ facts: sys_file_facts, _ data: Bytes) -> Int64 {
    if let expires = expiresByTime(facts) { return expires }
    var json = ByteBuffer()
    let payload = data.slice(0, data.find(0x3A))
    guard (try? Deflated.decode(payload, limit: FileStore.largestLookedInto, to: &json)) != nil,
      let found = JSONText.member(Expiry.name, of: json.bytes)
    else { return facts.modified &+ options.age }
    return Expiry(found.raw).date(standard: options.age / 1_000_000, now: facts.modified)
  }

  /// Of a file of ours; nil for one of Django's, or one that expires just now.
  func expiresByTime(_ facts: sys_file_facts) -> Int64? {
    let apart = facts.changed &- facts.modified
    guard facts.whole_microseconds, apart > 1_000_000 || apart < -1_000_000 else { return nil }
    return facts.modified &+ options.age
  }

  private static let largestLookedInto = 16 << 20

  /// The expiry of a key; nil if it is not stored.
  func expiry(_ key: Bytes) throws(Failure) -> Int64? {
    var data = ByteBuffer()
    guard let facts = try read(key, into: &data) else { return nil }
    return expires(facts, data.bytes)
  }

  // MARK: Store

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let from = data.count
    guard let facts = try read(key, into: &data) else { return nil }
    let expires = expires(facts, data.bytes.dropFirst(from))
    guard expires > now else {
      data.truncate(from)
      return nil
    }
    return expires
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try writing(key, data, expires) { (temporary) throws(Failure) in
      try withName(key) { (name) throws(Failure) in
        let failure = sys_folder_publish(folder, temporary, name)
        if failure == EEXIST { return false }
        try check(failure)
        try syncFolder()
        return true
      }
    }
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try locks.locked(key) { () throws(Failure) in
      var old = ByteBuffer()
      guard let facts = try read(key, into: &old) else { return .absent }
      guard old.bytes == expected else { return .conflict }
      return try writing(key, data, expires) { (temporary) throws(Failure) in
        let answer = try withName(key) { (name) throws(Failure) in try exchange(temporary, name, instead: facts) }
        if answer == .replaced { try syncFolder() }
        return answer
      }
    }
  }

  /// Puts the new file in the old one's place. Django takes no lock: if it
  /// removed or replaced the session since it was compared, so it stays.
  private func exchange(_ temporary: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, instead old: sys_file_facts)
    throws(Failure) -> Replaced
  {
    let failure = sys_folder_exchange(folder, temporary, name)
    if failure == ENOENT { return .absent }
    guard failure != ENOSYS else {
      // The file system can't: what Django does in these microseconds is lost.
      try check(sys_folder_rename(folder, temporary, name))
      return .replaced
    }
    try check(failure)
    var found = sys_file_facts()
    // A number alone tells nothing: file systems give that of a removed file to the next one.
    if sys_folder_facts(folder, temporary, &found) == 0, found.number == old.number, found.device == old.device,
      found.modified == old.modified, found.size == old.size
    {
      return .replaced
    }
    _ = sys_folder_exchange(folder, temporary, name)
    return .conflict
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    try locks.locked(key) { () throws(Failure) in
      try writing(key, data, expires) { (temporary) throws(Failure) in
        try withName(key) { (name) throws(Failure) in try check(sys_folder_rename(folder, temporary, name)) }
        try syncFolder()
      }
    }
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    try locks.locked(key) { () throws(Failure) in
      var facts = sys_file_facts()
      let file = try withName(key) { (name) throws(Failure) in sys_folder_file_open(folder, name, &facts) }
      guard file != -ENOENT else { return try missing() ?? false }
      guard file >= 0 else { throw .folder(answer: Int(file)) }
      defer { sys_descriptor_close(file) }
      guard facts.size > 0 else { return false }
      try check(sys_folder_touch(file, modified(expires), options.sync == .full))
      return true
    }
  }

  func remove(_ key: Bytes) throws(Failure) {
    try locks.locked(key) { () throws(Failure) in
      let failure = try withName(key) { (name) throws(Failure) in sys_folder_remove(folder, name) }
      guard failure != ENOENT else {
        let _: Bool? = try missing()
        return
      }
      try check(failure)
      try syncFolder()
    }
  }

  // MARK: Writing

  /// Lends a new file with the data; whatever has its name afterwards is removed.
  private func writing<Answer>(
    _ key: Bytes, _ data: Bytes, _ expires: Int64, _ body: (UnsafePointer<CChar>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    var marked = ByteBuffer()
    try FileStore.mark(data, to: &marked)
    let content = marked.count > 0 ? marked.bytes : data
    return try withTemporaryName(key) { (temporary) throws(Failure) in
      var modified = modified(expires)
      try check(
        sys_folder_write(folder, temporary, content.start, content.count, &modified, options.sync != .off))
      defer { _ = sys_folder_remove(folder, temporary) }
      return try body(temporary)
    }
  }

  /// The file's time for an expiry, without overflow: the system cuts it to what it can hold.
  private func modified(_ expires: Int64) -> Int64 {
    let (time, overflow) = expires.subtractingReportingOverflow(options.age)
    return overflow ? .min : time
  }

  /// No data at all gets a NUL, since an empty file is no session, and data that
  /// ends with a NUL one more, to tell them apart. Django's ends with neither.
  private static func mark(_ data: Bytes, to marked: inout ByteBuffer) throws(Failure) {
    guard data.isEmpty || data[data.count &- 1] == 0 else { return }
    marked.append(data)
    marked.append(0)
    guard !marked.failed else { throw .memory }
  }

  private static func dropMark(_ data: inout ByteBuffer) {
    if data.count > 0, data.bytes[data.count &- 1] == 0 { data.truncate(data.count &- 1) }
  }

  func check(_ failure: Int32) throws(Failure) {
    guard failure == 0 else { throw .folder(failure) }
  }

  private func syncFolder() throws(Failure) {
    if options.sync == .full { try check(sys_folder_sync(folder)) }
  }
}

extension Bytes {
  /// For bytes that end with a NUL.
  func withCString<Answer>(_ body: (UnsafePointer<CChar>) -> Answer) -> Answer {
    body(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
  }
}
