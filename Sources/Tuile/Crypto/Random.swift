import CSystem

enum Random {
  /// Fills `out` with `count` characters of a-z and 0-9, each equally likely:
  /// 32 of them carry 165 bits.
  static func lowercaseAlphanumerics(_ out: UnsafeMutablePointer<UInt8>, count: Int) throws(Failure) {
    var done = 0
    while done < count {
      done = try withScratch(40) { (block) throws(Failure) in
        guard sys_random(block, 40) else { throw .random }
        var next = done
        var i = 0
        while i < 40, next < count {
          let byte = block[i]
          // 252 is the largest multiple of 36: the rest would favour some.
          if byte < 252 {
            let digit = byte % 36
            out[next] = digit < 26 ? 0x61 &+ digit : 0x30 &+ digit &- 26
            next &+= 1
          }
          i &+= 1
        }
        return next
      }
    }
  }
}
