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

  init() { _ = sys_mutex_init(&mutex) }
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

/// The statements on sessions, on the table of notes: each ends with a NUL.
final class NoteStatements {
  private final class Text { var buffer = ByteBuffer() }
  private var texts: [Text] = []

  init() {
    var i = 0
    while let statement = Statement(rawValue: i), i <= Statement.sweep.rawValue {
      let text = Text()
      NoteStatements.write(Bytes(statement.sql), to: &text.buffer)
      texts.append(text)
      i &+= 1
    }
  }

  private static func write(_ sql: Bytes, to text: inout ByteBuffer) {
    let table = Bytes("django_session")
    var i = 0
    while i < sql.count {
      if sql.dropFirst(i).hasPrefix(table) {
        text.append("tuile_session_note")
        i &+= table.count
      } else {
        text.append(sql[i])
        i &+= 1
      }
    }
    text.append(0)
  }

  /// nil for a statement that is not on sessions, or without memory.
  func sql(_ statement: Statement) -> UnsafePointer<CChar>? {
    guard statement.rawValue < texts.count else { return nil }
    let text = texts[statement.rawValue]
    guard !text.buffer.failed else { return nil }
    return UnsafeRawPointer(text.buffer.bytes.start).assumingMemoryBound(to: CChar.self)
  }
}
