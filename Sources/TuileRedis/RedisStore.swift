import CRedis
import CSockets
import CSystem
import CTuile

/// Sessions in Redis, as django-redis-sessions lays them out: one key each, its
/// value Django's encoding, its expiry the server's own.
final class RedisStore: Store {
  let runner: RedisRunner
  let options: RedisOptions
  /// Compares and replaces, as one step: 0 no such key, 1 other data, 2 replaced.
  /// An expiry in the past deletes.
  private let replacing = RedisScript(
    """
    local stored = redis.call('GET', KEYS[1])
    if not stored then return 0 end
    if stored ~= ARGV[1] then return 1 end
    redis.call('SET', KEYS[1], ARGV[2])
    redis.call('PEXPIREAT', KEYS[1], ARGV[3])
    return 2
    """)
  /// The same, unless the framework has its lock of the session: 3.
  private let replacingUnlocked = RedisScript(
    """
    if redis.call('EXISTS', KEYS[1] .. ARGV[4]) == 1 then return 3 end
    local stored = redis.call('GET', KEYS[1])
    if not stored then return 0 end
    if stored ~= ARGV[1] then return 1 end
    redis.call('SET', KEYS[1], ARGV[2])
    redis.call('PEXPIREAT', KEYS[1], ARGV[3])
    return 2
    """)
  private let removingUnlocked = RedisScript(
    """
    if redis.call('EXISTS', KEYS[1] .. ARGV[1]) == 1 then return 3 end
    return redis.call('UNLINK', KEYS[1])
    """)
  /// Writes an entry of an owner's hash, and lets the hash live as long as its
  /// longest session. How long that is comes from outside, since servers before
  /// Redis 7 tell what is left alone.
  let owning = RedisScript(
    """
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
    return 1
    """)
  /// The expiry of a key that has none: the end of the year 9999.
  private static let never: Int64 = 253_402_300_799_000_000
  private static let largest = Int(CR_LARGEST_REPLY) &- 65536

  var trusted: Bool { false }

  static func make(_ options: RedisOptions) throws(Failure) -> RedisStore {
    let store = RedisStore(options)
    _ = try store.runner.servers.secured()
    if !options.opensLazily { try store.ask() }
    return store
  }

  private init(_ options: RedisOptions) {
    self.options = options
    runner = RedisRunner(options)
  }

  func close() {}

  // MARK: Keys

  static let ownerKey: StaticString = "owner:"
  private static let recordKey: StaticString = "record:"

  /// Lends the whole name of a key.
  private func named<Answer>(
    _ prefix: CText, _ middle: StaticString, _ key: Bytes, _ body: (Bytes) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    let room = prefix.count &+ middle.count &+ key.count
    return try withScratch(room) { (start) throws(Failure) in
      var writer = ByteWriter(start, capacity: room)
      writer.append(prefix.bytes)
      writer.append(Bytes(middle))
      writer.append(key)
      return try body(writer.written)
    }
  }

  func named<Answer>(_ key: Bytes, _ body: (Bytes) throws(Failure) -> Answer) throws(Failure) -> Answer {
    guard SessionKey.isRecord(key) else { return try named(options.prefix, "", key, body) }
    return try named(options.own, RedisStore.recordKey, key, body)
  }

  func named<Answer>(
    owner: Bytes, _ body: (Bytes) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    try named(options.own, RedisStore.ownerKey, owner, body)
  }

  static func left(_ expires: Int64) -> Int64 {
    max(1, (expires &- sys_now_microseconds()) / 1000)
  }

  static func check(_ data: Bytes) throws(Failure) {
    guard data.count <= largest else { throw .limit("the session is larger than a Redis store takes") }
  }

  // MARK: Store

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    let replies = try named(key) { (key) throws(Failure) in
      try runner.run(key, .textOrNil, .read) { connection, _ in
        RedisStore.addLoad(connection, key)
        return 2
      }
    }
    defer { withExtendedLifetime(replies) {} }
    guard !replies.first.view.isNil else { return nil }
    guard let text = replies.first.view.text else { throw RedisConnection.failure(CS_PROTOCOL) }
    guard var expires = try RedisStore.expiry(replies.second, replies.time) else { return nil }
    // The server has it, and by our clock it is over: so the clocks may differ.
    if expires <= now, replies.time.isPrecise, (try? runner.compareClocks(replies.node)) == true {
      expires = try RedisStore.expiry(replies.second, (true, replies.node.clock.skew)) ?? expires
    }
    guard expires > now else { return nil }
    data.append(text)
    guard !data.failed else { throw .memory }
    return expires
  }

  static func addLoad(_ connection: RedisConnection, _ key: Bytes) {
    connection.command("GET")
    connection.add(key)
    connection.end()
    addExpiry(connection, key)
  }

  static func addExpiry(_ connection: RedisConnection, _ key: Bytes) {
    connection.command(connection.isPrecise ? "PEXPIRETIME" : "PTTL")
    connection.add(key)
    connection.end()
  }

  /// nil: the key is gone.
  static func expiry(_ reply: RedisReply?, _ time: RedisTime) throws(Failure) -> Int64? {
    guard let number = reply?.view.integer else { throw RedisConnection.failure(CS_PROTOCOL) }
    guard number >= 0 else { return number == -1 ? never : nil }
    let (milliseconds, under) = number.subtractingReportingOverflow(time.isPrecise ? time.skew : 0)
    let (expires, over) = milliseconds.multipliedReportingOverflow(by: 1000)
    guard !under, !over, expires < never else { return never }
    return time.isPrecise ? expires : sys_now_microseconds() &+ expires
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try set(key, data, expires, onlyNew: true)
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    _ = try set(key, data, expires, onlyNew: false)
  }

  private func set(_ key: Bytes, _ data: Bytes, _ expires: Int64, onlyNew: Bool) throws(Failure) -> Bool {
    try RedisStore.check(data)
    return try named(key) { (key) throws(Failure) in
      try runner.run(key, .doneOrNil, .write) { connection, _ in
        RedisStore.addSet(connection, key, data, expires, onlyNew: onlyNew)
        return 1
      }
    }.first.view.isNil == false
  }

  static func addSet(_ connection: RedisConnection, _ key: Bytes, _ data: Bytes, _ expires: Int64, onlyNew: Bool) {
    connection.command("SET")
    connection.add(key)
    connection.add(data)
    connection.add(connection.isPrecise ? "PXAT" : "PX")
    connection.add(connection.isPrecise ? connection.milliseconds(expires) : left(expires))
    if onlyNew { connection.add("NX") }
    connection.end()
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    try RedisStore.check(data)
    let answer = try unlocked { () throws(Failure) in
      try named(key) { (key) throws(Failure) in
        try runner.run(key, .integer, .write) { connection, whole in
          addReplace(connection, whole: whole, key, expected: expected, data: data, expires: expires)
          return 1
        }
      }.first.view.integer
    }
    guard let replaced = try RedisStore.replaced(answer) else { throw RedisConnection.failure(CS_PROTOCOL) }
    return replaced
  }

  func addReplace(
    _ connection: RedisConnection, whole: Bool, _ key: Bytes, expected: Bytes, data: Bytes, expires: Int64
  ) {
    let lock = options.lockSuffix
    (lock == nil ? replacing : replacingUnlocked).add(to: connection, whole, key)
    connection.add(expected)
    connection.add(data)
    connection.add(connection.milliseconds(expires))
    if let lock { connection.add(lock.bytes) }
    connection.end()
  }

  /// nil: the framework has its lock of the session.
  static func replaced(_ answer: Int64?) throws(Failure) -> Replaced? {
    switch answer {
    case 0: return .absent
    case 1: return .conflict
    case 2: return .replaced
    case 3: return nil
    default: throw RedisConnection.failure(CS_PROTOCOL)
    }
  }

  /// Asks again as long as the framework has its lock, which a request of its own keeps to its end.
  private func unlocked(_ ask: () throws(Failure) -> Int64?) throws(Failure) -> Int64? {
    let until = sys_monotonic_microseconds() &+ Int64(options.busy) &* 1000
    var step: UInt32 = 1000
    while true {
      let answer = try ask()
      guard answer == 3, options.lockSuffix != nil else { return answer }
      guard sys_monotonic_microseconds() < until else {
        throw Failure(status: TUILE_E_BUSY, message: "the framework held its lock of the session for too long")
      }
      var noise: UInt16 = 0
      _ = sys_random(&noise, 2)
      sys_sleep_microseconds(step &+ UInt32(noise) % step)
      step = min(step &* 2, 8000)
    }
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    try named(key) { (key) throws(Failure) in
      try runner.run(key, .integer, .write) { connection, _ in
        connection.command("PEXPIREAT")
        connection.add(key)
        connection.add(connection.milliseconds(expires))
        connection.end()
        return 1
      }
    }.first.view.integer == 1
  }

  func remove(_ key: Bytes) throws(Failure) {
    if let lock = options.lockSuffix {
      _ = try unlocked { () throws(Failure) in
        try named(key) { (key) throws(Failure) in
          try runner.run(key, .integer, .write) { connection, whole in
            removingUnlocked.add(to: connection, whole, key)
            connection.add(lock.bytes)
            connection.end()
            return 1
          }
        }.first.view.integer
      }
      return
    }
    _ = try named(key) { (key) throws(Failure) in
      try runner.run(key, .integer, .write) { connection, _ in
        connection.command("UNLINK")
        connection.add(key)
        connection.end()
        return 1
      }
    }
  }

  /// The server lets keys go by itself.
  func sweep(now: Int64, limit: Int) throws(Failure) -> Int { 0 }
}
