// Section 8: Operations
// What keeps sessions going in production: removing what is expired, a check,
// counters and times. All functions are safe from all threads.

import CSystem
import CTuile

/// Removes at most `limit` expired sessions from the store.
///
/// For a timer: a limit keeps one run short. `*removed`, which may be NULL, gets how many
/// there were; as many as `limit` means that there may be more.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY or
/// TUILE_E_CORRUPT if the store failed, was held by others or is damaged; TUILE_E_MEMORY.
/// Since 0.1.
@_cdecl("tuile_manager_sweep")
public func tuile_manager_sweep(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ limit: size_t, _ removed: UnsafeMutablePointer<size_t>?,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let manager else { throw .argument("the manager is NULL") }
    let object: Manager = Handle.borrow(manager)
    let count = try object.clearExpired(limit: limit < 0 ? Int.max : limit)
    removed?.pointee = count
    return TUILE_OK
  }
}

/// Reads the counters. The caller sets `stats->size`, as TUILE_STATS_INIT does.
///
/// Each is exact; together they are no snapshot while requests run.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a struct of a size that no version has.
/// Since 0.1.
@_cdecl("tuile_manager_stats")
public func tuile_manager_stats(
  _ manager: UnsafePointer<tuile_manager>?, _ stats: UnsafeMutablePointer<tuile_stats>?
) -> tuile_status {
  guard let manager, let stats else { return TUILE_E_ARGUMENT }
  let object: Manager = Handle.borrow(manager)
  var counts = tuile_stats()
  counts.loads = object.counters.loads.total
  counts.misses = object.counters.misses.total
  counts.saves = object.counters.saves.total
  counts.conflicts = object.counters.conflicts.total
  counts.deletes = object.counters.deletes.total
  counts.bad_signatures = object.counters.badSignatures.total
  counts.resurrections_refused = object.counters.resurrectionsRefused.total
  counts.store_failures = object.counters.storeFailures.total
  counts.old_secret_loads = object.counters.oldKeyLoads.total
  counts.touches = object.counters.touches.total
  counts.cookie_bytes = object.counters.cookieBytes.total
  counts.revoked = object.counters.revoked.total
  counts.swept = object.counters.swept.total
  return answering(nil) { () throws(Failure) in
    try counts.store(in: stats)
    return TUILE_OK
  }
}

/// Starts a thread that removes at most `limit` expired sessions every `seconds`,
/// a tenth more or less, so that not all processes do it at once.
///
/// No other thread is started but a queue's; it takes no signals, and ends with
/// tuile_manager_stop_sweeping or tuile_manager_close. A child of fork() has
/// none and may start its own. In place of one that runs already.
///
/// Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, 0 seconds or more than a year;
/// TUILE_E_MEMORY if there is no thread to be had. Since 0.1.
@_cdecl("tuile_manager_start_sweeping")
public func tuile_manager_start_sweeping(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ seconds: UInt32, _ limit: size_t,
  _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let manager, seconds > 0, seconds <= 31_536_000 else {
      throw .argument("the manager is NULL, or the time can't be")
    }
    let object: Manager = Handle.borrow(manager)
    try object.sweeper.start(object, seconds: seconds, limit: limit < 0 ? Int.max : limit)
    return TUILE_OK
  }
}

/// Ends the thread, once it is done with what it is at. NULL is fine. Since 0.1.
@_cdecl("tuile_manager_stop_sweeping")
public func tuile_manager_stop_sweeping(_ manager: UnsafeMutablePointer<tuile_manager>?) {
  guard let manager else { return }
  let object: Manager = Handle.borrow(manager)
  object.sweeper.stop()
}

/// Whether sessions can be stored and read: writes one that nobody knows, reads it and
/// removes it. For a health check of the host's.
///
/// Returns TUILE_OK, also if there is no store to ask; TUILE_E_ARGUMENT for NULL;
/// TUILE_E_RANDOM; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was
/// held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_manager_check")
public func tuile_manager_check(
  _ manager: UnsafeMutablePointer<tuile_manager>?, _ error: UnsafeMutablePointer<tuile_error>?
) -> tuile_status {
  answering(error) { () throws(Failure) in
    guard let manager else { throw .argument("the manager is NULL") }
    let object: Manager = Handle.borrow(manager)
    try object.check()
    return TUILE_OK
  }
}

/// Reads how long one of the store's operations took. The caller sets
/// `latency->size`, as TUILE_LATENCY_INIT does.
///
/// Stores in this process's memory are not timed.
///
/// Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL, an unknown operation or a struct
/// of another size. Since 0.1.
@_cdecl("tuile_manager_latency")
public func tuile_manager_latency(
  _ manager: UnsafePointer<tuile_manager>?, _ operation: tuile_operation,
  _ latency: UnsafeMutablePointer<tuile_latency>?
) -> tuile_status {
  guard let manager, let latency, let operation = Latency.Operation(rawValue: Int(operation.rawValue))
  else { return TUILE_E_ARGUMENT }
  let object: Manager = Handle.borrow(manager)
  var times = tuile_latency()
  times.microseconds = object.latency.sum(operation)
  guard let buckets = sys_latency_buckets(&times) else { return TUILE_E_ARGUMENT }
  var i = 0
  while i < Latency.buckets {
    buckets[i] = object.latency.calls(operation, bucket: i)
    times.calls &+= buckets[i]
    i &+= 1
  }
  return answering(nil) { () throws(Failure) in
    try times.store(in: latency)
    return TUILE_OK
  }
}

/// Writes all counters and times as Prometheus reads them (its text format 0.0.4).
///
/// Give `size` NULL or a place for the number of bytes; `buffer` may be NULL with a
/// capacity of 0 to ask for it. It grows a little with the numbers in it: 32 KiB are always
/// enough.
///
/// Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_ARGUMENT for NULL; TUILE_E_MEMORY. Since 0.1.
@_cdecl("tuile_manager_metrics")
public func tuile_manager_metrics(
  _ manager: UnsafePointer<tuile_manager>?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t,
  _ size: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  guard let manager else { return TUILE_E_ARGUMENT }
  let object: Manager = Handle.borrow(manager)
  var text = ByteBuffer()
  object.writeMetrics(to: &text)
  return text.failed ? TUILE_E_MEMORY : deliver(text.bytes, buffer, capacity, size)
}
