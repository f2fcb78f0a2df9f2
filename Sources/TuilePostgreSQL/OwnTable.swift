import CPostgreSQL
import CSystem
import CTuile

/// What this process knows of a table of ours beside Django's, which is made when it is
/// first needed.
final class OwnTable {
  private var mutex = sys_mutex()
  private var known = false
  /// Behind which key the next sweep goes on.
  private var position = ByteBuffer()

  init() { sys_mutex_init(&mutex) }
  deinit { sys_mutex_destroy(&mutex) }

  var isKnown: Bool {
    get {
      sys_mutex_lock(&mutex)
      defer { sys_mutex_unlock(&mutex) }
      return known
    }
    set {
      sys_mutex_lock(&mutex)
      known = newValue
      sys_mutex_unlock(&mutex)
    }
  }

  func copyPosition(to copy: inout ByteBuffer) {
    sys_mutex_lock(&mutex)
    copy.append(position.bytes)
    sys_mutex_unlock(&mutex)
  }

  func move(to key: Bytes) {
    sys_mutex_lock(&mutex)
    position.removeAll()
    position.append(key)
    sys_mutex_unlock(&mutex)
  }
}
