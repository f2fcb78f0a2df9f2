import CSockets
import CSystem
import CTuile

/// What a URL says of TLS. Complete when it is made, and only read after.
struct TLSSettings {
  var verify = true
  var authorities: CText?
  var certificate: CText?
  var key: CText?
  /// What certificates are for, in place of the host that was asked for.
  var serverName: CText?

  var isStandard: Bool {
    verify && authorities == nil && certificate == nil && key == nil && serverName == nil
  }

  /// false if the option is none of these.
  mutating func take(_ option: URLText.Option) throws(Failure) -> Bool {
    if option.name == Bytes("verify") {
      guard option.value == Bytes("none") || option.value == Bytes("peer") else { return false }
      verify = option.value == Bytes("peer")
      return true
    }
    guard !option.value.isEmpty else { return false }
    if option.name == Bytes("ca") {
      authorities = try CText.decoded(option.value)
    } else if option.name == Bytes("certificate") {
      certificate = try CText.decoded(option.value)
    } else if option.name == Bytes("key") {
      key = try CText.decoded(option.value)
    } else if option.name == Bytes("server_name") {
      serverName = try CText.decoded(option.value)
    } else {
      return false
    }
    return true
  }
}

/// What TLS needs, made when it is first needed. A child of fork() makes its own: locks of
/// the parent's may be held for ever.
final class TLSKeeper {
  private var mutex = sys_mutex()
  private var tls: OpaquePointer?
  private var generation = sys_fork_generation()

  init() { sys_mutex_init(&mutex) }

  deinit {
    sys_mutex_destroy(&mutex)
    if generation == sys_fork_generation() { cs_tls_free(tls) }
  }

  func secured(_ settings: TLSSettings) throws(Failure) -> OpaquePointer {
    sys_mutex_lock(&mutex)
    let known = generation == sys_fork_generation() ? tls : nil
    sys_mutex_unlock(&mutex)
    if let known { return known }
    let made = try withScratch(Int(CS_WHY)) { (room) throws(Failure) -> OpaquePointer in
      let why = UnsafeMutableRawPointer(room).assumingMemoryBound(to: CChar.self)
      guard
        let tls = cs_tls_new(
          settings.authorities?.start, settings.certificate?.start, settings.key?.start, settings.verify, why)
      else {
        throw Failure(status: TUILE_E_STORE, message: "TLS can't be set up", detail: Failure.Detail(why))
      }
      return tls
    }
    sys_mutex_lock(&mutex)
    let other = generation == sys_fork_generation() ? tls : nil
    if other == nil {
      tls = made
      generation = sys_fork_generation()
    }
    sys_mutex_unlock(&mutex)
    guard let other else { return made }
    cs_tls_free(made)
    return other
  }
}
