import CSystem

/// A domain that has cookies, or a site that has such domains: this header, then
/// its name in lower case.
struct JarDomain {
  typealias Pointer = UnsafeMutablePointer<JarDomain>

  var hash: UInt64
  var nameSize: Int
  /// The next in the table's bucket.
  var next: Pointer?
  /// The registrable domain; itself, if it is one.
  var site: Pointer?
  /// The next domain of the same site; a site is the head of its list.
  var nextOfSite: Pointer?
  var cookies: JarCookie.Pointer?
  /// Of a site: cookies of all its domains.
  var siteCount = 0
}

extension UnsafeMutablePointer<JarDomain> {
  var name: Bytes {
    Bytes(UnsafeRawPointer(self + 1).assumingMemoryBound(to: UInt8.self), pointee.nameSize)
  }
}

/// The cookies of a jar by domain: a hash table with a list in each bucket.
/// Domains are found by their exact name; nothing here knows a rule of cookies.
struct JarTable {
  private var buckets: UnsafeMutablePointer<JarDomain.Pointer?>?
  /// A power of two, or 0.
  private var size = 0
  private var domains = 0
  /// Cookies in all.
  private(set) var count = 0
  /// Drawn at random, so that no server can choose names that collide.
  let seed: UInt64

  init(seed: UInt64) { self.seed = seed }

  func hash(_ name: Bytes) -> UInt64 {
    var hash = seed ^ 0x9E37_79B9_7F4A_7C15
    for i in Indices(name.count) {
      let c = name.start[i]
      hash = (hash ^ UInt64(c &- UInt8(ascii: "A") < 26 ? c | 0x20 : c)) &* 0xFF51_AFD7_ED55_8CCD
      hash ^= hash &>> 32
    }
    return hash
  }

  func find(_ name: Bytes) -> JarDomain.Pointer? {
    guard let buckets else { return nil }
    let hash = hash(name)
    var next = buckets[Int(truncatingIfNeeded: hash) & (size &- 1)]
    while let domain = next {
      if domain.pointee.hash == hash, domain.name.equals(ignoringCase: name) { return domain }
      next = domain.pointee.next
    }
    return nil
  }

  /// The domain, made if it is not there.
  mutating func add(_ name: Bytes, site: Bytes) throws(Failure) -> JarDomain.Pointer {
    if let found = find(name) { return found }
    let head: JarDomain.Pointer
    if let known = find(site) {
      head = known.pointee.site ?? known
    } else {
      head = try make(site)
      head.pointee.site = head
    }
    guard !name.equals(ignoringCase: head.name) else { return head }
    let made: JarDomain.Pointer
    do throws(Failure) {
      made = try make(name)
    } catch {
      removeIfEmpty(head)
      throw error
    }
    made.pointee.site = head
    made.pointee.nextOfSite = head.pointee.nextOfSite
    head.pointee.nextOfSite = made
    return made
  }

  private mutating func make(_ name: Bytes) throws(Failure) -> JarDomain.Pointer {
    guard grow(), let buckets, let raw = malloc(MemoryLayout<JarDomain>.stride &+ name.count) else { throw .memory }
    let domain = raw.assumingMemoryBound(to: JarDomain.self)
    domain.initialize(to: JarDomain(hash: hash(name), nameSize: name.count))
    UnsafeMutableRawPointer(domain + 1).assumingMemoryBound(to: UInt8.self).copy(lowercasing: name)
    let bucket = buckets + Int(truncatingIfNeeded: domain.pointee.hash) & (size &- 1)
    domain.pointee.next = bucket.pointee
    bucket.pointee = domain
    domains &+= 1
    return domain
  }

  /// Puts a cookie where the order of its domain's list wants it.
  mutating func insert(_ cookie: JarCookie.Pointer, in domain: JarDomain.Pointer) {
    var before: JarCookie.Pointer?
    var next = domain.pointee.cookies
    while let other = next, other.precedes(cookie) {
      before = other
      next = other.pointee.next
    }
    cookie.pointee.next = next
    if let before { before.pointee.next = cookie } else { domain.pointee.cookies = cookie }
    domain.pointee.site?.pointee.siteCount &+= 1
    count &+= 1
  }

  /// Frees the cookies of a domain that `doomed` names, and the domain if none is
  /// left; returns how many.
  mutating func remove(from domain: JarDomain.Pointer, where doomed: (JarCookie.Pointer) -> Bool) -> Int {
    var removed = 0
    var before: JarCookie.Pointer?
    var next = domain.pointee.cookies
    while let cookie = next {
      next = cookie.pointee.next
      guard doomed(cookie) else {
        before = cookie
        continue
      }
      if let before { before.pointee.next = next } else { domain.pointee.cookies = next }
      JarCookie.release(cookie)
      removed &+= 1
    }
    count &-= removed
    domain.pointee.site?.pointee.siteCount &-= removed
    removeIfEmpty(domain)
    return removed
  }

  /// Calls `body` with every domain, which it may remove.
  func forEach(_ body: (JarDomain.Pointer) -> Void) {
    for i in Indices(size) {
      var next = buckets?[i]
      while let domain = next {
        next = domain.pointee.next
        body(domain)
      }
    }
  }

  /// As `remove(from:where:)` over all domains. Emptied sites go with their last domain.
  mutating func removeAll(where doomed: (JarCookie.Pointer) -> Bool) {
    for i in Indices(size) {
      // A removal may take its site out of this bucket or another: start anew then.
      var next = buckets?[i]
      while let domain = next {
        next = domain.pointee.next
        if domain.pointee.cookies != nil, remove(from: domain, where: doomed) > 0 { next = buckets?[i] }
      }
    }
  }

  mutating func removeIfEmpty(_ domain: JarDomain.Pointer) {
    guard domain.pointee.cookies == nil, let site = domain.pointee.site else { return }
    if site != domain {
      var before = site
      while let next = before.pointee.nextOfSite, next != domain { before = next }
      before.pointee.nextOfSite = domain.pointee.nextOfSite
      release(domain)
    }
    if site.pointee.siteCount == 0, site.pointee.nextOfSite == nil { release(site) }
  }

  private mutating func release(_ domain: JarDomain.Pointer) {
    guard let buckets else { return }
    let bucket = buckets + Int(truncatingIfNeeded: domain.pointee.hash) & (size &- 1)
    if bucket.pointee == domain {
      bucket.pointee = domain.pointee.next
    } else {
      var before = bucket.pointee
      while let other = before, other.pointee.next != domain { before = other.pointee.next }
      before?.pointee.next = domain.pointee.next
    }
    domains &-= 1
    free(domain)
  }

  private mutating func grow() -> Bool {
    guard domains >= size else { return true }
    let wanted = max(64, size &* 2)
    guard let raw = calloc(wanted, MemoryLayout<JarDomain.Pointer?>.stride) else { return size > 0 }
    let fresh = raw.assumingMemoryBound(to: JarDomain.Pointer?.self)
    forEach { domain in
      let bucket = fresh + Int(truncatingIfNeeded: domain.pointee.hash) & (wanted &- 1)
      domain.pointee.next = bucket.pointee
      bucket.pointee = domain
    }
    free(buckets)
    buckets = fresh
    size = wanted
    return true
  }

  mutating func freeAll() {
    removeAll { _ in true }
    free(buckets)
    buckets = nil
    size = 0
  }
}
