import CSystem

/// One cookie of a jar: this header, then name, value, path and partition.
struct JarCookie {
  /// The next of its domain, whose list has longer paths first, older ones first
  /// among equals: the order in which they are sent.
  var next: UnsafeMutablePointer<JarCookie>?
  /// Set while a jar is saved.
  var domain: UnsafeMutablePointer<JarDomain>?
  /// What orders cookies by creation; one that is replaced keeps its number.
  var sequence: UInt64 = 0
  /// What orders cookies by use.
  var lastUse: UInt64 = 0
  /// Unix seconds; Int64.max: until the session ends.
  var expires: Int64
  var nameSize: Int
  var valueSize: Int
  var pathSize: Int
  var partitionSize: Int
  var sameSite: SetCookie.SameSite
  var priority: SetCookie.Priority
  var hostOnly: Bool
  var secure: Bool
  var httpOnly: Bool

  typealias Pointer = UnsafeMutablePointer<JarCookie>

  /// What a new one is made from.
  struct Fields {
    var name: Bytes
    var value: Bytes
    var path: Bytes
    /// The top-level site of a Partitioned cookie; empty for any other.
    var partition = Bytes()
    var expires: Int64
    var sameSite = SetCookie.SameSite.unset
    var priority = SetCookie.Priority.unset
    var hostOnly: Bool
    var secure: Bool
    var httpOnly: Bool
  }

  static func make(_ fields: Fields) throws(Failure) -> Pointer {
    let (name, value, path, partition) = (fields.name, fields.value, fields.path, fields.partition)
    let size = name.count &+ value.count &+ path.count &+ partition.count
    guard let raw = malloc(MemoryLayout<JarCookie>.stride &+ size) else { throw .memory }
    let cookie = raw.assumingMemoryBound(to: JarCookie.self)
    cookie.initialize(
      to: JarCookie(
        expires: fields.expires, nameSize: name.count, valueSize: value.count, pathSize: path.count,
        partitionSize: partition.count, sameSite: fields.sameSite, priority: fields.priority,
        hostOnly: fields.hostOnly, secure: fields.secure, httpOnly: fields.httpOnly))
    let text = texts(cookie)
    text.copy(name)
    (text + name.count).copy(value)
    (text + name.count + value.count).copy(path)
    (text + name.count + value.count + path.count).copy(partition)
    return cookie
  }

  /// Wiped, since the value may be a secret.
  static func release(_ cookie: Pointer) {
    let node = cookie.pointee
    sys_wipe(
      cookie,
      MemoryLayout<JarCookie>.stride &+ node.nameSize &+ node.valueSize &+ node.pathSize &+ node.partitionSize)
    free(cookie)
  }

  private static func texts(_ cookie: Pointer) -> UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer(cookie + 1).assumingMemoryBound(to: UInt8.self)
  }
}

extension UnsafeMutablePointer<JarCookie> {
  private var texts: UnsafePointer<UInt8> { UnsafeRawPointer(self + 1).assumingMemoryBound(to: UInt8.self) }

  var name: Bytes { Bytes(texts, pointee.nameSize) }
  var value: Bytes { Bytes(texts + pointee.nameSize, pointee.valueSize) }
  var path: Bytes { Bytes(texts + pointee.nameSize + pointee.valueSize, pointee.pathSize) }
  var partition: Bytes {
    Bytes(texts + pointee.nameSize + pointee.valueSize + pointee.pathSize, pointee.partitionSize)
  }

  var isPersistent: Bool { pointee.expires != Int64.max }

  /// Whether this one is sent before the other.
  func precedes(_ other: UnsafeMutablePointer<JarCookie>) -> Bool {
    pointee.pathSize != other.pointee.pathSize
      ? pointee.pathSize > other.pointee.pathSize : pointee.sequence < other.pointee.sequence
  }

  /// What is removed first where there are too many: what is not Secure, then the
  /// lower Priority, then what was used longest ago (RFC 6265bis, section 5.7).
  func goesBefore(_ other: UnsafeMutablePointer<JarCookie>) -> Bool {
    if pointee.secure != other.pointee.secure { return !pointee.secure }
    if rank != other.rank { return rank < other.rank }
    return pointee.lastUse < other.pointee.lastUse
  }

  private var rank: Int {
    switch pointee.priority {
    case .low: return 0
    case .unset, .medium: return 1
    case .high: return 2
    }
  }
}
