import CSystem
import CTuile

/// What a URL says. Complete when it is made, and only read after.
final class RedisOptions: StoreOptions {
  static let mostSeeds = 32

  var seeds: [ServerAddress] = []
  var tls = false
  var user: CText?
  var password: CText?
  private var passwordFile: CText?
  var database: Int64 = 0
  /// What stands before a session's key: empty, or it ends with a colon.
  private(set) var prefix = CText(Bytes("tuile:"))
  /// What stands before our other keys. No session's name begins so, whatever is
  /// behind its prefix: Django takes any text for an ID.
  private(set) var own = CText(Bytes("tuile.tuile:"))
  /// A key that only asks what the server knows.
  private(set) var probe = CText(Bytes("tuile.tuile:probe"))
  /// Another framework's keys are behind the prefix: more than Django's characters may be in them.
  private(set) var hasLayout = false
  /// Behind a session's key the framework's lock of it, which is respected; nil: it has none.
  private(set) var lockSuffix: CText?
  /// Milliseconds to wait for that lock.
  private(set) var busy: Int32 = 5000
  private var saysBusy = false
  var limits = Limits()
  var mode = StoreMode.unsaid
  /// The first request is the first to ask the server, not the opening.
  private(set) var opensLazily = false
  /// How many replicas have to have a change before it counts.
  var replicas: Int64 = 0

  /// The name of the master that the seeds, which are Sentinels, are asked for.
  var sentinel: CText?
  var sentinelUser: CText?
  var sentinelPassword: CText?
  private var sentinelPasswordFile: CText?
  /// Whether others than their owner may read these files.
  private var sharedFiles = false

  var security = TLSSettings()

  /// redis[s]://[user[:password]@]host[:port][,host[:port]…][/database][?options]
  /// and unix://[user[:password]@]/path[?options].
  static func parse(_ url: Bytes) throws(Failure) -> RedisOptions {
    var options = RedisOptions()
    let colon = url.find(UInt8(ascii: ":"))
    let scheme = url.slice(0, colon)
    options.tls = scheme == Bytes("rediss")
    let start = colon &+ 3
    let question = url.find(UInt8(ascii: "?"), from: start)
    try options.read(url.dropFirst(question &+ 1), at: question &+ 1)
    let slash = min(url.find(UInt8(ascii: "/"), from: start), question)
    let authority = url.slice(start, slash)
    let at = authority.findLast(UInt8(ascii: "@"))
    if let at { try options.takeUser(authority.slice(0, at)) }
    let hosts = at.map { authority.dropFirst($0 &+ 1) } ?? authority
    let path = url.slice(slash, question)
    if scheme == Bytes("unix") {
      guard hosts.isEmpty, path.count > 1 else {
        throw .syntax("the path of a unix URL is absolute: unix:///path", at: start)
      }
      options.seeds.append(ServerAddress(try CText.decoded(path), port: 0))
    } else {
      if path.count > 1 {
        guard let number = Numbers.read(path.dropFirst(1), base: 10), number >= 0, number < 1 << 20 else {
          throw .syntax("the database in the store's URL is not a number", at: slash)
        }
        options.database = number
      }
      options.seeds = try ServerAddress.read(
        hosts, at: slash &- hosts.count, port: options.sentinel == nil ? 6379 : 26379, most: mostSeeds)
    }
    try options.check()
    return options
  }

  private func takeUser(_ text: Bytes) throws(Failure) {
    let colon = text.find(UInt8(ascii: ":"))
    if colon > 0 { user = try CText.decoded(text.slice(0, colon)) }
    if colon < text.count { password = try CText.decoded(text.dropFirst(colon &+ 1)) }
  }

  static let known: StaticString = """
    db, user, password, password_file, prefix, connect, timeout, wait, pool, idle, retries, mode (ro, rw, rwc), open (now, lazy), replicas, \
    sentinel, sentinel_user, sentinel_password_file, ca, verify (none, peer), server_name, certificate, key, shared_files (0, 1)
    """

  func take(_ option: URLText.Option) throws(Failure) -> Bool {
    if try limits.take(option) { return true }
    if try security.take(option) { return true }
    if let said = StoreMode(option) {
      mode = said
      return true
    }
    if option.name == Bytes("busy") {
      saysBusy = true
      busy = Int32(truncatingIfNeeded: try option.number(0...600_000))
    } else if option.name == Bytes("db") {
      database = try option.number(0...0xFFFFF)
    } else if option.name == Bytes("replicas") {
      replicas = try option.number(0...1000)
    } else if option.name == Bytes("open"), option.value == Bytes("now") || option.value == Bytes("lazy") {
      opensLazily = option.value == Bytes("lazy")
    } else if option.name == Bytes("password_file") {
      passwordFile = try CText.decoded(option.value)
    } else if option.name == Bytes("sentinel_password_file") {
      sentinelPasswordFile = try CText.decoded(option.value)
    } else if option.name == Bytes("shared_files") {
      sharedFiles = try option.number(0...1) == 1
    } else {
      return try takeText(option)
    }
    return true
  }

  private func takeText(_ option: URLText.Option) throws(Failure) -> Bool {
    let value = try CText.decoded(option.value)
    if option.name == Bytes("prefix") {
      guard value.count <= 255 else { return false }
      takePrefix(value)
      return true
    }
    if option.name == Bytes("lock_suffix") {
      guard value.count > 0, value.count <= 32 else { return false }
      lockSuffix = value
      return true
    }
    if option.name == Bytes("key_prefix") {
      guard value.count <= 255 else { return false }
      takeLayoutPrefix(value)
      return true
    }
    guard value.count > 0 else { return false }
    if option.name == Bytes("user") {
      user = value
    } else if option.name == Bytes("password") {
      password = value
    } else if option.name == Bytes("sentinel") {
      sentinel = value
    } else if option.name == Bytes("sentinel_user") {
      sentinelUser = value
    } else {
      return false
    }
    return true
  }

  private func takePrefix(_ text: CText) {
    var buffer = ByteBuffer()
    buffer.append(text.bytes)
    if text.count > 0 { buffer.append(":") }
    prefix = CText(buffer.bytes)
    buffer.removeAll()
    buffer.append(text.bytes)
    buffer.append(".tuile:")
    own = CText(buffer.bytes)
    buffer.append("probe")
    probe = CText(buffer.bytes)
  }

  /// A layout's prefix, to the byte. Our other keys stand where no key behind it does.
  private func takeLayoutPrefix(_ text: CText) {
    hasLayout = true
    prefix = text
    var buffer = ByteBuffer()
    buffer.append("tuile.")
    buffer.append(text.bytes)
    buffer.append(".tuile:")
    own = CText(buffer.bytes)
    buffer.append("probe")
    probe = CText(buffer.bytes)
  }

  func isKey(_ key: Bytes) -> Bool { hasLayout ? SessionKey.isSafe(key) : SessionKey.isValid(key) }

  private func check() throws(Failure) {
    guard !saysBusy || lockSuffix != nil else {
      throw .syntax("the store's URL has busy, which is for layouts whose framework has locks")
    }
    if let passwordFile { password = try SecretFile.read(passwordFile, shared: sharedFiles) }
    if let sentinelPasswordFile {
      sentinelPassword = try SecretFile.read(sentinelPasswordFile, shared: sharedFiles)
    }
    guard password != nil || user == nil else { throw .syntax("the store's URL has a user without a password") }
    guard tls || security.isStandard else {
      throw .syntax("the store's URL has options of TLS, which is for rediss:// alone")
    }
  }
}
