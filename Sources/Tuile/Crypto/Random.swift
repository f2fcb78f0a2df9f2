import CSystem

enum Random {
  /// Fills `out` with `count` characters of an alphabet of at most 64, each equally
  /// likely: 32 of a-z and 0-9 carry 165 bits.
  static func characters(
    of alphabet: StaticString, _ out: UnsafeMutablePointer<UInt8>, count: Int
  ) throws(Failure) {
    let kinds = alphabet.count
    // The largest multiple: octets beyond it would favour some.
    guard kinds > 0 else { return }
    let most = 256 / kinds &* kinds
    var done = 0
    while done < count {
      done = try withScratch(48) { (block) throws(Failure) in
        guard sys_random(block, 48) else { throw .random }
        var next = done
        var i = 0
        while i < 48, next < count {
          let octet = Int(block[i])
          if octet < most {
            out[next] = alphabet.start[octet % max(1, kinds)]
            next &+= 1
          }
          i &+= 1
        }
        return next
      }
    }
  }
}
