/// 0 up to a count: `for i in Indices(text.count)`. A Range of Int would trap where
/// its end is below 0; this is empty then.
struct Indices: Sequence, IteratorProtocol {
  private var index = 0
  private let count: Int

  @inline(__always)
  init(_ count: Int) { self.count = count }

  @inline(__always)
  mutating func next() -> Int? {
    guard index < count else { return nil }
    defer { index &+= 1 }
    return index
  }
}
