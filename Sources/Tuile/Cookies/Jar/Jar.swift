import CSystem
import CTuile

/// A client's cookies: the storage model of RFC 6265bis draft 22, sections 5.7
/// and 5.8. One mutex guards all of it.
final class Jar {
  struct Limits {
    /// Negative limits are none: SIZE_MAX as Swift imports it.
    var perSite = 180
    var total = 3000
  }

  /// How a request stands to the page that it is made for.
  enum Context { case same, navigation, cross }

  struct Request {
    var url: JarURL
    /// The page at the top, if it is not the URL's own.
    var topLevel: JarURL?
    var context: Context
    var script: Bool
  }

  let limits: Limits
  let suffixes: PublicSuffixes
  private let clock: tuile_clock?
  private let clockContext: UnsafeMutableRawPointer?
  private let mutex: UnsafeMutablePointer<sys_mutex>
  var table: JarTable
  private var sequence: UInt64 = 0
  private var uses: UInt64 = 0

  static func make(
    _ limits: Limits, _ suffixes: PublicSuffixes, clock: tuile_clock?, context: UnsafeMutableRawPointer?
  ) throws(Failure) -> Jar {
    try Forks.prepare()
    var seed: UInt64 = 0
    guard sys_random(&seed, MemoryLayout<UInt64>.size) else { throw .random }
    guard let raw = malloc(MemoryLayout<sys_mutex>.stride) else { throw .memory }
    return Jar(limits, suffixes, clock, context, raw.assumingMemoryBound(to: sys_mutex.self), seed)
  }

  private init(
    _ limits: Limits, _ suffixes: PublicSuffixes, _ clock: tuile_clock?, _ context: UnsafeMutableRawPointer?,
    _ mutex: UnsafeMutablePointer<sys_mutex>, _ seed: UInt64
  ) {
    self.limits = limits
    self.suffixes = suffixes
    self.clock = clock
    self.clockContext = context
    self.mutex = mutex
    table = JarTable(seed: seed)
    sys_mutex_init(mutex)
  }

  deinit {
    table.freeAll()
    sys_mutex_destroy(mutex)
    free(mutex)
  }

  func locked<Answer>(_ body: () throws(Failure) -> Answer) throws(Failure) -> Answer {
    sys_mutex_lock(mutex)
    defer { sys_mutex_unlock(mutex) }
    return try body()
  }

  /// Unix seconds.
  var now: Int64 {
    let microseconds = clock.map { $0(clockContext) } ?? sys_now_microseconds()
    return microseconds / 1_000_000 &- (microseconds % 1_000_000 < 0 ? 1 : 0)
  }

  /// The site at the top, under which a request's Partitioned cookies are kept.
  func partition(_ request: Request) -> Bytes {
    let page = request.topLevel ?? request.url
    return suffixes.site(of: page.host, isAddress: page.isAddress)
  }

  func nextUse() -> UInt64 {
    uses &+= 1
    return uses
  }

  /// Cookies that have not expired.
  func count() -> Int {
    let now = now
    table.removeAll { $0.pointee.expires <= now }
    return table.count
  }

  /// What closing the browser does: cookies without an end go.
  func endSession() {
    table.removeAll { !$0.isPersistent }
  }

  /// Stores a cookie in place of the one of the same name, domain, path and
  /// partition, whose age it keeps; one that has expired only removes that.
  func store(
    _ fields: JarCookie.Fields, domain: Bytes, isAddress: Bool, now: Int64
  ) throws(Failure) {
    let made = fields.expires <= now ? nil : try JarCookie.make(fields)
    var age: UInt64?
    if let known = table.find(domain) {
      _ = table.remove(from: known) { cookie in
        guard Jar.sameCookie(cookie, fields) else { return false }
        if cookie.pointee.expires > now { age = cookie.pointee.sequence }
        return true
      }
    }
    guard let made else { return }
    let site = suffixes.site(of: domain, isAddress: isAddress)
    let home: JarDomain.Pointer
    do throws(Failure) {
      home = try table.add(domain, site: site)
    } catch {
      JarCookie.release(made)
      throw error
    }
    if age == nil { sequence &+= 1 }
    made.pointee.sequence = age ?? sequence
    made.pointee.lastUse = nextUse()
    table.insert(made, in: home)
    if age == nil { evict(home, now) }
  }

  static func sameCookie(_ cookie: JarCookie.Pointer, _ fields: JarCookie.Fields) -> Bool {
    cookie.name == fields.name && cookie.path == fields.path && cookie.pointee.hostOnly == fields.hostOnly
      && cookie.partition.equals(ignoringCase: fields.partition)
  }

  // MARK: eviction

  private func evict(_ home: JarDomain.Pointer, _ now: Int64) {
    if limits.perSite >= 0, let site = home.pointee.site, site.pointee.siteCount > limits.perSite {
      evictOne(now, byRank: true) { body in
        var next: JarDomain.Pointer? = site
        while let domain = next {
          next = domain.pointee.nextOfSite
          body(domain)
        }
      }
    }
    if limits.total >= 0, table.count > limits.total {
      evictOne(now, byRank: false) { table.forEach($0) }
    }
  }

  /// Removes what has expired, or else one cookie of the domains that `visit`
  /// goes through.
  private func evictOne(_ now: Int64, byRank: Bool, _ visit: ((JarDomain.Pointer) -> Void) -> Void) {
    var worst: JarCookie.Pointer?
    var worstHome: JarDomain.Pointer?
    visit { domain in
      var next = domain.pointee.cookies
      while let cookie = next {
        next = cookie.pointee.next
        let isWorse: Bool
        if let worst, worst.pointee.expires <= now {
          isWorse = false
        } else if let worst, cookie.pointee.expires > now {
          isWorse = byRank ? cookie.goesBefore(worst) : cookie.pointee.lastUse < worst.pointee.lastUse
        } else {
          isWorse = true
        }
        if isWorse {
          worst = cookie
          worstHome = domain
        }
      }
    }
    guard let worst, let worstHome else { return }
    _ = table.remove(from: worstHome) { $0 == worst }
  }
}
