import CSystem

enum Random {
  /// Fills `out` with `count` characters of a-z and 0-9, each equally likely:
  /// 32 of them carry 165 bits.
  static func lowercaseAlphanumerics(_ out: UnsafeMutablePointer<UInt8>, count: Int) throws(Failure) {
    var done = 0
    while done < count {
      var block: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
      let filled = withUnsafeMutableBytes(of: &block) { bytes in
        guard sys_random(bytes.baseAddress, 40) else { return false }
        var i = 0
        while i < 40, done < count {
          let byte = bytes[i]
          // 252 is the largest multiple of 36: the rest would favour some.
          if byte < 252 {
            let digit = byte % 36
            out[done] = digit < 26 ? 0x61 &+ digit : 0x30 &+ digit &- 26
            done &+= 1
          }
          i &+= 1
        }
        sys_wipe(bytes.baseAddress, 40)
        return true
      }
      guard filled else { throw .random }
    }
  }
}
