import CRedis
import CSystem
import CTuile

/// Owners' lists: a hash each, whose fields are the keys.
extension RedisStore {
  var keepsOwners: Bool { true }

  func own(_ owner: Bytes, _ key: Bytes, record: Bytes, expires: Int64) throws(Failure) {
    _ = try named(owner: owner) { (name) throws(Failure) in
      try runner.run(name, .integer, .write) { connection, whole in
        owning.add(to: connection, whole, name)
        connection.add(key)
        connection.add(record)
        connection.add(connection.milliseconds(expires))
        connection.add(RedisStore.left(expires))
        connection.end()
        return 1
      }
    }
  }

  /// The server is asked about each session, since one that ended without
  /// `disown` leaves its entry behind.
  func owned(_ owner: Bytes, now: Int64, _ each: (Bytes, Bytes, Int64) -> Void) throws(Failure) {
    let reply = try named(owner: owner) { (name) throws(Failure) in
      try runner.run(name, .list, .read) { connection, _ in
        connection.command("HGETALL")
        connection.add(name)
        connection.end()
        return 1
      }
    }.first
    defer { withExtendedLifetime(reply) {} }
    var i = 0
    while i < reply.view.count {
      guard let key = reply.view[i]?.text, let record = reply.view[i &+ 1]?.text else {
        throw RedisConnection.failure(CS_PROTOCOL)
      }
      if options.isKey(key) {
        if let expires = try expiry(of: key), expires > now {
          each(key, record, expires)
        } else if options.mode.writes {
          // Who may only read leaves it.
          _ = try? disown(owner, key)
        }
      }
      i &+= 2
    }
  }

  func ownedRecord(_ owner: Bytes, _ key: Bytes, into record: inout ByteBuffer) throws(Failure) -> Bool {
    let reply = try named(owner: owner) { (name) throws(Failure) in
      try runner.run(name, .textOrNil, .read) { connection, _ in
        connection.command("HGET")
        connection.add(name)
        connection.add(key)
        connection.end()
        return 1
      }
    }.first
    defer { withExtendedLifetime(reply) {} }
    guard !reply.view.isNil else { return false }
    guard let text = reply.view.text else { throw RedisConnection.failure(CS_PROTOCOL) }
    record.append(text.slice(0, Owner.largestRecord))
    guard !record.failed else { throw .memory }
    return true
  }

  func expiry(of key: Bytes) throws(Failure) -> Int64? {
    let replies = try named(key) { (key) throws(Failure) in
      try runner.run(key, .integer, .read) { connection, _ in
        RedisStore.addExpiry(connection, key)
        return 1
      }
    }
    return try RedisStore.expiry(replies.first, replies.time)
  }

  func disown(_ owner: Bytes, _ key: Bytes) throws(Failure) {
    _ = try named(owner: owner) { (name) throws(Failure) in
      try runner.run(name, .integer, .write) { connection, _ in
        connection.command("HDEL")
        connection.add(name)
        connection.add(key)
        connection.end()
        return 1
      }
    }
  }
}
