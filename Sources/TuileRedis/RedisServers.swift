import CRedis
import CSockets
import CSystem
import CTuile

/// A server with its connections.
final class RedisNode {
  let address: ServerAddress
  let pool: Pool<RedisConnection>
  let clock = RedisClock()

  init(_ address: ServerAddress, _ limits: Limits) {
    self.address = address
    pool = Pool(limits)
  }
}

/// Which server a key is on: the one of the URL, the master that Sentinels name,
/// or a node of a cluster.
final class RedisServers {
  enum Kind { case single, sentinel, cluster }

  let options: RedisOptions

  /// Guards what follows. Never held while something is sent.
  var mutex = sys_mutex()
  var kind: Kind
  /// A cluster's nodes, or the one server.
  var nodes: [RedisNode] = []
  /// Where each slot is in `nodes`; -1: not known.
  var slots: [Int16] = []
  var slotsAreDue = true
  var slotsAsked: Int64 = 0
  var master: RedisNode?
  /// When the Sentinels were last asked for it.
  var masterAsked: Int64 = 0
  /// The Sentinel that answered last is asked first.
  var firstSentinel = 0

  private let tls = TLSKeeper()

  init(_ options: RedisOptions) {
    self.options = options
    kind = options.sentinel != nil ? .sentinel : options.seeds.count > 1 ? .cluster : .single
    if kind != .sentinel {
      for seed in options.seeds { nodes.append(RedisNode(seed, options.limits)) }
    }
    sys_mutex_init(&mutex)
  }

  deinit { sys_mutex_destroy(&mutex) }

  func locked<Answer>(_ body: (RedisServers) -> Answer) -> Answer {
    sys_mutex_lock(&mutex)
    defer { sys_mutex_unlock(&mutex) }
    return body(self)
  }

  /// The node to ask about a key. Asks Sentinels or the cluster first where
  /// that is due.
  @inline(never)  // one copy of it, not one for each command
  func node(for key: Bytes, _ deadline: Int64) throws(Failure) -> RedisNode {
    switch locked({ $0.kind }) {
    // A server that turns out to be a cluster's gets company, from another thread.
    case .single: return locked { $0.nodes[0] }
    case .sentinel: return try findMaster(deadline)
    case .cluster: return try findNode(ClusterSlots.slot(of: key), deadline)
    }
  }

  /// The server did not answer, or is no master: it is looked for anew.
  func distrust(_ node: RedisNode) {
    locked { servers in
      if servers.master === node { servers.master = nil }
      servers.slotsAreDue = true
    }
  }

  // MARK: Connections

  func connect(_ node: RedisNode, _ deadline: Int64) throws(Failure) -> RedisConnection {
    let tls = try secured()
    let connection: RedisConnection
    do throws(Failure) {
      connection = try RedisConnection.open(
        node.address, options, tls: tls, asMaster: options.sentinel != nil,
        min(deadline, cs_now() &+ Int64(options.limits.connect)))
    } catch {
      throw error.about(node.address)
    }
    // It may have taken so long that another one is the master by now, and this one, just
    // back, does not know that yet.
    if options.sentinel != nil { try confirmMaster(node, deadline) }
    return connection
  }

  /// nil without TLS.
  func secured() throws(Failure) -> OpaquePointer? { options.tls ? try tls.secured(options.security) : nil }
}
