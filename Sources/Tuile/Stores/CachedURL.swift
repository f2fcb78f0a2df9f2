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
    // Where the front's URL begins in this one, and where `fresh`, which it has not, stood in it.
    let begin = scheme.count &+ hash &+ 1
    var (fresh, gap, gapSize): (Int64?, Int, Int) = (nil, Int.max, 0)
    var separator: UInt8 = UInt8(ascii: "?")
    var options = URLText.Options(front.dropFirst(question &+ 1))
    while let option = options.next() {
      if option.name == Bytes("fresh") {
        do throws(Failure) {
          fresh = try option.number(0...31_536_000)
        } catch {
          throw error.moved(by: begin &+ question &+ 1)
        }
        (gap, gapSize) = (question &+ 1 &+ option.offset, gapSize &+ option.name.count &+ option.value.count &+ 2)
        continue
      }
      frontURL.append(separator)
      frontURL.append(option.name)
      frontURL.append(UInt8(ascii: "="))
      frontURL.append(option.value)
      separator = UInt8(ascii: "&")
    }
    guard !frontURL.failed else { throw .memory }
    let back: any Store
    do throws(Failure) {
      back = try StoreURL.openPlain(rest.slice(0, hash))
    } catch {
      throw error.moved(by: scheme.count)
    }
    let cache: any Store
    do throws(Failure) {
      cache = try StoreURL.openPlain(frontURL.bytes)
    } catch {
      back.close()
      throw error.moved(by: begin &+ (error.offset >= gap ? gapSize : 0))
    }
    // Other processes don't write to this one's memory: a copy there counts for a second.
    let seconds = fresh ?? (cache.trusted ? 1 : 300)
    return CachedStore(back: back, front: cache, fresh: seconds &* 1_000_000)
  }
}
