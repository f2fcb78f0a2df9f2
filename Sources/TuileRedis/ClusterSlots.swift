/// The slots of a cluster: a key's own is the CRC16 of it, or of what stands in
/// its first braces (redis.io/docs/reference/cluster-spec).
enum ClusterSlots {
  static let count = 16384

  static func slot(of key: Bytes) -> Int {
    let open = key.find(UInt8(ascii: "{"))
    let close = key.find(UInt8(ascii: "}"), from: open)
    let hashed = close < key.count && close > open &+ 1 ? key.slice(open &+ 1, close) : key
    var crc: UInt16 = 0
    for i in Indices(hashed.count) {
      // Eight steps of the polynomial x^16 + x^12 + x^5 + 1 at once.
      var x = (crc &>> 8) ^ UInt16(hashed[i])
      x ^= x &>> 4
      crc = (crc &<< 8) ^ (x &<< 12) ^ (x &<< 5) ^ x
    }
    return Int(crc) & (count &- 1)
  }
}
