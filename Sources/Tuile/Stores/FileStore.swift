import CSystem
import CTuile

/// Sessions as files in a folder, one each, as Django's file backend keeps them:
/// `<prefix><key>` holds the data, and the file's time says the expiry.
///
/// A file is never written in place. Readers take no lock.
final class FileStore: Store {
  let folder: Int32
  let options: FileOptions
  private let remarks = Remarks()
  /// nil: nothing is written.
  private let locks: FileLocks?
  /// Where sweeps go on: through the folder, and through the owners'.
  let sessionsWalk: FolderWalk
  let ownersWalk: FolderWalk
  let recordsWalk: FolderWalk
  let temporaryWalk: FolderWalk

  var trusted: Bool { false }

  /// `path` ends with a NUL.
  static func make(path: Bytes, options: consuming FileOptions) throws(Failure) -> FileStore {
    try Forks.prepare()
    let (makes, writes) = (options.mode.makes, options.mode.writes)
    let folder = path.withCString { sys_folder_open_root($0, makes) }
    guard folder >= 0 else { throw .folder(answer: Int(folder)) }
    do throws(Failure) {
      let isListed = !options.othersMayList && sys_folder_is_listed(folder)
      guard !isListed || !sys_folder_is_reached(folder) else { throw .listedFolder }
      // Django looks at nothing that begins with a dot.
      if makes { try make(".tuile\0", in: folder, sync: true) }
      let locks =
        writes ? try FileLocks.make(folder: folder, make: makes, waitMilliseconds: options.busyMilliseconds) : nil
      let store = FileStore(folder, options, locks)
      if isListed { store.remarks.add(.listed) }
      return store
    } catch {
      sys_descriptor_close(folder)
      throw error
    }
  }

  private static func make(_ name: StaticString, in folder: Int32, sync: Bool) throws(Failure) {
    let made = Bytes(name).withCString { sys_folder_open(folder, $0, true, sync) }
    guard made >= 0 else { throw .folder(answer: Int(made)) }
    sys_descriptor_close(made)
  }

  private init(_ folder: Int32, _ options: consuming FileOptions, _ locks: FileLocks?) {
    self.folder = folder
    self.options = options
    self.locks = locks
    sessionsWalk = FolderWalk(folder, ".\0")
    ownersWalk = FolderWalk(folder, FileStore.ownersFolder)
    recordsWalk = FolderWalk(folder, FileStore.recordsFolder)
    temporaryWalk = FolderWalk(folder, ".tuile\0")
  }

  deinit { sys_descriptor_close(folder) }

  func takeRemark() -> StaticString? { remarks.take() }

  func close() {}

  /// One writer of a key at a time.
  func locked<Answer>(_ key: Bytes, _ body: () throws(Failure) -> Answer) throws(Failure) -> Answer {
    guard let locks else { throw .readOnly }
    return try locks.locked(key, body)
  }

  // MARK: Names

  /// Where records are: below our own folder, which Django never looks into, so that no
  /// name of a session leads there.
  static let recordsFolder: StaticString = ".tuile/records\0"

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
    try withScratch(400) { (room) throws(Failure) in
      var writer = ByteWriter(room, capacity: 400)
      let isRecord = key[0] == UInt8(ascii: "~")
      if isRecord {
        writer.append(".tuile/records/")
      } else if temporary, options.layout != nil {
        // A key of another framework's may look like any name beside it.
        writer.append(FileStore.temporaryFolder)
      } else {
        writer.append(options.prefix.bytes)
        writer.append(options.layout?.filePrefix ?? "")
      }
      if isRecord || !temporary || options.layout == nil { writer.append(key) }
      if temporary {
        try FileStore.appendTemporary(to: &writer)
      } else if !isRecord {
        writer.append(options.layout?.fileSuffix ?? "")
      }
      writer.append(0)
      guard writer.fits else { throw .folder(ENAMETOOLONG) }
      return try body(UnsafeRawPointer(room).assumingMemoryBound(to: CChar.self))
    }
  }

  /// The key of a session's file by the file's name; nil: it is none.
  func key(of name: Bytes) -> Bytes? {
    guard let layout = options.layout else {
      guard name.hasPrefix(options.prefix.bytes) else { return nil }
      let key = name.dropFirst(options.prefix.count)
      return SessionKey.isValid(key) ? key : nil
    }
    let (before, behind) = (Bytes(layout.filePrefix), Bytes(layout.fileSuffix))
    let key = name.slice(before.count, name.count &- behind.count)
    guard name.hasPrefix(before), name.count > before.count &+ behind.count,
      name.dropFirst(name.count &- behind.count) == behind, layout.isStoreKey(key)
    else { return nil }
    return key
  }

  static let temporaryFolder: StaticString = ".tuile/"
  static let temporaryMark: StaticString = "_out_"

  static func appendTemporary(to writer: inout ByteWriter) throws(Failure) {
    writer.append(temporaryMark)
    guard let start = writer.start, writer.count &+ 16 <= writer.capacity else { throw .folder(ENAMETOOLONG) }
    try Random.characters(of: "abcdefghijklmnopqrstuvwxyz0123456789", start + writer.count, count: 16)
    writer.skip(16)
  }

  // MARK: Reading

  /// Appends the data of a key. nil if there is none: an empty file is Django's
  /// place for a session that it has not written yet. `whole`: with its mark.
  func read(_ key: Bytes, into data: inout ByteBuffer, whole: Bool = false) throws(Failure) -> sys_file_facts? {
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
    if !whole, options.layout == nil { FileContent.dropMark(&data) }
    return facts
  }

  static let largest = 128 << 20 &+ FileContent.mark.count

  /// Nothing is found in a folder that is not there any more, which is no answer.
  func missing<Answer>() throws(Failure) -> Answer? {
    guard !sys_folder_is_gone(folder) else { throw .folder(ENOENT) }
    return nil
  }

  /// When a session ends. The file's time is the expiry less `age`. Django leaves
  /// the time of writing, to the nanosecond, and goes by the data first; a file
  /// of which the time was set is ours.
  func expires(_ facts: sys_file_facts, _ data: Bytes) -> Int64 {
    if let layout = options.layout {
      return layout.fileExpires(data, modified: facts.modified) ?? FileStore.endless
    }
    if let expires = expiresByTime(facts) { return expires }
    var json = ByteBuffer()
    let payload = data.slice(0, data.find(UInt8(ascii: ":")))
    guard (try? Deflated.decode(payload, limit: FileStore.largestLookedInto, to: &json)) != nil,
      let found = JSONText.member(Expiry.name, of: json.bytes)
    else { return facts.modified &+ options.age }
    return Expiry(found.raw).date(standard: options.age / 1_000_000, now: facts.modified)
  }

  /// Of what is no session: nobody takes it for one, and no sweep removes it.
  static let endless = Int64.max

  /// Of a file of ours; nil for one of Django's, or one that expires just now.
  func expiresByTime(_ facts: sys_file_facts) -> Int64? {
    guard options.layout == nil else { return nil }
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
        try syncFolder(of: key) { sys_folder_remove(folder, name) }
        return true
      }
    }
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try locked(key) { () throws(Failure) in
      var old = ByteBuffer()
      guard let facts = try read(key, into: &old) else { return .absent }
      guard old.bytes == expected else { return .conflict }
      return try writing(key, data, expires) { (temporary) throws(Failure) in
        try withName(key) { (name) throws(Failure) in
          let answer = try exchange(temporary, name, instead: facts)
          if answer == .replaced { try syncFolder(of: key) { sys_folder_exchange(folder, temporary, name) } }
          return answer
        }
      }
    }
  }

  /// Puts the new file in the old one's place. Django takes no lock: if it
  /// removed or replaced the session since it was compared, so it stays.
  private func exchange(_ temporary: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, instead old: sys_file_facts)
    throws(Failure) -> Replaced
  {
    // While the new file was written somebody may have been first: then nobody sees the new one.
    var found = sys_file_facts()
    let there = sys_folder_facts(folder, name, &found)
    if there == ENOENT { return .absent }
    try check(there)
    guard FileStore.isSame(found, old) else { return .conflict }
    var ours = sys_file_facts()
    try check(sys_folder_facts(folder, temporary, &ours))
    let failure = sys_folder_exchange(folder, temporary, name)
    if failure == ENOENT { return .absent }
    guard failure != ENOSYS else {
      // The file system can't: what Django does in these microseconds is lost.
      try check(sys_folder_rename(folder, temporary, name))
      return .replaced
    }
    try check(failure)
    try check(sys_folder_facts(folder, temporary, &found))
    if FileStore.isSame(found, old) { return .replaced }
    // Somebody's newer one goes back; if yet another came meanwhile, that one.
    var attempts = 0
    while attempts < 64, sys_folder_exchange(folder, temporary, name) == 0 {
      attempts &+= 1
      var taken = sys_file_facts()
      guard sys_folder_facts(folder, temporary, &taken) == 0, !FileStore.isSame(taken, ours) else { break }
      (ours, found) = (found, taken)
    }
    return .conflict
  }

  /// A number alone tells nothing: file systems give that of a removed file to the next one.
  private static func isSame(_ one: sys_file_facts, _ other: sys_file_facts) -> Bool {
    one.number == other.number && one.device == other.device && one.modified == other.modified && one.size == other.size
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    try locked(key) { () throws(Failure) in
      try writing(key, data, expires) { (temporary) throws(Failure) in
        try withName(key) { (name) throws(Failure) in
          var failure = EEXIST
          // Django takes no lock.
          while failure == EEXIST {
            failure = sys_folder_exchange(folder, temporary, name)
            if failure == 0 { return try syncFolder(of: key) { sys_folder_exchange(folder, temporary, name) } }
            guard failure == ENOENT else { break }
            failure = sys_folder_publish(folder, temporary, name)
            if failure == 0 { return try syncFolder(of: key) { sys_folder_remove(folder, name) } }
          }
          try check(failure == ENOSYS ? sys_folder_rename(folder, temporary, name) : failure)
          try syncFolder(of: key) { ENOSYS }
        }
      }
    }
  }

  /// As `touch`, where the end is in what is stored.
  private func touchInside(_ key: Bytes, expires: Int64, _ layout: Layout) throws(Failure) -> Bool {
    while true {
      var old = ByteBuffer()
      var json = ByteBuffer()
      var new = ByteBuffer()
      guard try read(key, into: &old) != nil else { return false }
      guard try layout.read(old.bytes, limit: FileStore.largest, into: &json) else { return false }
      try layout.write(json.bytes, base: old.bytes, LayoutMoment(expires: expires), to: &new)
      switch try replace(key, expected: old.bytes, data: new.bytes, expires: expires) {
      case .replaced: return true
      case .absent: return false
      case .conflict: continue
      }
    }
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    if let layout = options.layout, layout.expiresInside, !SessionKey.isRecord(key) {
      return try touchInside(key, expires: expires, layout)
    }
    return try locked(key) { () throws(Failure) in
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
    try locked(key) { () throws(Failure) in
      let failure = try withName(key) { (name) throws(Failure) in sys_folder_remove(folder, name) }
      guard failure != ENOENT else {
        let _: Bool? = try missing()
        return
      }
      try check(failure)
      try syncFolder(of: key)
    }
  }

  // MARK: Writing

  /// Lends a new file with the data; whatever has its name afterwards is removed.
  private func writing<Answer>(
    _ key: Bytes, _ data: Bytes, _ expires: Int64, _ body: (UnsafePointer<CChar>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    guard options.mode.writes else { throw .readOnly }
    if SessionKey.isRecord(key), options.mode.makes {
      try FileStore.make(FileStore.recordsFolder, in: folder, sync: options.sync == .full)
    }
    let isLaid = options.layout != nil && !SessionKey.isRecord(key)
    var marked = ByteBuffer()
    if !isLaid { try FileContent.write(data, to: &marked) }
    let content = marked.count > 0 ? marked.bytes : data
    return try withTemporaryName(key) { (temporary) throws(Failure) in
      var modified = modified(expires)
      let failure =
        isLaid
        ? sys_folder_write(folder, temporary, content.start, content.count, nil, options.sync != .off)
        : sys_folder_write(folder, temporary, content.start, content.count, &modified, options.sync != .off)
      try check(failure)
      defer { _ = sys_folder_remove(folder, temporary) }
      return try body(temporary)
    }
  }

  /// The file's time for an expiry, without overflow: the system cuts it to what it can hold.
  private func modified(_ expires: Int64) -> Int64 {
    let (time, overflow) = expires.subtractingReportingOverflow(options.age)
    return overflow ? .min : time
  }

  func check(_ failure: Int32) throws(Failure) {
    guard failure == 0 else { throw .folder(failure) }
  }

  /// Where it fails the change is taken back, so that what is seen is what was answered.
  private func syncFolder(of key: Bytes, undo: () -> Int32) throws(Failure) {
    do throws(Failure) {
      try syncFolder(of: key)
    } catch {
      guard undo() == 0 else {
        throw Failure(status: TUILE_E_UNKNOWN, message: "the session was saved, and may be gone after a power loss")
      }
      throw error
    }
  }

  private func syncFolder(of key: Bytes) throws(Failure) {
    guard options.sync == .full else { return }
    guard SessionKey.isRecord(key) else { return try check(sys_folder_sync(folder)) }
    let records = Bytes(FileStore.recordsFolder).withCString { sys_folder_open(folder, $0, false, false) }
    guard records >= 0 else { throw .folder(answer: Int(records)) }
    defer { sys_descriptor_close(records) }
    try check(sys_folder_sync(records))
  }
}

extension Bytes {
  /// For bytes that end with a NUL.
  func withCString<Answer>(_ body: (UnsafePointer<CChar>) -> Answer) -> Answer {
    body(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
  }
}
