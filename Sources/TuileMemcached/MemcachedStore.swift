import CMemcached
import CSockets
import CSystem
import CTuile

/// Sessions in memcached, one item each. Of its own items the data begins with the expiry, to
/// the microsecond; a layout's are as its framework has them, with the server's expiry in seconds.
final class MemcachedStore: Store {
  let servers: MemcachedServers
  let options: MemcachedOptions
  /// The expiry of an item that has none: the end of the year 9999.
  static let never: Int64 = 253_402_300_799_000_000
  /// Over so many seconds memcached takes a number for a Unix time.
  private static let longestRelative: Int64 = 60 * 60 * 24 * 30
  /// Writes between one's look at an item and the change of it, before that is given up.
  private static let mostTries = 64

  var trusted: Bool { false }
  /// The server tells nobody what it has.
  var tellsKeys: Bool { false }

  static func make(_ options: MemcachedOptions) throws(Failure) -> MemcachedStore {
    let store = MemcachedStore(options, try MemcachedServers.make(options))
    if !options.opensLazily { try store.servers.ask() }
    return store
  }

  private init(_ options: MemcachedOptions, _ servers: MemcachedServers) {
    self.options = options
    self.servers = servers
  }

  func close() {}

  // MARK: Items

  /// Lends the name of a key's item; nil: no item has so long a name.
  func named<Answer>(
    _ key: Bytes, _ middle: CText?, _ body: (MemcachedName) throws(Failure) -> Answer
  ) throws(Failure) -> Answer? {
    let isRecord = SessionKey.isRecord(key)
    let prefix = isRecord ? options.own : options.prefix
    let kind = isRecord ? Bytes("record:") : middle?.bytes ?? Bytes()
    let room = prefix.count &+ kind.count &+ key.count
    guard room <= Int(CM_LONGEST_KEY) else { return nil }
    return try withScratch(room) { (start) throws(Failure) in
      var writer = ByteWriter(start, capacity: room)
      writer.append(prefix.bytes)
      writer.append(kind)
      writer.append(key)
      let hashed = options.hashesPrefix ? 0 : prefix.count
      return try body(MemcachedName(whole: writer.written, hashed: writer.written.dropFirst(hashed)))
    }
  }

  /// Whether the key's item is another framework's.
  func isForeign(_ key: Bytes) -> Bool { options.hasLayout && !SessionKey.isRecord(key) }

  /// nil: there is none.
  func item(_ name: MemcachedName) throws(Failure) -> MemcachedItem? {
    var found = cm_item()
    let answer = try servers.run(name, .read) { connection, call in cm_get(connection, &call, &found) }
    if answer == CM_ABSENT { return nil }
    let item = MemcachedItem(found)
    guard answer == CM_DONE else { throw MemcachedConnection.refusal(answer) }
    return item
  }

  /// Seconds, a Unix time, or -1, as the server takes them; never too early.
  private static func left(_ expires: Int64) -> Int64 {
    let (left, under) = expires.subtractingReportingOverflow(sys_now_microseconds())
    guard !under, left > 0 else { return -1 }
    let seconds = (left &- 1) / 1_000_000 &+ 1
    if seconds <= longestRelative { return seconds }
    return min((expires &- 1) / 1_000_000 &+ 1, Int64(Int32.max))
  }

  enum Condition {
    case none, isNew
    case isStill(UInt64)
  }

  /// `flags`: of the framework's item that is there, whose form is kept. CM_DONE, CM_EXISTS
  /// or CM_ABSENT.
  private func store(
    _ key: Bytes, _ name: MemcachedName, _ data: Bytes, _ expires: Int64, flags: UInt32? = nil, if condition: Condition
  ) throws(Failure) -> cm_answer {
    guard isForeign(key) else {
      // The server's seconds begin before ours: what is to be said of the end is in the item.
      let left = MemcachedStore.left(expires)
      let later = left > 0 && left < MemcachedStore.longestRelative ? left &+ 1 : left
      return try send(
        name, UInt64(bitPattern: expires).bigEndian, data, flags: MemcachedItem.ownFlags, left: later, if: condition)
    }
    let form = options.form
    let left = MemcachedStore.left(expires)
    guard let flags, let packed = try form.pack(data, flags: flags) else {
      return try send(name, nil, data, flags: form.plain, left: left, if: condition)
    }
    return try send(name, nil, packed.bytes, flags: flags, left: left, if: condition)
  }

  private func send(
    _ name: MemcachedName, _ head: UInt64?, _ value: Bytes, flags: UInt32, left: Int64, if condition: Condition
  ) throws(Failure) -> cm_answer {
    var item = cm_item()
    item.flags = flags
    item.left = left
    item.size = value.count
    item.value = UnsafeMutableRawPointer(mutating: value.start).assumingMemoryBound(to: CChar.self)
    var isNew = false
    switch condition {
    case .none: break
    case .isNew: isNew = true
    case .isStill(let cas): item.cas = cas
    }
    var octets = head ?? 0
    let headSize = head == nil ? 0 : MemcachedItem.headSize
    let answer = try servers.run(name, .write, size: value.count &+ headSize) { connection, call in
      cm_store(connection, &call, isNew, &octets, headSize, &item)
    }
    guard answer == CM_DONE || answer == CM_EXISTS || answer == CM_ABSENT else {
      throw MemcachedConnection.refusal(answer)
    }
    return answer
  }

  private static var tooLong: Failure { .limit("the session ID, with its prefix, is longer than memcached takes") }
  static var keptChanging: Failure {
    Failure(status: TUILE_E_BUSY, message: "other writers kept changing the session")
  }

  // MARK: Store

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    guard let found = try named(key, nil, { (name) throws(Failure) in try item(name) }), let item = found else {
      return nil
    }
    defer { withExtendedLifetime(item) {} }
    let expires: Int64
    if isForeign(key) {
      expires = item.end ?? MemcachedStore.never
      try item.appendForeign(options, to: &data)
    } else {
      let own = try item.own()
      expires = own.expires
      guard expires > now else { return nil }
      data.append(own.data)
    }
    guard !data.failed else { throw .memory }
    return expires > now ? expires : nil
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    let created = try named(key, nil) { (name) throws(Failure) -> Bool in
      for _ in Indices(MemcachedStore.mostTries) {
        if try store(key, name, data, expires, if: .isNew) == CM_DONE { return true }
        // The server keeps our own for up to a second after their end.
        guard !isForeign(key), let item = try item(name) else {
          if isForeign(key) { return false }
          continue
        }
        guard let own = try? item.own(), own.expires <= sys_now_microseconds() else { return false }
        if try store(key, name, data, expires, if: .isStill(item.cas)) == CM_DONE { return true }
      }
      throw MemcachedStore.keptChanging
    }
    guard let created else { throw MemcachedStore.tooLong }
    return created
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    let stored: Void? = try locked(key) { () throws(Failure) in
      try named(key, nil) { (name) throws(Failure) in
        guard try store(key, name, data, expires, if: .none) == CM_DONE else {
          throw MemcachedConnection.refusal(CM_ERROR)
        }
      }
    }
    guard stored != nil else { throw MemcachedStore.tooLong }
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try locked(key) { () throws(Failure) in
      try change(key, expires: expires) { found in found == expected ? data : nil }
    }
  }

  /// Looks at the item, and stores what `new` makes of its data if nobody has changed it
  /// since; nil is a conflict.
  private func change(_ key: Bytes, expires: Int64, _ new: (Bytes) -> Bytes?) throws(Failure) -> Replaced {
    let answer = try named(key, nil) { (name) throws(Failure) -> Replaced in
      for _ in Indices(MemcachedStore.mostTries) {
        guard let item = try item(name) else { return .absent }
        defer { withExtendedLifetime(item) {} }
        var copy = ByteBuffer()
        if isForeign(key) {
          try item.appendForeign(options, to: &copy)
        } else {
          let own = try item.own()
          guard own.expires > sys_now_microseconds() else { return .absent }
          copy.append(own.data)
        }
        guard !copy.failed else { throw .memory }
        guard let data = new(copy.bytes) else { return .conflict }
        switch try store(key, name, data, expires, flags: item.flags, if: .isStill(item.cas)) {
        case CM_DONE: return .replaced
        case CM_ABSENT: return .absent
        default: continue
        }
      }
      throw MemcachedStore.keptChanging
    }
    return answer ?? .absent
  }

  /// The server moves the end of a foreign item; our own have it inside.
  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    guard isForeign(key) else { return try change(key, expires: expires) { $0 } == .replaced }
    let answer = try named(key, nil) { (name) throws(Failure) in
      try servers.run(name, .write) { connection, call in cm_touch(connection, &call, MemcachedStore.left(expires)) }
    }
    guard let answer, answer != CM_ABSENT else { return false }
    guard answer == CM_DONE else { throw MemcachedConnection.refusal(answer) }
    return true
  }

  func remove(_ key: Bytes) throws(Failure) {
    try locked(key) { () throws(Failure) in
      let answer = try named(key, nil) { (name) throws(Failure) in
        try servers.run(name, .write) { connection, call in cm_delete(connection, &call, 0) }
      }
      guard answer == nil || answer == CM_DONE || answer == CM_ABSENT else {
        throw MemcachedConnection.refusal(answer ?? CM_ERROR)
      }
    }
  }

  /// The server lets keys go by itself.
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int { 0 }
}
