import CRedis
import CSockets
import CTuile

/// The map of a cluster's slots: learnt from any node, corrected by redirections.
extension RedisServers {
  /// More nodes than this make the map be learnt anew.
  private static let mostNodes = 1024
  /// The map is asked for at most this often, in milliseconds.
  private static let pause: Int64 = 200

  func findNode(_ slot: Int, _ deadline: Int64) throws(Failure) -> RedisNode {
    let asking = locked { servers -> Bool in
      let now = cs_now()
      guard servers.slotsAreDue, servers.slots.isEmpty || now &- servers.slotsAsked >= Self.pause else { return false }
      servers.slotsAreDue = false
      servers.slotsAsked = now
      return true
    }
    if asking || locked({ $0.slots.isEmpty }) { try learn(deadline) }
    return locked { servers in
      // Any node says who has a slot that nobody is known to have.
      servers.slots.at(slot).flatMap { servers.nodes.at(Int($0)) } ?? servers.nodes[0]
    }
  }

  /// The server that a redirection names; an empty host is that of `from`. nil
  /// if there are no redirections here.
  @inline(never)
  func node(at host: Bytes, _ port: Int32, from node: RedisNode, slot: Int32?) -> RedisNode? {
    guard node.address.port != 0, options.sentinel == nil else { return nil }
    return locked { servers in
      servers.kind = .cluster
      let (found, index) = servers.find(host.isEmpty ? node.address.host.bytes : host, port)
      if let slot = slot.map(Int.init), slot >= 0, slot < servers.slots.count {
        servers.slots[slot] = Int16(truncatingIfNeeded: index)
        servers.slotsAreDue = true
      }
      return found
    }
  }

  private func find(_ host: Bytes, _ port: Int32) -> (RedisNode, index: Int) {
    var i = 0
    while let node = nodes.at(i) {
      if node.address.isSame(host, port) { return (node, i) }
      i &+= 1
    }
    if nodes.count >= Self.mostNodes {
      nodes.removeAll()
      slots.removeAll()
      slotsAreDue = true
    }
    let node = RedisNode(ServerAddress(CText(host), port: port), options.limits)
    nodes.append(node)
    return (node, nodes.count &- 1)
  }

  /// Asks the nodes, one after the other, until one tells the map.
  private func learn(_ deadline: Int64) throws(Failure) {
    let known = locked { $0.nodes }
    var last: Failure?
    var i = 0
    while cs_now() < deadline,
      let node = known.at(i) ?? options.seeds.at(i &- known.count).map({ RedisNode($0, options.limits) })
    {
      do throws(Failure) {
        let reply = try ask(node, deadline)
        if let error = reply.view.error {
          guard !error.hasPrefix(Bytes("ERR This instance")) else { throw RedisServers.noCluster }
          throw RedisConnection.refusal(error)
        }
        guard withExtendedLifetime(reply, { locked { $0.take(reply.view, from: node) } }) else {
          throw RedisServers.noMap
        }
        return
      } catch {
        last = error.about(node.address)
      }
      i &+= 1
    }
    // With an older map the redirections lead on.
    guard locked({ $0.slots.isEmpty }) else { return }
    throw last ?? RedisConnection.failure(CS_TIMED_OUT)
  }

  private static var noCluster: Failure {
    Failure(
      status: TUILE_E_STORE, message: "the URL has several hosts, which are no cluster, and names no sentinel=")
  }

  /// Each server that has keys; of a cluster all of them, if it is to be `whole`. One that is
  /// alone in the URL may be a cluster's.
  func masters(_ deadline: Int64, whole: Bool) throws(Failure) -> [RedisNode] {
    switch locked({ $0.kind }) {
    case .sentinel: return [try findMaster(deadline)]
    case .cluster: try learn(deadline)
    case .single:
      let node = locked { $0.nodes[0] }
      let reply = try ask(node, deadline)
      defer { withExtendedLifetime(reply) {} }
      // "This instance has cluster support disabled", no such command, or not for this
      // user, who could not follow redirections either.
      if let error = reply.view.error {
        guard error.hasPrefix(Bytes("ERR ")) || error.hasPrefix(Bytes("NOPERM")) else {
          throw RedisConnection.refusal(error)
        }
        return [node]
      }
      guard node.address.port != 0 else { throw RedisServers.clusterBySocket.about(node.address) }
      let learnt = locked { servers -> Bool in
        servers.kind = .cluster
        return servers.take(reply.view, from: node)
      }
      guard learnt else { throw RedisServers.noMap }
    }
    return try locked { (servers) -> Result<[RedisNode], Failure> in
      var all = [RedisNode]()
      var slot = 0
      while let index = servers.slots.at(slot) {
        slot &+= 1
        guard let node = servers.nodes.at(Int(index)) else {
          guard whole else { continue }
          return .failure(RedisServers.gap)
        }
        if !all.contains(where: { $0 === node }) { all.append(node) }
      }
      return .success(all)
    }.get()
  }

  private static var noMap: Failure {
    Failure(status: TUILE_E_STORE, message: "the Redis cluster told no map of its slots")
  }
  private static var gap: Failure {
    Failure(status: TUILE_E_STORE, message: "the Redis cluster has slots that no node serves")
  }
  static var clusterBySocket: Failure {
    Failure(status: TUILE_E_STORE, message: "a Redis cluster is opened by redis:// and its hosts")
  }

  /// The answer to CLUSTER SLOTS, or the error in its place.
  private func ask(_ node: RedisNode, _ deadline: Int64) throws(Failure) -> RedisReply {
    try node.pool.with { () throws(Failure) in
      try self.connect(node, deadline)
    } _: { (connection) throws(Failure) in
      let until = min(deadline, cs_now() &+ Int64(self.options.limits.timeout))
      connection.command("CLUSTER")
      connection.add("SLOTS")
      connection.end()
      try connection.send(until)
      return (try connection.receive(until), .keep)
    }
  }

  /// The answer to CLUSTER SLOTS: first and last slot, the master's host and port,
  /// then replicas. false if it has no slot at all.
  private func take(_ reply: RedisReply.View, from node: RedisNode) -> Bool {
    var map = [Int16](repeating: -1, count: ClusterSlots.count)
    var found = false
    let old = nodes
    nodes = []
    for i in Indices(reply.count) {
      if let range = reply[i], let first = range[0]?.integer, let last = range[1]?.integer, first >= 0,
        first <= last, last < Int64(ClusterSlots.count), let master = range[2], let port = master[1]?.integer,
        port > 0, port < 65536, let index = adopt(master[0]?.text ?? Bytes(), port, from: node, old)
      {
        var slot = Int(first)
        while slot >= 0, slot <= Int(last), slot < map.count {
          map[slot] = index
          slot &+= 1
        }
        found = true
      }
    }
    guard found else {
      nodes = old
      return false
    }
    slots = map
    return true
  }

  /// Keeps a node that is known already, with its connections.
  private func adopt(_ host: Bytes, _ port: Int64, from node: RedisNode, _ old: [RedisNode]) -> Int16? {
    guard RedisAnswer.isHost(host), nodes.count < Self.mostNodes else { return nil }
    let name = host.isEmpty ? node.address.host.bytes : host
    let number = Int32(truncatingIfNeeded: port)
    var i = 0
    while let known = nodes.at(i) {
      if known.address.isSame(name, number) { return Int16(truncatingIfNeeded: i) }
      i &+= 1
    }
    i = 0
    while let known = old.at(i), !known.address.isSame(name, number) { i &+= 1 }
    nodes.append(old.at(i) ?? RedisNode(ServerAddress(CText(name), port: number), options.limits))
    return Int16(truncatingIfNeeded: nodes.count &- 1)
  }
}
