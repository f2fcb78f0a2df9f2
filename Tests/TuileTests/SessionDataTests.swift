import Testing

@testable import Tuile

/// `#expect` takes no values that can't be copied: this one can be referred to.
private final class Loaded {
  private var data: SessionData

  init(_ json: String, arenaLimit: Int = 1 << 20) throws {
    data = SessionData(arenaLimit: arenaLimit, hashing: SeededHash(seed: 1, factor: 3))
    try data.replay(on: bytes(json))
  }

  var liveCount: Int { data.entries.liveCount }
  func text() throws -> String {
    var out = ByteBuffer()
    try data.write(to: &out)
    return string(out.bytes)
  }
  func replay(on json: String) throws { try data.replay(on: bytes(json)) }
  func set(_ name: String, _ value: SessionData.Value) throws { try data.set(bytes(name), value) }
  func add(_ name: String, _ delta: Int64) throws -> Int64 { try data.add(bytes(name), delta) }
  func remove(_ name: String) -> Bool { data.remove(bytes(name)) }
  func clear() { data.clear(everything: false) }
  func value(of name: String) -> String? { data.value(of: bytes(name)).map { string($0) } }
}

@Suite struct SessionDataTests {
  @Test func keepsWhatItDoesNotTouchToTheByte() throws {
    let json = "{\"a\":9007199254740993,\"b\":1e+100,\"\\ud800\":-0.0,\"c\":{\"x\":[NaN]}}"
    let data = try Loaded(json)
    #expect(try data.text() == json)
  }

  @Test func keepsPythonsOrder() throws {
    let data = try Loaded("{\"a\":1,\"b\":2,\"a\":3}")
    #expect(try data.text() == "{\"a\":3,\"b\":2}")
    try data.set("a", .integer(4))
    #expect(try data.text() == "{\"a\":4,\"b\":2}")
    #expect(data.remove("a"))
    #expect(!data.remove("a"))
    try data.set("a", .integer(5))
    #expect(try data.text() == "{\"b\":2,\"a\":5}")
  }

  @Test func replaysOnWhatAnotherRequestLeft() throws {
    let data = try Loaded("{\"n\":1,\"gone\":1,\"kept\":1}")
    #expect(try data.add("n", 2) == 3)
    try data.set("mine", .string(bytes("é")))
    _ = data.remove("gone")
    try data.replay(on: "{\"n\":10,\"gone\":2,\"theirs\":7,\"kept\":8}")
    #expect(try data.text() == "{\"n\":12,\"theirs\":7,\"kept\":8,\"mine\":\"\\u00e9\"}")
    // And once more: a replay is no change of its own.
    try data.replay(on: "{\"n\":20,\"mine\":0}")
    #expect(try data.text() == "{\"n\":22,\"mine\":\"\\u00e9\"}")
    try data.replay(on: "{\"gone\":3}")
    #expect(try data.text() == "{\"n\":2,\"mine\":\"\\u00e9\"}")
  }

  @Test func clearDropsWhatOthersSetToo() throws {
    let data = try Loaded("{\"a\":1}")
    data.clear()
    try data.set("b", .text("true"))
    try data.replay(on: "{\"a\":2,\"c\":3}")
    #expect(try data.text() == "{\"b\":true}")
  }

  @Test func addingToASetValueStaysASet() throws {
    let data = try Loaded("{\"n\":1}")
    try data.set("n", .integer(100))
    #expect(try data.add("n", 1) == 101)
    try data.replay(on: "{\"n\":7}")
    #expect(try data.text() == "{\"n\":101}")
  }

  @Test func addRefusesWhatIsNoIntegerOrDoesNotFit() throws {
    let data = try Loaded("{\"t\":\"1\",\"d\":1.0,\"m\":9223372036854775807,\"b\":true,\"big\":9223372036854775808}")
    for name in ["t", "d", "m", "b", "big"] {
      #expect(throws: Failure.self) { _ = try data.add(name, 1) }
    }
    #expect(try data.add("m", -1) == 9_223_372_036_854_775_806)
  }

  @Test func aCounterThatTurnedToTextFollowsTheLastWriter() throws {
    let data = try Loaded("{\"n\":1}")
    _ = try data.add("n", 1)
    try data.replay(on: "{\"n\":\"text\"}")
    #expect(try data.text() == "{\"n\":2}")
  }

  @Test func findsAmongManyKeys() throws {
    let data = try Loaded("{}")
    for round in 0..<3 {
      for i in 0..<2000 { try data.set("key\(i)", .integer(Int64(i + round))) }
      for i in stride(from: 0, to: 2000, by: 3) { #expect(data.remove("key\(i)")) }
      for i in 0..<2000 {
        let value = data.value(of: "key\(i)")
        #expect(i % 3 == 0 ? value == nil : value == "\(i + round)")
      }
    }
    #expect(data.liveCount == 2000 - 667)
  }

  @Test func boundsWhatOneRequestMayChange() throws {
    let data = try Loaded("{}", arenaLimit: 1 << 16)
    let large = bytes(String(repeating: "x", count: 40_000))
    try data.set("a", .string(large))
    #expect(throws: Failure.self) { try data.set("b", .string(large)) }
  }

  @Test(arguments: ["", "[]", "1", "{\"a\":1", "{\"a\":1}x", "{\"a\" 1}", "{1:1}", "{\"a\":1,}"])
  func refuses(_ json: String) { #expect(throws: Failure.self) { _ = try Loaded(json) } }
}
