/// cached+URL#FRONT: the front is memory: unless it is said, and takes one more
/// option, `fresh`, in seconds.
extension CachedStore {
  static let scheme: StaticString = "cached+"

  static func open(_ url: Bytes) throws(Failure) -> CachedStore {
    let rest = url.dropFirst(scheme.count)
    let hash = rest.find(UInt8(ascii: "#"))
    let front = rest.dropFirst(hash &+ 1)
    guard !rest.hasPrefix(Bytes(scheme)), !front.hasPrefix(Bytes(scheme)) else {
      throw .syntax("a cached store in a cached store", at: scheme.count)
    }
    var frontURL = ByteBuffer()
    let question = front.find(UInt8(ascii: "?"))
    frontURL.append(front.isEmpty ? Bytes("memory:") : front.slice(0, question))
    var fresh: Int64?
    var separator: UInt8 = UInt8(ascii: "?")
    var options = URLText.Options(front.dropFirst(question &+ 1))
    while let option = options.next() {
      if option.name == Bytes("fresh") {
        fresh = try option.number(0...31_536_000)
        continue
      }
      frontURL.append(separator)
      frontURL.append(option.name)
      frontURL.append(UInt8(ascii: "="))
      frontURL.append(option.value)
      separator = UInt8(ascii: "&")
    }
    guard !frontURL.failed else { throw .memory }
    let back = try StoreURL.open(rest.slice(0, hash))
    let cache: any Store
    do throws(Failure) {
      cache = try StoreURL.open(frontURL.bytes)
    } catch {
      back.close()
      throw error
    }
    // Other processes don't write to this one's memory: a copy there counts for a second.
    let seconds = fresh ?? (cache.trusted ? 1 : 300)
    return CachedStore(back: back, front: cache, fresh: seconds &* 1_000_000)
  }
}
