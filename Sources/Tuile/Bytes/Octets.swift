/// Numbers of `size` octets, at most 8; octets that are not there count as 0.
extension Bytes {
  /// The most significant first.
  func bigEndian(_ at: Int, _ size: Int) -> UInt64 {
    var value: UInt64 = 0
    var i = 0
    while i < size {
      value = value &<< 8 | UInt64(self[at &+ i])
      i &+= 1
    }
    return value
  }

  /// The least significant first.
  func littleEndian(_ at: Int, _ size: Int) -> UInt64 {
    var value: UInt64 = 0
    var i = size
    while i > 0 {
      i &-= 1
      value = value &<< 8 | UInt64(self[at &+ i])
    }
    return value
  }
}
