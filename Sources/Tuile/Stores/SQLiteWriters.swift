import CSystem
import CTuile

/// The threads of this process that want to change the file. One at a time has it, and
/// makes the changes of those who wait in one transaction with its own: what a disk
/// does slowly is done once for all of them. Where nobody waits nothing is different.
///
/// Nothing waits for others to come, and each has its own answer: where a transaction
/// can't be, its changes are made one by one.
final class SQLiteWriters {
  typealias Body = (SQLiteConnection) -> Void

  /// One thread's change, on its stack while it waits.
  private struct Change {
    /// First, so that the line's entries are changes.
    var entry = sys_group_entry()
    let body: Body
    /// It is more than one by itself.
    let isMany: Bool
    /// Of the transaction; of the change itself its body knows.
    var failure: Failure?
  }

  /// Changes of one transaction: others read from its start on, and processes wait for it.
  private static let most: Int32 = 64

  private let line: UnsafeMutablePointer<sys_group>
  private let waitMilliseconds: Int32

  init(waitMilliseconds: Int32) {
    line = .allocate(capacity: 1)
    line.initialize(to: sys_group())
    sys_group_init(line)
    self.waitMilliseconds = waitMilliseconds
  }

  deinit {
    sys_group_destroy(line)
    line.deallocate()
  }

  func write<Answer>(
    on store: SQLiteStore, isMany: Bool = false, _ body: (SQLiteConnection) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    var answer: Result<Answer, Failure>?
    let run = { (connection: SQLiteConnection) in
      do throws(Failure) {
        answer = .success(try body(connection))
      } catch {
        answer = .failure(error)
      }
    }
    try withoutActuallyEscaping(run) { (run) throws(Failure) in try wait(Change(body: run, isMany: isMany), store) }
    guard let answer else { throw .memory }
    return try answer.get()
  }

  private func wait(_ change: consuming Change, _ store: SQLiteStore) throws(Failure) {
    let place = UnsafeMutablePointer<Change>.allocate(capacity: 1)
    place.initialize(to: change)
    defer {
      place.deinitialize(count: 1)
      place.deallocate()
    }
    let turn = UnsafeMutableRawPointer(place).withMemoryRebound(to: sys_group_entry.self, capacity: 1) {
      sys_group_enter(line, $0, waitMilliseconds)
    }
    switch Int(turn) {
    case SYS_GROUP_LEADS: lead(place, store)
    case SYS_GROUP_DONE: break
    default: throw Failure(status: TUILE_E_BUSY, message: "the session database had too many writers for too long")
    }
    if let failure = place.pointee.failure { throw failure }
  }
  private func lead(_ own: UnsafeMutablePointer<Change>, _ store: SQLiteStore) {
    let taken = sys_group_take(line, SQLiteWriters.most &- 1)
    defer { sys_group_leave(line, taken) }
    own.pointee.entry.next = taken
    if taken != nil || own.pointee.isMany, together(own, store) { return }
    each(own) { (change) in
      do throws(Failure) {
        try store.using { (connection) throws(Failure) in
          change.pointee.body(connection)
          try SQLiteWriters.checkPlace(connection)
        }
      } catch {
        change.pointee.failure = error
      }
    }
  }

  /// false if the changes have to be made one by one.
  private func together(_ first: UnsafeMutablePointer<Change>, _ store: SQLiteStore) -> Bool {
    var wasMade = false
    do throws(Failure) {
      try store.using { (connection) throws(Failure) in
        try connection.together { each(first) { $0.pointee.body(connection) } }
        wasMade = true
        try SQLiteWriters.checkPlace(connection)
      }
    } catch {
      // One by one each would wait for the other process as long as this did.
      guard error.status == TUILE_E_BUSY || wasMade else { return false }
      each(first) { $0.pointee.failure = error }
    }
    return true
  }

  private func each(_ first: UnsafeMutablePointer<Change>, _ body: (UnsafeMutablePointer<Change>) -> Void) {
    var at: UnsafeMutablePointer<Change>? = first
    while let change = at {
      at = change.pointee.entry.next.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: Change.self) }
      body(change)
    }
  }

  /// Throws if the change was made in a file that nobody finds any more.
  private static func checkPlace(_ connection: SQLiteConnection) throws(Failure) {
    guard connection.hasMoved else { return }
    throw Failure(status: TUILE_E_STORE, message: "the session database's file was replaced during the change")
  }
}
