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

/// The statements on sessions, on the table of records: each ends with a NUL.
final class RecordStatements {
  private var text = ByteBuffer()
  /// Where each begins, by its number.
  private let starts: UnsafeMutablePointer<Int>
  private static let count = Statement.sweep.rawValue &+ 1

  init() {
    starts = .allocate(capacity: RecordStatements.count)
    for i in Indices(RecordStatements.count) {
      starts[i] = text.count
      if let statement = Statement(rawValue: i) { write(Bytes(statement.sql)) }
      text.append(0)
    }
  }

  deinit { starts.deallocate() }

  private func write(_ sql: Bytes) {
    text.append(sql, replacing: "django_session", with: "tuile_session_record")
  }

  /// nil for a statement that is not on sessions, or without memory.
  func sql(_ statement: Statement) -> UnsafePointer<CChar>? {
    guard statement.rawValue < RecordStatements.count, !text.failed else { return nil }
    let rest = text.bytes.dropFirst(starts[statement.rawValue])
    return UnsafeRawPointer(rest.start).assumingMemoryBound(to: CChar.self)
  }
}
