import CSystem
import CTuile

/// A struct of the C interface that begins with its size and grows only at its end. A
/// caller's may be shorter or longer than today's: it is read and written through this alone.
protocol Sized {
  static var kind: sys_struct { get }
  /// For messages.
  static var typeName: StaticString { get }
  init()
}

extension Sized {
  /// Today's struct: with what the caller's has, and the defaults of what it has not.
  init(given caller: UnsafePointer<Self>) throws(Failure) {
    self.init()
    try Self.check(withUnsafeMutablePointer(to: &self) { sys_sized_read(Self.kind, caller, $0) })
  }

  /// Sets the fields that the caller's struct has.
  func store(in caller: UnsafeMutablePointer<Self>) throws(Failure) {
    try Self.check(withUnsafePointer(to: self) { sys_sized_write(Self.kind, $0, caller) })
  }

  /// Every field at its default.
  static func standard() -> Self {
    var whole = Self()
    _ = withUnsafeMutablePointer(to: &whole) { sys_sized_init(kind, $0, MemoryLayout<Self>.size) }
    return whole
  }

  private static func check(_ fit: sys_fit) throws(Failure) {
    let message: StaticString
    switch fit {
    case SYS_FITS: return
    case SYS_FITS_NEWER: message = "a struct of a newer version sets a field that this library does not know"
    default: message = "no version's struct has this size: its _INIT macro or _init function sets it"
    }
    throw Failure(status: TUILE_E_ARGUMENT, message: message, detail: Failure.Detail(Bytes(typeName)))
  }
}

/// What each _init function does.
func initialize<Struct: Sized>(_ caller: UnsafeMutablePointer<Struct>?, _ size: size_t) -> tuile_status {
  guard let caller, sys_sized_init(Struct.kind, caller, size) else { return TUILE_E_ARGUMENT }
  return TUILE_OK
}

extension tuile_cookies: Sized {
  static var kind: sys_struct { SYS_COOKIES }
  static var typeName: StaticString { "tuile_cookies" }
}

extension tuile_set_cookie: Sized {
  static var kind: sys_struct { SYS_SET_COOKIE }
  static var typeName: StaticString { "tuile_set_cookie" }
}

extension tuile_django_cookie: Sized {
  static var kind: sys_struct { SYS_DJANGO_COOKIE }
  static var typeName: StaticString { "tuile_django_cookie" }
}

extension tuile_jar_config: Sized {
  static var kind: sys_struct { SYS_JAR_CONFIG }
  static var typeName: StaticString { "tuile_jar_config" }
}

extension tuile_jar_request: Sized {
  static var kind: sys_struct { SYS_JAR_REQUEST }
  static var typeName: StaticString { "tuile_jar_request" }
}

extension tuile_signer_config: Sized {
  static var kind: sys_struct { SYS_SIGNER_CONFIG }
  static var typeName: StaticString { "tuile_signer_config" }
}

extension tuile_signing: Sized {
  static var kind: sys_struct { SYS_SIGNING }
  static var typeName: StaticString { "tuile_signing" }
}

extension tuile_verification: Sized {
  static var kind: sys_struct { SYS_VERIFICATION }
  static var typeName: StaticString { "tuile_verification" }
}

extension tuile_url_parameter: Sized {
  static var kind: sys_struct { SYS_URL_PARAMETER }
  static var typeName: StaticString { "tuile_url_parameter" }
}

extension tuile_hidden_field: Sized {
  static var kind: sys_struct { SYS_HIDDEN_FIELD }
  static var typeName: StaticString { "tuile_hidden_field" }
}

extension tuile_csrf_request: Sized {
  static var kind: sys_struct { SYS_CSRF_REQUEST }
  static var typeName: StaticString { "tuile_csrf_request" }
}

extension tuile_store_ops: Sized {
  static var kind: sys_struct { SYS_STORE_OPS }
  static var typeName: StaticString { "tuile_store_ops" }
}

extension tuile_config: Sized {
  static var kind: sys_struct { SYS_CONFIG }
  static var typeName: StaticString { "tuile_config" }
}

extension tuile_stats: Sized {
  static var kind: sys_struct { SYS_STATS }
  static var typeName: StaticString { "tuile_stats" }
}

extension tuile_copying: Sized {
  static var kind: sys_struct { SYS_COPYING }
  static var typeName: StaticString { "tuile_copying" }
}

extension tuile_latency: Sized {
  static var kind: sys_struct { SYS_LATENCY }
  static var typeName: StaticString { "tuile_latency" }
}

extension tuile_device_request: Sized {
  static var kind: sys_struct { SYS_DEVICE_REQUEST }
  static var typeName: StaticString { "tuile_device_request" }
}

extension tuile_device_answer: Sized {
  static var kind: sys_struct { SYS_DEVICE_ANSWER }
  static var typeName: StaticString { "tuile_device_answer" }
}

extension tuile_queue_config: Sized {
  static var kind: sys_struct { SYS_QUEUE_CONFIG }
  static var typeName: StaticString { "tuile_queue_config" }
}
