import CTuile

/// A response that the host sends as it is. Its texts live as long as the session.
final class DeviceAnswer {
  private static let most = 8

  var status: Int32
  private var arena = Arena(limit: 1 << 16)
  private let headers = UnsafeMutablePointer<tuile_header>.allocate(capacity: most)
  private var count = 0
  private var body = Bytes()
  /// The one before, which the host may still have.
  private let previous: DeviceAnswer?

  init(_ status: Int32, after previous: DeviceAnswer?) {
    self.status = status
    self.previous = previous
  }

  deinit { headers.deallocate() }

  func add(_ name: StaticString, _ value: Bytes) throws(Failure) {
    guard count < DeviceAnswer.most, let copy = arena.copy(value) else { throw .memory }
    headers[count] = tuile_header(name: Bytes(name).c, value: copy.c)
    count &+= 1
  }

  func add(_ cookie: SetCookie) throws(Failure) {
    var text = ByteBuffer()
    let size = cookie.largestSize
    _ = text.fill(size) { start in
      var writer = ByteWriter(start, capacity: size)
      cookie.write(to: &writer)
      return writer.count
    }
    guard !text.failed else { throw .memory }
    try add("Set-Cookie", text.bytes)
  }

  func set(_ text: Bytes, _ type: StaticString) throws(Failure) {
    guard let copy = arena.copy(text) else { throw .memory }
    body = copy
    try add("Content-Type", Bytes(type))
  }

  func write(to answer: inout tuile_device_answer) {
    answer.http_status = status
    answer.headers = UnsafePointer(headers)
    answer.header_count = count
    answer.body = body.c
  }
}

/// What of a request counts here; the host's texts.
struct DeviceRequest {
  let method, proof, identifier, skipped: Bytes
  let site, mode, destination: Bytes

  init(_ given: tuile_device_request) throws(Failure) {
    guard let method = Bytes(given.method), let proof = Bytes(given.proof), let identifier = Bytes(given.identifier),
      let skipped = Bytes(given.skipped), let site = Bytes(given.fetch_site), let mode = Bytes(given.fetch_mode),
      let destination = Bytes(given.fetch_dest)
    else { throw .argument("a text of the request is NULL and has a size") }
    (self.method, self.proof, self.identifier, self.skipped) = (method, proof, identifier, skipped)
    (self.site, self.mode, self.destination) = (site, mode, destination)
  }

  /// The page in the window is to become another, and may be asked for again.
  var isNavigation: Bool {
    (method == Bytes("GET") || method == Bytes("HEAD")) && mode == Bytes("navigate") && destination == Bytes("document")
  }

  /// Another site's page has caused it: browsers do not refresh for it.
  var isFromElsewhere: Bool { site == Bytes("cross-site") || site == Bytes("same-site") }
}
