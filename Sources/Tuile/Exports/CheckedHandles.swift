import CSystem
import CTuile

// In a build with TUILE_CHECK_HANDLES the process ends, with a message that names the object, where a handle is
// used after its end, ended twice, of another kind, or a session of two threads at once. Not in what is shipped.
#if TUILE_CHECK_HANDLES
  /// What a handle is of.
  protocol CheckedHandle {
    static var kind: Int32 { get }
  }

  extension tuile_session: CheckedHandle {
    static var kind: Int32 { Int32(SYS_HANDLE_SESSION) }
  }
  extension tuile_manager: CheckedHandle {
    static var kind: Int32 { Int32(SYS_HANDLE_MANAGER) }
  }
  extension tuile_store: CheckedHandle {
    static var kind: Int32 { Int32(SYS_HANDLE_STORE) }
  }
  extension tuile_signer: CheckedHandle {
    static var kind: Int32 { Int32(SYS_HANDLE_SIGNER) }
  }
  extension tuile_keyring: CheckedHandle {
    static var kind: Int32 { Int32(SYS_HANDLE_KEYRING) }
  }
  extension tuile_jar: CheckedHandle {
    static var kind: Int32 { Int32(SYS_HANDLE_JAR) }
  }
  extension tuile_queue: CheckedHandle {
    static var kind: Int32 { Int32(SYS_HANDLE_QUEUE) }
  }

  /// As in Boundary.swift.
  enum Handle {
    static func give<Object: AnyObject, Opaque: CheckedHandle>(_ object: Object) -> UnsafeMutablePointer<Opaque> {
      sys_handle_new(Unmanaged.passRetained(object).toOpaque(), Opaque.kind, nil).assumingMemoryBound(to: Opaque.self)
    }

    /// Its manager has to be there as long as it.
    static func give(_ session: Session) -> UnsafeMutablePointer<tuile_session> {
      let manager = Unmanaged.passUnretained(session.manager).toOpaque()
      return sys_handle_new(Unmanaged.passRetained(session).toOpaque(), tuile_session.kind, manager)
        .assumingMemoryBound(to: tuile_session.self)
    }

    static func borrow<Object: AnyObject, Opaque: CheckedHandle>(_ handle: UnsafePointer<Opaque>) -> Object {
      Unmanaged<Object>.fromOpaque(sys_handle_object(handle, Opaque.kind)).takeUnretainedValue()
    }

    static func take<Object: AnyObject, Opaque: CheckedHandle>(_ handle: UnsafePointer<Opaque>) -> Object {
      Unmanaged<Object>.fromOpaque(sys_handle_end(handle, Opaque.kind)).takeRetainedValue()
    }

    static func enter(_ session: UnsafePointer<tuile_session>) { sys_handle_enter(session, tuile_session.kind) }
    static func leave(_ session: UnsafePointer<tuile_session>) { sys_handle_leave(session) }
  }
#endif
