import CPostgreSQL
import CSystem
import CTuile

/// What this process knows of the table tuile_session_owner, which is made when
/// the first session gets an owner.
final class OwnerTable {
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

extension PostgreSQLStore {
  /// Whether there is a table of owners.
  func hasOwners() throws(Failure) -> Bool {
    if owners.isKnown { return true }
    guard case .answered(let answer) = try run(script: Schema.hasOwners), answer.rows > 0 else { return false }
    owners.isKnown = true
    return true
  }

  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    if !owners.isKnown { owners.isKnown = try hasTable(Schema.probeOwners, Schema.owners, Schema.owners) }
    _ = try run(.own) {
      $0.text(key)
      $0.text(owner)
      $0.text(record)
    }
  }

  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    guard try hasOwners() else { return }
    var last = ByteBuffer()
    while true {
      let answer = try run(.owned) {
        $0.text(owner)
        $0.time(now)
        $0.text(last.bytes)
        $0.number(PostgreSQLStore.page)
      }
      let rows = answer.rows
      var row = 0
      while row < rows {
        each(answer.text(row, 0), answer.text(row, 1), answer.time(row, 2))
        row &+= 1
      }
      guard rows == PostgreSQLStore.page else { return }
      last.removeAll()
      last.append(answer.text(rows &- 1, 0))
      guard !last.failed else { throw .memory }
    }
  }

  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    guard try hasOwners() else { return false }
    let answer = try run(.ownedRecord) {
      $0.text(key)
      $0.text(owner)
    }
    guard answer.rows > 0 else { return false }
    record.append(answer.text(0, 0))
    guard !record.failed else { throw .memory }
    return true
  }

  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) {
    guard try hasOwners() else { return }
    _ = try run(.disown) {
      $0.text(key)
      $0.text(owner)
    }
  }

  /// Looks at the next entries, and removes those whose sessions are gone: each
  /// call goes on where the last one stopped, and starts again behind the end.
  func sweepOwners() throws(Failure) {
    guard try hasOwners() else { return }
    var from = ByteBuffer()
    owners.copyPosition(to: &from)
    let next = try run(.nextOwners) {
      $0.text(from.bytes)
      $0.number(PostgreSQLStore.page)
    }
    let rows = next.rows
    guard rows > 0 else { return owners.move(to: Bytes()) }
    let to = next.text(rows &- 1, 0)
    _ = try run(.sweepOwners) {
      $0.text(from.bytes)
      $0.text(to)
    }
    owners.move(to: rows == PostgreSQLStore.page ? to : Bytes())
  }
}
