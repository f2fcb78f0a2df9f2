import Testing

@testable import Tuile

/// Walks through a store on its way into another one, which no URL names.
@Suite struct WalkTests {
  private let later: Int64 = 4_000_000_000_000_000

  private func keys(_ store: any Store, most: Int = .max) throws -> [String] {
    var found: [String] = []
    try store.keys(now: 0) { key, _ in
      found.append(string(key))
      return found.count < most
    }
    return found.sorted()
  }

  private func moving() throws -> (MovingStore, old: MemoryStore, new: MemoryStore) {
    let (old, new) = (try MemoryStore.make(limit: 0), try MemoryStore.make(limit: 0))
    for key: StaticString in ["stayinold", "movestonew", "endswhere"] {
      #expect(try old.create(Bytes(key), data: Bytes("x"), expires: later, now: 0))
    }
    #expect(try new.create(Bytes("madeinnew"), data: Bytes("x"), expires: later, now: 0))
    return (MovingStore(new: new, old: old), old, new)
  }

  @Test func givesWhatIsInEitherStoreButNoNote() throws {
    let (store, old, new) = try moving()
    #expect(try keys(store) == ["endswhere", "madeinnew", "movestonew", "stayinold"])
    var data = ByteBuffer()
    #expect(try store.load(Bytes("movestonew"), now: 0, into: &data) == later)
    try store.remove(Bytes("endswhere"))
    #expect(try keys(store) == ["madeinnew", "movestonew", "stayinold"])
    // Its note is there, and a copy that somebody brought back to the old store does not count.
    #expect(try old.create(Bytes("endswhere"), data: Bytes("x"), expires: later, now: 0))
    #expect(try keys(store) == ["madeinnew", "movestonew", "stayinold"])
    #expect(try keys(store, most: 1).count == 1 && keys(new).count == 3)
  }

  @Test func givesWhatMovesDuringTheWalk() throws {
    let (store, _, _) = try moving()
    var found: Set<String> = []
    var data = ByteBuffer()
    try store.keys(now: 0) { key, _ in
      // All that is not yet given moves behind the walk's back.
      for key: StaticString in ["stayinold", "movestonew", "endswhere"] {
        _ = try? store.load(Bytes(key), now: 0, into: &data)
      }
      found.insert(string(key))
      return true
    }
    #expect(found == ["endswhere", "madeinnew", "movestonew", "stayinold"])
  }

  @Test func givesTheOwnersOfBoth() throws {
    let (store, old, _) = try moving()
    try old.own(Bytes("ada"), Bytes("stayinold"), record: Bytes("r"), expires: later)
    try store.own(Bytes("grace"), Bytes("madeinnew"), record: Bytes("r"), expires: later)
    var found: Set<String> = []
    try store.owners { owner in
      found.insert(string(owner))
      return true
    }
    #expect(found == ["ada", "grace"])
    found = []
    try store.owners { owner in
      found.insert(string(owner))
      return false
    }
    #expect(found == ["ada"])
  }
}
