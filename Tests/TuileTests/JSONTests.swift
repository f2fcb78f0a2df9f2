import Testing

@testable import Tuile

@Suite struct JSONTests {
  func canonical(_ text: String) -> String? {
    var buffer = ByteBuffer()
    do { try JSONText.canonicalize(bytes(text), to: &buffer) } catch { return nil }
    return string(buffer.bytes)
  }

  @Test func writesWhatPythonWrites() {
    #expect(canonical(" { \"a\" : [ 1 , 2.50 , null , true ] } ") == "{\"a\":[1,2.50,null,true]}")
    #expect(canonical("\"é😀\u{7F}/\"") == "\"\\u00e9\\ud83d\\ude00\\u007f/\"")
    #expect(canonical("\"\\u0041\\/\\b\\u000b\\ud800\"") == "\"A/\\b\\u000b\\ud800\"")
    #expect(canonical("[9007199254740993,1e100,-0.0,NaN,-Infinity]") == "[9007199254740993,1e100,-0.0,NaN,-Infinity]")
  }

  @Test(arguments: [
    "", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "01", "1.", ".5", "+1", "1e", "-", "nul", "\"", "\"\\x\"",
    "\"\\u12\"", "\"\n\"", "1 2", "[1]]", "'a'", "tru", "\"\\", "--1", "[", "{\"a\":", "Infinityx",
  ])
  func refuses(_ text: String) { #expect(canonical(text) == nil) }

  @Test func refusesTextThatIsNotUTF8() {
    var buffer = ByteBuffer()
    #expect(throws: Failure.self) { try JSONText.canonicalize(bytes([0x22, 0xFF, 0x22]), to: &buffer) }
  }

  @Test func boundsNesting() {
    let deep = { (n: Int) in String(repeating: "[", count: n) + String(repeating: "]", count: n) }
    #expect(canonical(deep(128)) != nil)
    #expect(canonical(deep(129)) == nil)
    #expect(canonical(deep(1_000_000)) == nil)
  }

  @Test func doublesAreWrittenAsPythonsRepr() {
    let pairs: [(Double, String)] = [
      (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (0.1, "0.1"), (1e16, "1e+16"), (1e15, "1000000000000000.0"),
      (1e-4, "0.0001"), (1e-5, "1e-05"), (1.5e300, "1.5e+300"), (123456.789, "123456.789"),
      (5e-324, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"), (2.0 / 3.0, "0.6666666666666666"),
    ]
    for (number, text) in pairs {
      var buffer = ByteBuffer()
      JSONText.writeDouble(number, to: &buffer)
      #expect(string(buffer.bytes) == text)
      #expect((try? JSONText.double(bytes(text)))?.bitPattern == number.bitPattern)
    }
  }

  @Test func doublesReadBackTheSame() {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let number = Double(bitPattern: state)
      guard number.isFinite else { continue }
      var buffer = ByteBuffer()
      JSONText.writeDouble(number, to: &buffer)
      #expect((try? JSONText.double(buffer.bytes)) == number)
    }
  }
}
