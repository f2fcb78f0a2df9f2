import CTuile

/// Calls of several sessions at once: the loads read one state, and the writes are one
/// transaction, with those of other threads that wait.
extension SQLiteStore {
  var mostTogether: Int { 64 }

  func together(_ first: StoreCall) {
    var (loads, writes) = (false, false)
    first.each { if $0.isLoad { loads = true } else { writes = true } }
    if loads {
      each(of: first, loads: true) { (calls) throws(Failure) in
        try reading { (connection) throws(Failure) in try connection.readTogether { calls(connection) } }
      }
    }
    if writes {
      each(of: first, loads: false) { (calls) throws(Failure) in
        try writing(isMany: true) { (connection) throws(Failure) in calls(connection) }
      }
    }
  }

  /// `run` makes the calls on a connection, perhaps more than once; what it throws is of all.
  private func each(
    of first: StoreCall, loads: Bool, _ run: ((SQLiteConnection) -> Void) throws(Failure) -> Void
  ) {
    do throws(Failure) {
      try run { connection in
        first.each { (call) in
          if call.isLoad == loads { SQLiteStore.make(call, connection) }
        }
      }
    } catch {
      first.each { if $0.isLoad == loads { $0.fail(error) } }
    }
  }

  private static func make(_ call: StoreCall, _ connection: SQLiteConnection) {
    call.answer { (call) throws(Failure) in
      switch call.operation {
      case TUILE_STORE_LOAD:
        var found = ByteBuffer()
        let expires = try connection.load(call.key, now: call.time) { found.append($0) }
        guard let expires else { return call.answer(TUILE_ABSENT) }
        guard !found.failed else { throw .memory }
        call.answer(found: found.bytes, expires: expires)
      case TUILE_STORE_CREATE:
        let isNew = try connection.insert(.create, call.key, call.data, call.time) == 1
        call.answer(isNew ? TUILE_OK : TUILE_EXISTS)
      default:
        let replaced = try connection.replace(
          call.key, expected: call.expected, data: call.data, expires: call.time)
        call.answer(replaced: replaced)
      }
    }
  }
}
