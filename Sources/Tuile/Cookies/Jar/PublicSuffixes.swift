import CSystem
import CTuile

/// Which domains may not share cookies among all that lies below them.
enum PublicSuffixes {
  case libpsl(UnsafeRawPointer)
  /// Only names without a dot.
  case label
  case callback(tuile_public_suffix, UnsafeMutableRawPointer?)

  /// libpsl is loaded when the first jar asks for it, so that servers without a
  /// jar don't need it; it stays loaded.
  static func system() throws(Failure) -> PublicSuffixes {
    guard let list = sys_psl() else {
      throw Failure(
        status: TUILE_E_MISSING,
        message: "libpsl.so.5 is not installed: install it, or set suffixes or public_suffix in the configuration")
    }
    return .libpsl(list)
  }

  /// `domain` has no dot in front; letters of any case. "co.uk." is "co.uk".
  func contains(_ name: Bytes) -> Bool {
    let domain = name[name.count &- 1] == UInt8(ascii: ".") ? name.slice(0, name.count &- 1) : name
    switch self {
    case .label: return !domain.contains(UInt8(ascii: "."))
    case .libpsl(let list):
      return lowered(domain) { sys_psl_is_public_suffix(list, $0.start, $0.count) }
    case .callback(let callback, let context):
      return lowered(domain) { callback(context, $0.c) }
    }
  }

  /// The registrable domain: one label more than the public suffix that ends
  /// `host`; a host that is itself a public suffix, or an address, is its own site.
  func site(of host: Bytes, isAddress: Bool) -> Bytes {
    if isAddress || contains(host) { return host }
    var site = host
    while true {
      let parent = site.dropFirst(site.find(UInt8(ascii: ".")) &+ 1)
      if parent.isEmpty || contains(parent) { return site }
      site = parent
    }
  }

  private func lowered(_ domain: Bytes, _ body: (Bytes) -> Bool) -> Bool {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: HostName.largest &+ 1) { room in
      guard let start = room.baseAddress, domain.count <= HostName.largest else { return false }
      start.copy(lowercasing: domain)
      start[domain.count] = 0
      return body(Bytes(start, domain.count))
    }
  }
}

extension UnsafeMutablePointer<UInt8> {
  func copy(lowercasing bytes: Bytes) {
    for i in Indices(bytes.count) {
      let c = bytes.start[i]
      self[i] = c &- UInt8(ascii: "A") < 26 ? c | 0x20 : c
    }
  }
}
