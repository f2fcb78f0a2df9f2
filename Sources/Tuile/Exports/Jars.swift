// Section 12: The cookie jar
// A client's cookies, for programs that call other servers: what responses set
// is kept, and each request gets the Cookie header that a browser would send
// (RFC 6265bis, draft 22). Domains that belong to everyone, such as "co.uk", are
// known from libpsl, which is loaded when the first jar is made and which nothing
// else needs. All functions but tuile_jar_free are safe from all threads: a mutex
// guards each jar. A child after fork() has its own copy.

import CSystem
import CTuile

/// Sets all fields to what TUILE_JAR_CONFIG_INIT sets: 180 cookies a site, 3000
/// in all, libpsl, the system's clock.
///
/// `size` is sizeof(tuile_jar_config), as the caller was compiled: an older program has a
/// shorter struct, and no byte behind it is written. Before 0.2 it was not asked for.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
/// Since 0.1.
@_cdecl("tuile_jar_config_init")
public func tuile_jar_config_init(_ config: UnsafeMutablePointer<tuile_jar_config>?, _ size: size_t) -> tuile_status {
  initialize(config, size)
}

/// Sets all fields to what TUILE_JAR_REQUEST_INIT sets: no URL, the same site,
/// not a script.
///
/// `size` is sizeof(tuile_jar_request), as the caller was compiled: an older program has a
/// shorter struct, and no byte behind it is written. Before 0.2 it was not asked for.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
/// Since 0.1.
@_cdecl("tuile_jar_request_init")
public func tuile_jar_request_init(
  _ request: UnsafeMutablePointer<tuile_jar_request>?, _ size: size_t
) -> tuile_status {
  initialize(request, size)
}

/// Makes an empty jar. `*jar` is the caller's, to be freed with tuile_jar_free.
///
/// `config` is copied; NULL is TUILE_JAR_CONFIG_INIT. Its callbacks and their
/// contexts must outlive the jar.
///
/// Returns TUILE_OK; TUILE_E_MISSING if libpsl is wanted and not installed;
/// TUILE_E_ARGUMENT for NULL, a limit of 0 or a struct of a size that no version has;
/// TUILE_E_RANDOM; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_jar_new")
public func tuile_jar_new(
  _ config: UnsafePointer<tuile_jar_config>?, _ jar: UnsafeMutablePointer<UnsafeMutablePointer<tuile_jar>?>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let jar else { throw .argument("jar is NULL") }
    let given: tuile_jar_config
    if let config { given = try tuile_jar_config(given: config) } else { given = .standard() }
    jar.pointee = Handle.give(try Jar.make(given))
    return TUILE_OK
  }
}

/// Frees a jar and wipes its cookies. NULL is fine. No call with it may be under
/// way. Since 0.1.
@_cdecl("tuile_jar_free")
public func tuile_jar_free(_ jar: UnsafeMutablePointer<tuile_jar>?) {
  guard let jar else { return }
  let _: Jar = Handle.take(jar)
}

/// Takes the value of one Set-Cookie header of a response.
///
/// The cookie is stored, or replaces the one of the same name, domain and path,
/// or, if it has expired, removes that. Where there are too many of one site then,
/// what expired goes, or else one that is not Secure, of the lowest Priority, used
/// longest ago; where there are too many in all, the one used longest ago.
///
/// Returns TUILE_OK if a browser would take the cookie; TUILE_E_SYNTAX for a control
/// character, or neither name nor value; TUILE_E_LIMIT for more than 4096 octets
/// of name and value, or 1024 of the path; TUILE_E_RULE for whatever else makes
/// browsers ignore it, with the reason as message; TUILE_E_SYNTAX or TUILE_E_LIMIT
/// also for a URL that is none (`offset` says where); TUILE_E_ARGUMENT;
/// TUILE_E_MEMORY. Since 0.1; RFC 6265bis, section 5.7.
@_cdecl("tuile_jar_receive")
public func tuile_jar_receive(
  _ jar: UnsafeMutablePointer<tuile_jar>?, _ request: UnsafePointer<tuile_jar_request>?, _ set_cookie: tuile_bytes,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(jar, error) { (jar) throws(Failure) in
    guard let header = Bytes(set_cookie) else { throw .argument("set_cookie is NULL and has a size") }
    try withScratch(Jar.Request.room) { (room) throws(Failure) in
      let request = try Jar.Request(request, room)
      try jar.locked { () throws(Failure) in try jar.receive(header, request) }
    }
    return TUILE_OK
  }
}

/// Writes the value of the Cookie header for a request: cookies of longer paths
/// first, then older ones.
///
/// `*size`, which may be NULL, gets the size that is needed, also for
/// TUILE_E_SPACE. The buffer is written only on success. A server may set cookies
/// of 180 × 4 KB: hosts that send them on should bound what they take.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is no cookie to send; TUILE_E_SPACE;
/// TUILE_E_SYNTAX or TUILE_E_LIMIT for a URL that is none; TUILE_E_ARGUMENT.
/// Since 0.1; RFC 6265bis, section 5.8.
@_cdecl("tuile_jar_header")
public func tuile_jar_header(
  _ jar: UnsafeMutablePointer<tuile_jar>?, _ request: UnsafePointer<tuile_jar_request>?,
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(jar, error) { (jar) throws(Failure) in
    try withScratch(Jar.Request.room) { (room) throws(Failure) in
      let request = try Jar.Request(request, room)
      return try jar.locked { () throws(Failure) in
        var counter = ByteWriter()
        guard jar.write(request, to: &counter) > 0 else { return TUILE_ABSENT }
        return writing(buffer, capacity, size, known: counter.count) { _ = jar.write(request, to: &$0) }
      }
    }
  }
}

/// Counts the cookies that have not expired.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL. Since 0.1.
@_cdecl("tuile_jar_count")
public func tuile_jar_count(
  _ jar: UnsafeMutablePointer<tuile_jar>?, _ count: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  using(jar, nil) { (jar) throws(Failure) in
    guard let count else { throw .argument("count is NULL") }
    count.pointee = try jar.locked { () throws(Failure) in jar.count() }
    return TUILE_OK
  }
}

/// Forgets the cookies that have no Max-Age and no Expires, as a browser does
/// when it is closed.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL. Since 0.1.
@_cdecl("tuile_jar_end_session")
public func tuile_jar_end_session(_ jar: UnsafeMutablePointer<tuile_jar>?) -> tuile_status {
  using(jar, nil) { (jar) throws(Failure) in
    try jar.locked { () throws(Failure) in jar.endSession() }
    return TUILE_OK
  }
}

/// Adds the cookies of a file in the Netscape format, which curl writes, to the
/// jar. As curl does, it takes lines with blanks before them, ends in fractions of
/// a second, lines without a path, and Set-Cookie headers, which have to name a
/// Domain here. Lines that are no cookie or that no response could have set are
/// passed over; `*skipped`, which may be NULL, gets how many. Cookies that have expired are
/// not kept.
///
/// Returns TUILE_OK; TUILE_ABSENT if there is no such file; TUILE_E_FILE if it
/// can't be read; TUILE_E_LIMIT for more than 64 MiB; TUILE_E_ARGUMENT for NULL or
/// a path with a NUL in it; TUILE_E_MEMORY. Since 0.1, with `skipped`
/// since 0.2.
@_cdecl("tuile_jar_load")
public func tuile_jar_load(
  _ jar: UnsafeMutablePointer<tuile_jar>?, _ path: tuile_bytes, _ skipped: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(jar, error) { (jar) throws(Failure) in
    var data: UnsafeMutableRawPointer?
    var size = 0
    let failure = try withPath(path) { sys_file_read($0, SYS_OTHERS_ALL, 64 &<< 20, &data, &size) }
    guard failure == 0, let data else {
      if failure == ENOENT { return TUILE_ABSENT }
      if failure == EFBIG { throw .limit("the file has more than 64 MiB") }
      throw .file("the file could not be read", failure)
    }
    defer {
      sys_wipe(data, size)
      free(data)
    }
    let text = Bytes(UnsafePointer(data.assumingMemoryBound(to: UInt8.self)), size)
    let passed = try jar.locked { () throws(Failure) in try jar.load(text) }
    skipped?.pointee = passed
    return TUILE_OK
  }
}

/// Writes the jar to a file in the Netscape format, which curl reads. The file is
/// replaced in one step, synced to disk, and readable by its owner alone.
///
/// `session_cookies`: also those that end with the session. SameSite, Priority and
/// partitions are kept in comments that other programs pass over; they see no
/// Partitioned cookie. Cookies without a name, or with a tab in name, value or path, are
/// left out, since the format can't hold them.
///
/// Returns TUILE_OK; TUILE_E_FILE if it can't be written, with the old file as it
/// was; TUILE_E_ARGUMENT for NULL or a path with a NUL in it; TUILE_E_MEMORY.
/// Since 0.1.
@_cdecl("tuile_jar_save")
public func tuile_jar_save(
  _ jar: UnsafeMutablePointer<tuile_jar>?, _ path: tuile_bytes, _ session_cookies: Bool,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  using(jar, error) { (jar) throws(Failure) in
    try withPath(path) { (path) throws(Failure) in
      var buffer = ByteBuffer()
      defer { buffer.wipe() }
      try jar.locked { () throws(Failure) in try jar.save(sessionCookies: session_cookies, to: &buffer) }
      let failure = sys_file_replace(path, buffer.bytes.start, buffer.bytes.count)
      guard failure == 0 else { throw .file("the file could not be written", failure) }
      return TUILE_OK
    }
  }
}

private func using(
  _ handle: UnsafeMutablePointer<tuile_jar>?, _ error: UnsafeMutablePointer<tuile_error>?,
  _ body: (Jar) throws(Failure) -> tuile_status
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let handle else { throw .argument("the jar is NULL") }
    return try body(Handle.borrow(UnsafePointer(handle)))
  }
}

extension Jar {
  /// What a caller of the C interface gave.
  fileprivate static func make(_ config: tuile_jar_config) throws(Failure) -> Jar {
    guard config.max_per_site != 0, config.max_cookies != 0 else { throw .argument("a limit is 0") }
    let suffixes: PublicSuffixes
    if let callback = config.public_suffix {
      suffixes = .callback(callback, config.public_suffix_context)
    } else {
      switch config.suffixes {
      case TUILE_SUFFIXES_LIBPSL: suffixes = try .system()
      case TUILE_SUFFIXES_LABEL: suffixes = .label
      default: throw .argument("suffixes is no tuile_suffixes")
      }
    }
    let limits = Limits(perSite: config.max_per_site, total: config.max_cookies)
    return try make(limits, suffixes, clock: config.clock, context: config.clock_context)
  }
}

extension Jar.Request {
  /// For the addresses of URL and page.
  fileprivate static let room = 2 &* HostName.largestAddress

  /// What a caller of the C interface gave.
  fileprivate init(
    _ request: UnsafePointer<tuile_jar_request>?, _ room: UnsafeMutablePointer<UInt8>
  ) throws(Failure) {
    guard let request else { throw .argument("the request is NULL") }
    let fields = try tuile_jar_request(given: request)
    guard let url = Bytes(fields.url), let top = Bytes(fields.top_level_site) else {
      throw .argument("a view of the request is NULL and has a size")
    }
    let context: Jar.Context
    switch fields.context {
    case TUILE_SITE_SAME: context = .same
    case TUILE_SITE_NAVIGATION: context = .navigation
    case TUILE_SITE_CROSS: context = .cross
    default: throw .argument("context is no tuile_site_context")
    }
    self.init(
      url: try JarURL(url, room), topLevel: top.isEmpty ? nil : try JarURL(top, room + HostName.largestAddress),
      context: context, script: fields.script)
  }
}
