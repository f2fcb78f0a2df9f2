import CSockets
import CSystem
import CTuile

/// Calls of several sessions at once: those whose keys one server has go to it in one
/// pipeline. Where that comes to nothing, the first of them is made by itself, by all the
/// rules of `RedisRunner`, and shows what became of the server; the rest tries again.
extension RedisStore {
  var mostTogether: Int { 64 }
  /// Bytes that are written to one server at once.
  private static let largestPipeline = 1 << 20

  func together(_ first: StoreCall) {
    if !options.mode.writes { first.each { if !$0.isLoad { $0.fail(.readOnly) } } }
    while let leader = RedisStore.next(first) {
      first.each { $0.isSent = false }
      pipeline(leader)
      guard leader.answer == nil, !leader.isAlone else { continue }
      makeAlone(leader)
      // What is said of a server that can't be used is true of the others that go there.
      guard case .failed(let failure) = leader.answer else { continue }
      guard failure.status == TUILE_E_STORE || failure.status == TUILE_E_BUSY else { continue }
      first.each { if $0.isSent, $0.answer == nil { $0.fail(failure) } }
    }
    first.each { if $0.answer == nil { makeAlone($0) } }
  }

  private func makeAlone(_ call: StoreCall) {
    call.answer { (call) throws(Failure) in
      switch call.operation {
      case TUILE_STORE_LOAD:
        var data = ByteBuffer()
        guard let expires = try load(call.key, now: call.time, into: &data) else { return call.answer(TUILE_ABSENT) }
        call.answer(found: data.bytes, expires: expires)
      case TUILE_STORE_CREATE:
        let isNew = try create(call.key, data: call.data, expires: call.time, now: 0)
        call.answer(isNew ? TUILE_OK : TUILE_EXISTS)
      default:
        let replaced = try replace(call.key, expected: call.expected, data: call.data, expires: call.time)
        call.answer(replaced: replaced)
      }
    }
  }

  private static func next(_ first: StoreCall) -> StoreCall? {
    var next: StoreCall? = first
    while let call = next, call.answer != nil || call.isAlone { next = call.next }
    return next
  }

  /// Answers what the server of the leader's key answers; leaves what it did not come to.
  private func pipeline(_ leader: StoreCall) {
    let deadline = cs_now() &+ Int64(options.limits.connect) &+ Int64(options.limits.timeout)
    var (sent, reused) = (false, false)
    var node: RedisNode?
    do throws(Failure) {
      let found = try named(leader.key) { (key) throws(Failure) in try runner.servers.node(for: key, deadline) }
      node = found
      let writes = choose(leader, found, deadline)
      if writes { _ = try runner.compareClocks(found) }
      try found.pool.with { () throws(Failure) in
        try self.runner.servers.connect(found, deadline)
      } _: { (connection) throws(Failure) in
        reused = !connection.isFresh
        connection.noteUse()
        connection.skew = found.clock.skew
        leader.each { if $0.isSent { self.add($0, connection) } }
        let until = min(deadline, cs_now() &+ Int64(self.options.limits.timeout))
        let replicas = writes ? self.options.replicas : 0
        if replicas > 0 { self.runner.wait(connection, replicas, until) }
        try connection.send(until, sent: &sent)
        try self.receive(leader, connection, found, until, replicas)
        return ((), .keep)
      }
    } catch {
      leader.each { (call) in
        guard call.isSent, sent, !call.isLoad, call.answer == nil, !call.isAlone else { return }
        call.fail(RedisRunner.unknown(error))
      }
      guard let node else { return }
      runner.servers.distrust(node)
      if sent, reused { node.pool.renew() }
    }
  }

  /// Marks those that go to the server, as many as may be; whether one of them writes.
  private func choose(_ leader: StoreCall, _ node: RedisNode, _ deadline: Int64) -> Bool {
    var (room, writes) = (RedisStore.largestPipeline, false)
    leader.each { (call) in
      guard call.answer == nil, !call.isAlone, room > 0 else { return }
      do throws(Failure) {
        try RedisStore.check(call.data)
        let there = try named(call.key) { (key) throws(Failure) in try runner.servers.node(for: key, deadline) }
        guard there === node else { return }
        call.isSent = true
        room = room &- call.data.count &- call.expected.count
        if !call.isLoad { writes = true }
      } catch {
        // By itself it fails in the same way, or not.
        call.isAlone = true
      }
    }
    return writes
  }

  private func add(_ call: StoreCall, _ connection: RedisConnection) {
    do throws(Failure) {
      try named(call.key) { (key) throws(Failure) in
        switch call.operation {
        case TUILE_STORE_LOAD: RedisStore.addLoad(connection, key)
        case TUILE_STORE_CREATE: RedisStore.addSet(connection, key, call.data, call.time, onlyNew: true)
        default:
          addReplace(connection, whole: false, key, expected: call.expected, data: call.data, expires: call.time)
        }
      }
    } catch {
      // Nothing of it is in the pipeline, and nothing comes back for it.
      (call.isSent, call.isAlone) = (false, true)
    }
  }

  private func receive(
    _ leader: StoreCall, _ connection: RedisConnection, _ node: RedisNode, _ until: Int64, _ replicas: Int64
  ) throws(Failure) {
    var next: StoreCall? = leader
    // Answers come in the order of the calls.
    while let call = next {
      next = call.next
      guard call.isSent else { continue }
      let reply = try connection.receive(until)
      let second = call.isLoad ? try connection.receive(until) : nil
      let expected: RedisExpected =
        call.isLoad ? .textOrNil : call.operation == TUILE_STORE_CREATE ? .doneOrNil : .integer
      guard reply.view.isError(or: expected), second?.view.isError(or: .integer) ?? true else {
        throw RedisConnection.failure(CS_PROTOCOL)
      }
      defer { withExtendedLifetime(reply) {} }
      if let error = reply.view.error ?? second?.view.error {
        // Of others the first call finds out what is to be done.
        if case .failed(let failure) = RedisAnswer.meaning(error) { call.fail(failure) }
        continue
      }
      let replies = RedisReplies(
        first: reply, second: second, time: (connection.isPrecise, connection.skew), node: node)
      call.answer { (call) throws(Failure) in try take(replies, for: call) }
    }
    guard replicas > 0 else { return }
    do throws(Failure) {
      let third = try connection.receive(until)
      try RedisRunner.check(third, replicas)
    } catch {
      leader.each { (call) in
        guard call.isSent, !call.isLoad, case .made(TUILE_OK) = call.answer else { return }
        call.fail(RedisRunner.unknown(error))
      }
      // An answer that is still to come must meet nobody else on the connection.
      throw error
    }
  }

  private func take(_ replies: RedisReplies, for call: StoreCall) throws(Failure) {
    switch call.operation {
    case TUILE_STORE_LOAD:
      guard !replies.first.view.isNil else { return call.answer(TUILE_ABSENT) }
      guard let text = replies.first.view.text else { throw RedisConnection.failure(CS_PROTOCOL) }
      let expires = try RedisStore.expiry(replies.second, replies.time)
      // The server has it, and by our clock it is over: the clocks may differ.
      if let expires, expires <= call.time { return call.isAlone = true }
      guard let expires else { return call.answer(TUILE_ABSENT) }
      call.answer(found: text, expires: expires)
    case TUILE_STORE_CREATE: call.answer(replies.first.view.isNil ? TUILE_EXISTS : TUILE_OK)
    default:
      // The framework has its lock: the others do not wait for that.
      guard let replaced = try RedisStore.replaced(replies.first.view.integer) else { return call.isAlone = true }
      call.answer(replaced: replaced)
    }
  }
}
