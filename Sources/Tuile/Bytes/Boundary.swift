import CSystem
import CTuile

#if !TUILE_CHECK_HANDLES
  /// Every handle that crosses the boundary is retained here, on its way out, and
  /// released here, when it is freed; nowhere else.
  enum Handle {
    static func give<Object: AnyObject, Opaque>(_ object: Object) -> UnsafeMutablePointer<Opaque> {
      Unmanaged.passRetained(object).toOpaque().assumingMemoryBound(to: Opaque.self)
    }

    static func borrow<Object: AnyObject, Opaque>(_ handle: UnsafePointer<Opaque>) -> Object {
      Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
    }

    static func take<Object: AnyObject, Opaque>(_ handle: UnsafePointer<Opaque>) -> Object {
      Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).takeRetainedValue()
    }

    /// A session is used, until `leave`: nothing to note here.
    static func enter(_ session: UnsafePointer<tuile_session>) {}
    static func leave(_ session: UnsafePointer<tuile_session>) {}
  }
#endif

/// Writes a failure into the caller's `tuile_error` and returns its status.
func report(_ failure: Failure, _ error: UnsafeMutablePointer<tuile_error>?) -> tuile_status {
  // An ordinary answer has no detail.
  guard let error, failure.status.rawValue < 0 else { return failure.status }
  let message = Bytes(failure.message)
  let detail = failure.detail?.text.bytes ?? Bytes()
  sys_error_set(error, failure.status.rawValue, failure.offset, message.lent, detail.lent)
  return failure.status
}

/// Runs what an export does and maps how it ends.
func answering(
  _ detail: UnsafeMutablePointer<tuile_error>?, _ body: () throws(Failure) -> tuile_status
) -> tuile_status {
  do {
    return try body()
  } catch {
    return report(error, detail)
  }
}
