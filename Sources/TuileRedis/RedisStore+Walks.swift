import CRedis
import CSockets
import CSystem
import CTuile

/// Walks by SCAN, one server after the other: what is there all the time is given,
/// perhaps twice. A place in a walk belongs to one server, so a broken connection ends it.
extension RedisStore {
  /// What SCAN looks at for one answer, about.
  private static let page: Int64 = 500

  func keys(now: Int64, _ each: (Bytes, Int64) -> Bool) throws(Failure) {
    try walk(options.prefix, "") { (node, names) throws(Failure) in
      var keys = ByteBuffer()
      for i in Indices(names.count) {
        if let key = key(names[i], options.prefix, ""), options.isKey(key) {
          keys.append(UInt8(truncatingIfNeeded: key.count &>> 8))
          keys.append(UInt8(truncatingIfNeeded: key.count))
          keys.append(key)
        }
      }
      guard !keys.failed else { throw .memory }
      return try giveLive(keys.bytes, on: node, now: now, each)
    }
  }

  func owners(_ each: (Bytes) -> Bool) throws(Failure) {
    try walk(options.own, RedisStore.ownerKey) { (_, names) throws(Failure) in
      var i = 0
      while i < names.count {
        guard let owner = key(names[i], options.own, RedisStore.ownerKey), Owner.isValid(owner) else {
          i &+= 1
          continue
        }
        guard each(owner) else { return false }
        i &+= 1
      }
      return true
    }
  }

  /// What stands behind the prefix and `middle`.
  private func key(_ name: RedisReply.View?, _ prefix: CText, _ middle: StaticString) -> Bytes? {
    guard let name = name?.text, name.hasPrefix(prefix.bytes) else { return nil }
    let rest = name.dropFirst(prefix.count)
    return rest.hasPrefix(Bytes(middle)) ? rest.dropFirst(middle.count) : nil
  }

  /// Asks for the expiry of all in one go. `keys` are each behind its size, in two octets.
  private func giveLive(
    _ keys: Bytes, on node: RedisNode, now: Int64, _ each: (Bytes, Int64) -> Bool
  ) throws(Failure) -> Bool {
    var expiries: [Int64] = []
    try runner.run(on: node) { connection in
      var count = 0
      var at = 0
      while at < keys.count {
        let size = Int(keys[at]) &<< 8 | Int(keys[at &+ 1])
        var name = ByteBuffer()
        name.append(options.prefix.bytes)
        name.append(keys.slice(at &+ 2, at &+ 2 &+ size))
        RedisStore.addExpiry(connection, name.bytes)
        at &+= 2 &+ size
        count &+= 1
      }
      return count
    } _: { (reply, time) throws(Failure) in
      defer { withExtendedLifetime(reply) {} }
      if let error = reply.view.error {
        // Its slot has moved away since: asked for below.
        guard case .failed(let failure) = RedisAnswer.meaning(error) else { return expiries.append(.max) }
        throw failure
      }
      expiries.append(try RedisStore.expiry(reply, time) ?? .min)
    }
    var at = 0
    var i = 0
    while at < keys.count, i < expiries.count {
      let size = Int(keys[at]) &<< 8 | Int(keys[at &+ 1])
      let key = keys.slice(at &+ 2, at &+ 2 &+ size)
      let expires = expiries[i] == .max ? try expiry(of: key) ?? .min : expiries[i]
      if expires > now, !each(key, expires) { return false }
      at &+= 2 &+ size
      i &+= 1
    }
    return true
  }

  /// Gives the names of one answer at a time, those behind the prefix and `middle`.
  private func walk(
    _ prefix: CText, _ middle: StaticString, _ each: (RedisNode, RedisReply.View) throws(Failure) -> Bool
  ) throws(Failure) {
    let limits = options.limits
    let deadline = cs_now() &+ Int64(limits.connect) &+ Int64(limits.timeout)
    let nodes = try runner.servers.masters(deadline, whole: true)
    var pattern = ByteBuffer()
    RedisStore.escape(prefix.bytes, to: &pattern)
    pattern.append(middle)
    pattern.append("*")
    guard !pattern.failed else { throw .memory }
    var next = 0
    while let node = nodes.at(next) {
      next &+= 1
      var place = ByteBuffer()
      place.append("0")
      repeat {
        let reply = try scan(node, place.bytes, pattern.bytes, onlySessions: middle.count == 0)
        defer { withExtendedLifetime(reply) {} }
        guard let cursor = reply.view[0]?.text, RedisStore.isPlace(cursor), let names = reply.view[1] else {
          throw RedisConnection.failure(CS_PROTOCOL)
        }
        guard try each(node, names) else { return }
        place.removeAll()
        place.append(cursor)
      } while !(place.bytes == Bytes("0"))
    }
  }

  private func scan(
    _ node: RedisNode, _ place: Bytes, _ pattern: Bytes, onlySessions: Bool
  ) throws(Failure) -> RedisReply {
    var answer: RedisReply?
    try runner.run(on: node) { connection in
      connection.command("SCAN")
      connection.add(place)
      connection.add("MATCH")
      connection.add(pattern)
      connection.add("COUNT")
      connection.add(RedisStore.page)
      if onlySessions, connection.isPrecise {
        // Others may have keys here that look like ours. Before Redis 6 there is no such filter.
        connection.add("TYPE")
        connection.add("string")
      }
      connection.end()
      return 1
    } _: { (reply, _) throws(Failure) in
      if let error = reply.view.error { throw RedisConnection.refusal(error) }
      answer = reply
    }
    guard let answer else { throw RedisConnection.failure(CS_PROTOCOL) }
    return answer
  }

  /// 64 bits in decimal; 0 is the beginning, and the end.
  private static func isPlace(_ text: Bytes) -> Bool {
    guard !text.isEmpty, text.count <= 20 else { return false }
    for i in Indices(text.count) {
      guard text[i] &- UInt8(ascii: "0") < 10 else { return false }
    }
    return true
  }

  /// So that the server's patterns mean the text itself.
  private static func escape(_ text: Bytes, to pattern: inout ByteBuffer) {
    for i in Indices(text.count) {
      if Bytes("*?[]\\").contains(text[i]) { pattern.append(0x5C) }
      pattern.append(text[i])
    }
  }
}
