import CSystem
import CTuile

/// The settings of device-bound sessions, and the texts that follow from them: the bound
/// cookie's name, the header of an offer, the JSON that a browser gets.
final class DeviceSettings {
  /// Every login is offered, not only what the host says.
  let offersLogins: Bool
  /// Seconds that a browser keeps a bound cookie.
  let seconds: Int64
  private let path: ByteBuffer
  private let name: ByteBuffer

  static let longest: Int64 = 86400

  /// `cookie` is the session's, without its value.
  static func make(_ config: tuile_config, _ cookie: SetCookie) throws(Failure) -> DeviceSettings? {
    switch config.device_binding {
    case TUILE_DEVICE_BINDING_OFF: return nil
    case TUILE_DEVICE_BINDING_CALL, TUILE_DEVICE_BINDING_LOGIN: break
    default: throw .argument("device_binding is no tuile_device_binding")
    }
    guard let given = Bytes(config.device_path) else { throw .argument("device_path is NULL and has a size") }
    guard config.device_seconds >= 1, config.device_seconds <= longest else {
      throw .argument("device_seconds is not between 1 and 86400")
    }
    guard config.cookie_secure else {
      throw .argument("device_binding needs cookie_secure: browsers bind over https alone")
    }
    guard !config.cookie_partitioned else { throw .argument("device_binding can't be with cookie_partitioned") }
    guard !config.url_sessions else {
      throw .argument("device_binding can't be with url_sessions: an ID in a URL is not bound")
    }
    try check(given, below: cookie.path)
    var path = ByteBuffer()
    path.append(given)
    var name = ByteBuffer()
    // Of two prefixes browsers know the first alone.
    let isHost = cookie.domain.isEmpty && cookie.path == Bytes("/")
    name.append(isHost ? "__Host-" : "__Secure-")
    name.append(DeviceSettings.withoutPrefix(cookie.name))
    name.append("-bound")
    guard !path.failed, !name.failed else { throw .memory }
    var sample = cookie
    (sample.name, sample.value, sample.httpOnly) = (name.bytes, Bytes("x"), true)
    try sample.check()
    return DeviceSettings(config, path, name)
  }

  private init(_ config: tuile_config, _ path: consuming ByteBuffer, _ name: consuming ByteBuffer) {
    offersLogins = config.device_binding == TUILE_DEVICE_BINDING_LOGIN
    seconds = config.device_seconds
    self.path = path
    self.name = name
  }

  private static func withoutPrefix(_ name: Bytes) -> Bytes {
    if name.hasPrefix(ignoringCase: "__host-http-") { return name.dropFirst(12) }
    if name.hasPrefix(ignoringCase: "__host-") || name.hasPrefix(ignoringCase: "__http-") { return name.dropFirst(7) }
    return name.hasPrefix(ignoringCase: "__secure-") ? name.dropFirst(9) : name
  }

  /// A path that needs no escape in a header and in JSON, and to which the session's cookie is sent.
  private static func check(_ path: Bytes, below root: Bytes) throws(Failure) {
    guard path[0] == UInt8(ascii: "/"), path[1] != UInt8(ascii: "/"), path.count <= 1024 else {
      throw .argument("device_path is no path of this application: it begins with one '/', and has at most 1024 bytes")
    }
    for i in Indices(path.count) {
      let c = path[i]
      let isReserved =
        c == UInt8(ascii: "\"") || c == UInt8(ascii: "\\") || c == UInt8(ascii: "?") || c == UInt8(ascii: "#")
      guard c &- 0x21 < 0x5E, !isReserved else {
        throw .argument("device_path has a space, a control character, an octet over 7E, or one of \" \\ ? #")
      }
    }
    // RFC 6265bis, section 5.1.4.
    let isBelow =
      path.hasPrefix(root)
      && (root.count == path.count || root[root.count &- 1] == UInt8(ascii: "/")
        || path[root.count] == UInt8(ascii: "/"))
    guard !root.isEmpty, isBelow else {
      throw .argument("device_path is not below cookie_path: browsers would not send the session's cookie there")
    }
  }

  var cookieName: Bytes { name.bytes }

  /// Seconds that a bound cookie is good here: for requests on their way, and clocks that differ.
  var goodFor: Int64 { seconds &+ min(30, (seconds &+ 7) / 8) }

  /// The bound cookie without its value and age, beside the session's.
  func cookie(beside session: SetCookie) -> SetCookie {
    var cookie = session
    (cookie.name, cookie.value, cookie.maxAge, cookie.expires) = (name.bytes, Bytes(), nil, nil)
    cookie.httpOnly = true
    return cookie
  }

  /// `Secure-Session-Registration`.
  func writeOffer(_ challenge: Bytes, to out: inout ByteBuffer) {
    out.append("(ES256 RS256);path=")
    out.appendQuoted(path.bytes)
    out.append(";challenge=")
    out.appendQuoted(challenge)
  }

  /// What the browser is to do from now on. Sessions of a whole domain are refreshed on all of it.
  func writeInstructions(_ identifier: Bytes, _ cookie: SetCookie, to out: inout ByteBuffer) {
    out.append("{\"session_identifier\":")
    out.appendQuoted(identifier)
    out.append(",\"refresh_url\":")
    out.appendQuoted(path.bytes)
    out.append(cookie.domain.isEmpty ? ",\"scope\":{\"include_site\":false}" : ",\"scope\":{\"include_site\":true}")
    out.append(",\"credentials\":[{\"type\":\"cookie\",\"name\":")
    out.appendQuoted(name.bytes)
    out.append(",\"attributes\":\"")
    // Of the cookie that is set itself: where they differ, browsers refresh before each request.
    var plain = cookie
    (plain.value, plain.maxAge, plain.expires) = (Bytes(), nil, nil)
    let size = plain.largestSize
    _ = out.fill(size) { start in
      var writer = ByteWriter(start, capacity: size)
      plain.write(to: &writer)
      let begin = plain.name.count &+ 3
      let left = max(0, writer.count &- begin)
      memmove(start, start + min(begin, size), left)
      return left
    }
    out.append("\"}]}")
  }
}
