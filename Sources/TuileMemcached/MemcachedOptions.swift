import CMemcached
import CSystem
import CTuile

/// What a URL says. Complete when it is made, and only read after.
final class MemcachedOptions: StoreOptions {
  static let mostServers = 128

  private(set) var servers: [ServerAddress] = []
  private(set) var tls = false
  private(set) var security = TLSSettings()
  private(set) var user: CText?
  private(set) var password: CText?
  private var passwordFile: CText?
  /// Whether others than its owner may read that file.
  private var sharedFiles = false
  private var saysText = false
  private(set) var limits = Limits()
  private(set) var mode = StoreMode.unsaid
  /// The first request is the first to ask a server, not the opening.
  private(set) var opensLazily = false

  private(set) var distribution = CM_MODULA
  private(set) var hash: CText?
  private(set) var ringHash: CText?
  /// What stands before a key counts, too, when its server is looked for.
  private(set) var hashesPrefix = true

  /// What stands before a session's key: empty, or it ends with a colon.
  private(set) var prefix = CText(Bytes("tuile:"))
  /// What stands before our other keys: no session's name begins so.
  private(set) var own = CText(Bytes("tuile.tuile:"))
  /// Another framework's items are behind the prefix: values as they are.
  private(set) var hasLayout = false
  /// What such items are, by their flags.
  private(set) var form = ItemForm()
  /// Between the prefix and a session's key in the name of the framework's lock; nil: it has none.
  private(set) var lock: CText?
  /// Milliseconds to wait for that lock.
  private(set) var busy: Int32 = 5000
  private var saysBusy = false

  /// SASL is a part of the binary protocol alone.
  var isBinary: Bool { user != nil && !saysText }

  /// memcached[s]://[user[:password]@]host[:port[:weight]][,…][/][?options]
  /// and memcached://[user[:password]@]/path[?options].
  static func parse(_ url: Bytes) throws(Failure) -> MemcachedOptions {
    var options = MemcachedOptions()
    let colon = url.find(UInt8(ascii: ":"))
    options.tls = url.slice(0, colon) == Bytes("memcacheds")
    let start = colon &+ 3
    let question = url.find(UInt8(ascii: "?"), from: start)
    try options.read(url.dropFirst(question &+ 1), at: question &+ 1)
    let slash = min(url.find(UInt8(ascii: "/"), from: start), question)
    let authority = url.slice(start, slash)
    let at = authority.findLast(UInt8(ascii: "@"))
    if let at { try options.takeUser(authority.slice(0, at)) }
    let hosts = at.map { authority.dropFirst($0 &+ 1) } ?? authority
    let path = url.slice(slash, question)
    if hosts.isEmpty, path.count > 1 {
      options.servers = [ServerAddress(try CText.decoded(path), port: 0)]
    } else {
      guard path.count < 2 else { throw .syntax("a memcached server has no databases or paths", at: slash) }
      options.servers = try ServerAddress.read(
        hosts, at: slash &- hosts.count, port: 11211, most: mostServers, weighted: true)
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
    user, password, password_file, auth (sasl, text), prefix, distribution (modula, consistent, ketama, ketama_weighted, dalli, rendezvous), \
    hash (default, md5, crc, fnv1_64, fnv1a_64, fnv1_32, fnv1a_32, hsieh, murmur, jenkins), ring_hash (as hash), hash_prefix (0, 1), \
    connect, timeout, wait, pool, idle, retries, mode (ro, rw, rwc), open (now, lazy), ca, verify (none, peer), server_name, \
    certificate, key, shared_files (0, 1)
    """

  func take(_ option: URLText.Option) throws(Failure) -> Bool {
    if try limits.take(option) { return true }
    if try security.take(option) { return true }
    if let said = StoreMode(option) {
      mode = said
      return true
    }
    let value = option.value
    if option.name == Bytes("open"), value == Bytes("now") || value == Bytes("lazy") {
      opensLazily = value == Bytes("lazy")
    } else if option.name == Bytes("auth"), value == Bytes("sasl") || value == Bytes("text") {
      saysText = value == Bytes("text")
    } else if option.name == Bytes("shared_files") {
      sharedFiles = try option.number(0...1) == 1
    } else if option.name == Bytes("hash_prefix") {
      hashesPrefix = try option.number(0...1) == 1
    } else if option.name == Bytes("item_flags") {
      form.plain = UInt32(truncatingIfNeeded: try option.number(0...0xFFFF))
    } else if option.name == Bytes("zlib_flag") {
      form.zlib = UInt32(truncatingIfNeeded: try option.number(0...0xFFFF))
    } else if option.name == Bytes("php_compression") {
      form.isPHP = try option.number(0...1) == 1
    } else if option.name == Bytes("busy") {
      saysBusy = true
      busy = Int32(truncatingIfNeeded: try option.number(0...600_000))
    } else if option.name == Bytes("distribution") {
      guard let named = MemcachedOptions.distribution(value) else { return false }
      distribution = named
    } else {
      return try takeText(option)
    }
    return true
  }

  private static func distribution(_ name: Bytes) -> cm_distribution? {
    switch name {
    case _ where name == Bytes("modula"): return CM_MODULA
    case _ where name == Bytes("consistent"): return CM_CONSISTENT
    case _ where name == Bytes("ketama"): return CM_KETAMA
    case _ where name == Bytes("ketama_weighted"): return CM_KETAMA_WEIGHTED
    case _ where name == Bytes("dalli"): return CM_DALLI
    case _ where name == Bytes("rendezvous"): return CM_RENDEZVOUS
    default: return nil
    }
  }

  private func takeText(_ option: URLText.Option) throws(Failure) -> Bool {
    let value = try CText.decoded(option.value)
    if option.name == Bytes("prefix") || option.name == Bytes("key_prefix") {
      guard value.count <= 128, MemcachedOptions.isName(value.bytes) else { return false }
      takePrefix(value, ofLayout: option.name == Bytes("key_prefix"))
      return true
    }
    guard value.count > 0 else { return false }
    if option.name == Bytes("user") {
      user = value
    } else if option.name == Bytes("password") {
      password = value
    } else if option.name == Bytes("password_file") {
      passwordFile = value
    } else if option.name == Bytes("hash") {
      hash = value
    } else if option.name == Bytes("ring_hash") {
      ringHash = value
    } else if option.name == Bytes("lock_prefix") {
      guard value.count <= 32, MemcachedOptions.isName(value.bytes) else { return false }
      lock = value
    } else {
      return false
    }
    return true
  }

  /// What memcached has in keys: no spaces, and nothing that ends a line.
  private static func isName(_ text: Bytes) -> Bool {
    for i in Indices(text.count) {
      guard text[i] > 0x20, text[i] != 0x7F else { return false }
    }
    return true
  }

  private func takePrefix(_ text: CText, ofLayout: Bool) {
    var buffer = ByteBuffer()
    buffer.append(text.bytes)
    if text.count > 0, !ofLayout { buffer.append(":") }
    prefix = CText(buffer.bytes)
    buffer.removeAll()
    // Where no key behind a layout's prefix is.
    if ofLayout { buffer.append("tuile.") }
    buffer.append(text.bytes)
    buffer.append(".tuile:")
    own = CText(buffer.bytes)
    hasLayout = ofLayout
  }

  private func check() throws(Failure) {
    guard !saysBusy || lock != nil else {
      throw .syntax("the store's URL has busy, which is for layouts whose framework has locks")
    }
    if let passwordFile { password = try SecretFile.read(passwordFile, shared: sharedFiles) }
    guard (password == nil) == (user == nil) else {
      throw .syntax("the store's URL has a user without a password, or a password without a user")
    }
    guard user != nil || !saysText else { throw .syntax("the store's URL has auth without a user") }
    if let user, let password {
      // In text a space ends the user, and SASL's parts end with a NUL.
      guard user.count <= 255, password.count <= 255, !(saysText && user.bytes.contains(0x20)) else {
        throw .syntax(
          "the user or password of the store's URL is over 255 bytes, or the user has a space in it (auth=text)")
      }
    }
    guard !isBinary || !hasLayout else {
      throw .syntax(
        "a layout has to know how long an item has left, which the protocol of servers with SASL does not tell: auth=text is for memcached's auth file"
      )
    }
    guard tls || security.isStandard else {
      throw .syntax("the store's URL has options of TLS, which is for memcacheds:// alone")
    }
  }
}
