import CSystem
import CTuile

/// A host's own store behind `tuile_store_ops`.
final class CallbackStore: Store {
  let ops: tuile_store_ops
  let context: UnsafeMutableRawPointer?
  /// A module of this library says TUILE_E_UNKNOWN where a write may have been made; of a
  /// host's store, a failure of its own may be that.
  private let isModule: Bool

  static func make(
    _ ops: tuile_store_ops, context: UnsafeMutableRawPointer?, isModule: Bool = false
  ) throws(Failure) -> CallbackStore {
    guard ops.load != nil, ops.create != nil, ops.replace != nil, ops.touch != nil, ops.remove != nil, ops.sweep != nil
    else { throw .argument("an operation of the store is NULL") }
    let owners = (ops.own != nil, ops.owned != nil, ops.disown != nil)
    guard owners == (true, true, true) || owners == (false, false, false) else {
      throw .argument("own, owned and disown come together or not at all")
    }
    guard ops.owned_record == nil || ops.owned != nil else { throw .argument("owned_record without owned") }
    guard (ops.together != nil) == (ops.max_together > 1), ops.max_together <= 1024 else {
      throw .argument("together and a max_together of 2 to 1024 come together or not at all")
    }
    return CallbackStore(ops, context, isModule)
  }

  private init(_ ops: tuile_store_ops, _ context: UnsafeMutableRawPointer?, _ isModule: Bool) {
    self.isModule = isModule
    self.ops = ops
    self.context = context
  }

  /// Whose keys are in it; nil: Django's. Set before any use.
  var layout: Layout?

  /// Answers count only where the operation has noted them in its error, too.
  private var confirms: Bool { ops.confirms }

  var trusted: Bool { ops.trusted }
  var mayBeUnsure: Bool { true }
  var runsHostCode: Bool { !isModule }

  func close() { ops.close?(context) }

  /// Makes a call, takes `answers` as they are, and throws everything else.
  private func call(
    _ answers: (tuile_status, tuile_status, tuile_status), writes: Bool = false,
    _ body: (UnsafeMutablePointer<tuile_error>) -> tuile_status
  ) throws(Failure) -> tuile_status {
    var error = unanswered
    return try check(body(&error), &error, answers, writes: writes)
  }

  var unanswered: tuile_error {
    var error = tuile_error()
    error.status = confirms ? TUILE_E_CALLBACK : TUILE_OK
    return error
  }

  func check(
    _ said: tuile_status, _ error: inout tuile_error, _ answers: (tuile_status, tuile_status, tuile_status),
    writes: Bool
  ) throws(Failure) -> tuile_status {
    let status = confirms && error.status != said ? TUILE_E_STORE : said
    if status == answers.0 || status == answers.1 || status == answers.2 { return status }
    let detail = Failure.Detail(sys_error_message(&error))
    let known =
      status == TUILE_E_BUSY || status == TUILE_E_CORRUPT || status == TUILE_E_MEMORY || status == TUILE_E_LIMIT
    let unsure = writes && (status == TUILE_E_UNKNOWN || !isModule && !known)
    throw Failure(
      status: unsure ? TUILE_E_UNKNOWN : known ? status : TUILE_E_STORE,
      message: isModule ? "the store failed" : "the host's store failed", detail: detail)
  }

  static var receivedNothing: Failure {
    Failure(status: TUILE_E_STORE, message: "the host's store loaded without calling receive")
  }

  /// Where `receive` puts what it gets.
  private struct Received: ~Copyable {
    var data = ByteBuffer()
    var expires: Int64?
  }

  func load(_ key: Bytes, now: Int64, into data: inout ByteBuffer) throws(Failure) -> Int64? {
    var received = Received()
    let status = try withUnsafeMutablePointer(to: &received) { (receiver) throws(Failure) in
      try call((TUILE_OK, TUILE_ABSENT, TUILE_OK)) { error in
        let receive: tuile_receive = { context, bytes, expires in
          guard let received = context?.assumingMemoryBound(to: Received.self), let bytes = Bytes(bytes) else { return }
          received.pointee.data.removeAll()
          received.pointee.data.append(bytes)
          received.pointee.expires = expires
        }
        return ops.load.unsafelyUnwrapped(context, key.c, now, receive, receiver, error)
      }
    }
    guard status == TUILE_OK else { return nil }
    guard let expires = received.expires else { throw CallbackStore.receivedNothing }
    data.append(received.data.bytes)
    guard !received.data.failed, !data.failed else { throw .memory }
    return expires
  }

  func create(_ key: Bytes, data: Bytes, expires: Int64, now: Int64) throws(Failure) -> Bool {
    try call((TUILE_OK, TUILE_EXISTS, TUILE_OK), writes: true) { error in
      ops.create.unsafelyUnwrapped(context, key.c, data.c, expires, error)
    } == TUILE_OK
  }

  func replace(_ key: Bytes, expected: Bytes, data: Bytes, expires: Int64) throws(Failure) -> Replaced {
    let status = try call((TUILE_OK, TUILE_CONFLICT, TUILE_ABSENT), writes: true) { error in
      ops.replace.unsafelyUnwrapped(context, key.c, expected.c, data.c, expires, error)
    }
    return status == TUILE_OK ? .replaced : status == TUILE_CONFLICT ? .conflict : .absent
  }

  func touch(_ key: Bytes, expires: Int64) throws(Failure) -> Bool {
    try call((TUILE_OK, TUILE_ABSENT, TUILE_OK), writes: true) { error in
      ops.touch.unsafelyUnwrapped(context, key.c, expires, error)
    } == TUILE_OK
  }

  func remove(_ key: Bytes) throws(Failure) {
    _ = try call((TUILE_OK, TUILE_ABSENT, TUILE_OK), writes: true) { error in
      ops.remove.unsafelyUnwrapped(context, key.c, error)
    }
  }

  func sweep(now: Int64, limit: Int) throws(Failure) -> Int {
    var removed: size_t = 0
    _ = try call((TUILE_OK, TUILE_OK, TUILE_OK)) { error in
      ops.sweep.unsafelyUnwrapped(context, now, limit, &removed, error)
    }
    return removed
  }

  func put(_ key: Bytes, data: Bytes, expires: Int64) throws(Failure) {
    guard let put = ops.put else { return try putInSteps(key, data: data, expires: expires) }
    _ = try call((TUILE_OK, TUILE_OK, TUILE_OK), writes: true) { error in put(context, key.c, data.c, expires, error) }
  }

  // MARK: Owners

  var keepsOwners: Bool { ops.own != nil }

  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    guard let own = ops.own else { throw .noOwners }
    _ = try call((TUILE_OK, TUILE_OK, TUILE_OK), writes: isModule) { error in
      own(context, owner.c, key.c, record.c, expires, error)
    }
  }

  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    guard let owned = ops.owned else { throw .noOwners }
    try withoutActuallyEscaping(each) { (each) throws(Failure) in
      var receiver = each
      _ = try withUnsafeMutablePointer(to: &receiver) { (receiver) throws(Failure) in
        try call((TUILE_OK, TUILE_OK, TUILE_OK)) { error in
          let receive: tuile_receive_owned = { context, key, record, expires in
            guard let each = context?.assumingMemoryBound(to: ((Bytes, Bytes, Int64) -> Void).self),
              let key = Bytes(key), let record = Bytes(record)
            else { return }
            each.pointee(key, record, expires)
          }
          return owned(context, owner.c, now, receive, receiver, error)
        }
      }
    }
  }

  /// A store that can't give one entry gives all.
  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    guard let ownedRecord = ops.owned_record else {
      var copy = ByteBuffer()
      var found = false
      try owned(owner, now: .min) { other, text, _ in
        guard other == key, !found else { return }
        copy.append(text)
        found = true
      }
      record.append(copy.bytes)
      guard !copy.failed, !record.failed else { throw .memory }
      return found
    }
    var received = Received()
    let status = try withUnsafeMutablePointer(to: &received) { (receiver) throws(Failure) in
      try call((TUILE_OK, TUILE_ABSENT, TUILE_OK)) { error in
        let receive: tuile_receive = { context, bytes, _ in
          guard let received = context?.assumingMemoryBound(to: Received.self), let bytes = Bytes(bytes) else { return }
          received.pointee.data.removeAll()
          received.pointee.data.append(bytes.slice(0, Owner.largestRecord))
        }
        return ownedRecord(context, owner.c, key.c, receive, receiver, error)
      }
    }
    guard status == TUILE_OK else { return false }
    record.append(received.data.bytes)
    guard !received.data.failed, !record.failed else { throw .memory }
    return true
  }

  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) {
    guard let disown = ops.disown else { throw .noOwners }
    _ = try call((TUILE_OK, TUILE_OK, TUILE_OK), writes: isModule) { error in
      disown(context, owner.c, key.c, error)
    }
  }

  // MARK: Walks

  /// What a walk calls, until it wants no more.
  private struct Walk {
    let each: (Bytes, Int64) -> Bool
    let layout: Layout?
    var enough = false

    mutating func take(key: tuile_bytes, _ expires: Int64) -> Bool {
      let layout = layout
      return take(key, expires) { layout?.isStoreKey($0) ?? SessionKey.isValid($0) }
    }

    mutating func take(_ bytes: tuile_bytes, _ expires: Int64, isFine: (Bytes) -> Bool) -> Bool {
      guard !enough, let bytes = Bytes(bytes), isFine(bytes) else { return !enough }
      enough = !each(bytes, expires)
      return !enough
    }
  }

  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    guard let keys = ops.keys else { throw .noKeys }
    try walk(each) { receiver, error in
      keys(
        context, now,
        { walk, key, expires in walk?.assumingMemoryBound(to: Walk.self).pointee.take(key: key, expires) ?? false },
        receiver, error)
    }
  }

  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    guard let owners = ops.owners, keepsOwners else { throw keepsOwners ? .unnamedOwners : .noOwners }
    try walk({ owner, _ in each(owner) }) { receiver, error in
      owners(
        context,
        { walk, owner in
          walk?.assumingMemoryBound(to: Walk.self).pointee.take(owner, 0, isFine: Owner.isValid) ?? false
        }, receiver, error)
    }
  }

  private func walk(
    _ each: (Bytes, Int64) -> Bool,
    _ body: (UnsafeMutableRawPointer, UnsafeMutablePointer<tuile_error>) -> tuile_status
  ) throws(Failure) {
    try withoutActuallyEscaping(each) { (each) throws(Failure) in
      var walk = Walk(each: each, layout: layout)
      _ = try withUnsafeMutablePointer(to: &walk) { (walk) throws(Failure) in
        try call((TUILE_OK, TUILE_OK, TUILE_OK)) { error in body(walk, error) }
      }
    }
  }
}
