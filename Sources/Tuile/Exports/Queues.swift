// Section 21: Queues, for event loops
// The calls that reach a store, made by a few threads of the library while the host's loop
// goes on: tuile_session_load, _commit and _flush and an owner's calls. Between a load and a
// commit no other function of a session waits. All functions of a queue are safe from all
// threads. A session that was given to a queue is the queue's until the completion is
// called, and other calls with it answer TUILE_E_BUSY. Completions are called by
// tuile_queue_run and tuile_queue_close on the thread that calls those, or on threads of the
// queue with `deliver_on_workers`. A store's own callbacks, `log`, `clock` and `wait` are
// called on threads of the queue.

import CTuile

/// Sets all fields to what TUILE_QUEUE_CONFIG_INIT sets.
///
/// Pass sizeof(tuile_queue_config) as `size`.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has. Since 0.2.
@_cdecl("tuile_queue_config_init")
public func tuile_queue_config_init(
  _ config: UnsafeMutablePointer<tuile_queue_config>?, _ size: size_t
) -> tuile_status {
  initialize(config, size)
}

/// Opens a queue to a manager's store. `*queue` is the caller's, to be closed with
/// tuile_queue_close, before or after its manager.
///
/// `config` may be NULL for the defaults. The queue is of the process that opens it: in a
/// child of fork() its functions answer TUILE_E_ARGUMENT, but for tuile_queue_close, and the
/// child opens its own. Nothing of it runs while nothing waits.
///
/// Every operation is answered once, at the latest `deadline` milliseconds after it was
/// given. What has not begun by then is not done, and its completion gets TUILE_E_BUSY; so
/// does a load that has begun. Of a change that has begun it is TUILE_E_UNKNOWN: it may
/// still be made, and the session stays the queue's until the store has answered.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, a number out of its range or a struct of a
/// size that no version has; TUILE_E_FILE if there is no descriptor to be had;
/// TUILE_E_MEMORY, also if there is no thread. Since 0.2.
@_cdecl("tuile_queue_open")
public func tuile_queue_open(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ config: UnsafePointer<tuile_queue_config>?,
  _ queue: UnsafeMutablePointer<UnsafeMutablePointer<tuile_queue>?>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let manager, let queue else { throw .argument("manager or queue is NULL") }
    var given = tuile_queue_config.standard()
    if let config { given = try tuile_queue_config(given: config) }
    queue.pointee = Handle.give(try Queue.make(Handle.borrow(manager), given))
    return TUILE_OK
  }
}

/// A descriptor that can be read from while completions wait for tuile_queue_run. It stays
/// the queue's: poll it, and do not read or close it.
///
/// -1 for NULL, with `deliver_on_workers`, and in a child of fork(). Since 0.2.
@_cdecl("tuile_queue_fd")
public func tuile_queue_fd(_ queue: UnsafePointer<tuile_queue>?) -> Int32 {
  guard let queue else { return -1 }
  let object: Queue = Handle.borrow(queue)
  return object.isParents ? -1 : max(-1, object.event)
}

/// Calls the completions of what is answered, at most those that wait when it begins.
///
/// `*called`, which may be NULL, gets how many there were. A completion may call any
/// function, also tuile_queue_close.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, and in a child of fork(). Since 0.2.
@_cdecl("tuile_queue_run")
public func tuile_queue_run(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ called: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  guard let queue else { return TUILE_E_ARGUMENT }
  let object: Queue = Handle.borrow(queue)
  guard !object.isParents else { return TUILE_E_ARGUMENT }
  let count = object.deliver()
  called?.pointee = count
  return TUILE_OK
}

/// Ends a queue. NULL is fine. What has not begun is cancelled, what has begun is waited
/// for, as long as the store's own limits let it take; all completions were called when this
/// returns. In a child of fork() none is called. Of a manager that is closed before, the
/// queues stop in the same way; their completions come with tuile_queue_run or this.
/// No other call may use the queue meanwhile but a completion's. Since 0.2.
@_cdecl("tuile_queue_close")
public func tuile_queue_close(_ queue: UnsafeMutablePointer<tuile_queue>?) {
  guard let queue else { return }
  let object: Queue = Handle.take(queue)
  object.close()
}

/// tuile_session_load in a queue.
///
/// After it the session's values are there without waiting. `complete` gets what
/// tuile_session_load returns, or what tuile_queue_open says of deadlines; never within this
/// call, but with `deliver_on_workers` perhaps before it returns. A session without an ID is
/// answered without the store. `*operation`, which may be NULL, gets a number for
/// tuile_queue_cancel.
///
/// Returns TUILE_OK, and `complete` will be called once; with anything else it never is:
/// TUILE_E_ARGUMENT for NULL, another manager's session, a queue whose manager is closed, or
/// a parent's; TUILE_E_BUSY if `max_waiting` operations wait, or a queue has the session;
/// TUILE_E_MEMORY. Since 0.2.
@_cdecl("tuile_queue_load")
public func tuile_queue_load(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ session: UnsafeMutablePointer<tuile_session>?,
  _ complete: tuile_complete?, _ context: UnsafeMutableRawPointer?, _ operation: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  queueing(queue, session, operation, error) { (session) in
    Operation(.load, session, Operation.Host(complete: complete, context: context))
  }
}

/// tuile_session_commit in a queue.
///
/// `add_header`, which may be NULL, is called with `header_context` for each header of the
/// response, right before `complete` and on the same thread: after the store has saved. What
/// ends by its deadline has none. With TUILE_E_UNKNOWN the commit can be given again.
///
/// Returns as tuile_queue_load. Since 0.2.
@_cdecl("tuile_queue_commit")
public func tuile_queue_commit(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ session: UnsafeMutablePointer<tuile_session>?,
  _ http_status: Int32, _ add_header: tuile_add_header?, _ header_context: UnsafeMutableRawPointer?,
  _ complete: tuile_complete?, _ context: UnsafeMutableRawPointer?, _ operation: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  queueing(queue, session, operation, error) { (session) in
    Operation(
      .commit(httpStatus: http_status), session,
      Operation.Host(
        complete: complete, context: context, addHeader: add_header, resultContext: header_context))
  }
}

/// tuile_session_flush in a queue: the session is deleted from the store when `complete`
/// gets TUILE_OK.
///
/// Returns as tuile_queue_load. Since 0.2.
@_cdecl("tuile_queue_flush")
public func tuile_queue_flush(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ session: UnsafeMutablePointer<tuile_session>?,
  _ complete: tuile_complete?, _ context: UnsafeMutableRawPointer?, _ operation: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  queueing(queue, session, operation, error) { (session) in
    Operation(.flush, session, Operation.Host(complete: complete, context: context))
  }
}

/// tuile_manager_sessions in a queue. `receive` is called with `receive_context`, right
/// before `complete` and on the same thread. `current`, which may be NULL, is the queue's
/// until then. The owner is borrowed for the call.
///
/// Returns as tuile_queue_load, and TUILE_E_ARGUMENT for an owner that can't be. Since 0.2.
@_cdecl("tuile_queue_sessions")
public func tuile_queue_sessions(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ owner: tuile_bytes, _ current: UnsafeMutablePointer<tuile_session>?,
  _ receive: tuile_receive_owned_session?, _ receive_context: UnsafeMutableRawPointer?,
  _ complete: tuile_complete?, _ context: UnsafeMutableRawPointer?, _ operation: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  owning(queue, owner, operation, error) { () throws(Failure) in
    guard receive != nil else { throw .argument("receive is NULL") }
    return Operation(
      .sessions, current.map { Handle.borrow($0) },
      Operation.Host(complete: complete, context: context, receive: receive, resultContext: receive_context))
  }
}

/// tuile_manager_revoke in a queue. Owner and id are borrowed for the call.
///
/// Returns as tuile_queue_load, and TUILE_E_ARGUMENT for an owner that can't be. Since 0.2.
@_cdecl("tuile_queue_revoke")
public func tuile_queue_revoke(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ owner: tuile_bytes, _ id: tuile_bytes,
  _ complete: tuile_complete?, _ context: UnsafeMutableRawPointer?, _ operation: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  owning(queue, owner, operation, error) { () throws(Failure) in
    guard let id = Bytes(id) else { throw .argument("the id is NULL") }
    let made = Operation(.revoke, nil, Operation.Host(complete: complete, context: context))
    made.id.append(id)
    guard !made.id.failed else { throw .memory }
    return made
  }
}

/// tuile_manager_revoke_all in a queue. `*revoked`, which may be NULL, is set right before
/// `complete` is called, and `keep`, which may be NULL, is the queue's until then. The owner
/// is borrowed for the call.
///
/// Returns as tuile_queue_load, and TUILE_E_ARGUMENT for an owner that can't be. Since 0.2.
@_cdecl("tuile_queue_revoke_all")
public func tuile_queue_revoke_all(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ owner: tuile_bytes, _ keep: UnsafeMutablePointer<tuile_session>?,
  _ revoked: UnsafeMutablePointer<size_t>?, _ complete: tuile_complete?, _ context: UnsafeMutableRawPointer?,
  _ operation: UnsafeMutablePointer<UInt64>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  owning(queue, owner, operation, error) { () throws(Failure) in
    Operation(
      .revokeAll, keep.map { Handle.borrow($0) },
      Operation.Host(complete: complete, context: context, revoked: revoked))
  }
}

/// Cancels an operation that has not begun: its completion gets TUILE_E_CANCELLED. To end
/// the session with tuile_session_end does that too, when its turn comes.
///
/// Returns TUILE_OK; TUILE_CONFLICT if it has begun: its completion gets its own answer;
/// TUILE_ABSENT if it is answered, or the number is of none; TUILE_E_ARGUMENT for NULL, and
/// in a child of fork(). Since 0.2.
@_cdecl("tuile_queue_cancel")
public func tuile_queue_cancel(_ queue: UnsafeMutablePointer<tuile_queue>?, _ operation: UInt64) -> tuile_status {
  guard let queue else { return TUILE_E_ARGUMENT }
  let object: Queue = Handle.borrow(queue)
  return object.cancel(operation)
}

private func queueing(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ session: UnsafeMutablePointer<tuile_session>?,
  _ number: UnsafeMutablePointer<UInt64>?, _ error: UnsafeMutablePointer<tuile_error>?,
  _ make: (Session) -> Operation
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let session else { throw .argument("the session is NULL") }
    return try give(queue, number, make(Handle.borrow(session)))
  }
}

private func owning(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ owner: tuile_bytes, _ number: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<tuile_error>?, _ make: () throws(Failure) -> Operation
) -> tuile_status {
  answering(error) { () throws(Failure) in
    let owner = try Owner.check(owner)
    let made = try make()
    made.owner.append(owner)
    guard !made.owner.failed else { throw .memory }
    return try give(queue, number, made)
  }
}

private func give(
  _ queue: UnsafeMutablePointer<tuile_queue>?, _ number: UnsafeMutablePointer<UInt64>?, _ operation: Operation
) throws(Failure) -> tuile_status {
  guard let queue, operation.host.complete != nil else { throw .argument("queue or complete is NULL") }
  let object: Queue = Handle.borrow(queue)
  // Before anybody can answer it.
  try object.add(operation) { number?.pointee = $0 }
  return TUILE_OK
}
