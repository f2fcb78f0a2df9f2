import CSystem

/// A hash for tables whose names come from outside: start and factor are drawn at
/// random, so that nobody can choose names that collide. Not a MAC: nothing of it
/// is ever shown.
struct SeededHash {
  private let seed: UInt64
  private let factor: UInt64

  init(seed: UInt64, factor: UInt64) {
    self.seed = seed
    self.factor = factor | 1
  }

  static func make() throws(Failure) -> SeededHash {
    var words: (UInt64, UInt64) = (0, 0)
    guard sys_random(&words.0, MemoryLayout<UInt64>.size), sys_random(&words.1, MemoryLayout<UInt64>.size) else {
      throw .random
    }
    return SeededHash(seed: words.0, factor: words.1)
  }

  /// Eight octets a step, after wyhash: a wide product folds both halves.
  func hash(_ text: Bytes) -> UInt64 {
    var hash = seed ^ UInt64(truncatingIfNeeded: text.count)
    let raw = UnsafeRawPointer(text.start)
    var i = 0
    while i &+ 8 <= text.count {
      hash = fold(hash ^ raw.loadUnaligned(fromByteOffset: i, as: UInt64.self))
      i &+= 8
    }
    var rest: UInt64 = 0
    while i < text.count {
      rest = rest &<< 8 | UInt64(text.start[i])
      i &+= 1
    }
    return fold(hash ^ rest)
  }

  private func fold(_ word: UInt64) -> UInt64 {
    let product = (word ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: factor)
    return product.high ^ product.low
  }
}
