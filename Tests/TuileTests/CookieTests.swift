import Testing

@testable import Tuile

@Suite struct CookieTests {
  func walk(_ header: [UInt8]) -> [String] {
    let parsed = CookieHeader(text: bytes(header))
    var position = 0
    var found: [String] = []
    while let pair = parsed.next(&position) { found.append("\(string(pair.name))|\(string(pair.value))") }
    return found
  }

  @Test func walksAsBrowsersMeanIt() {
    let cases: [(String, [String])] = [
      ("", []), (";", []), (" ; ;\t;", []), ("a=1", ["a|1"]), ("a=1; b=2", ["a|1", "b|2"]),
      ("a=1;b=2;", ["a|1", "b|2"]),
      (" a = 1 ;\tb\t=\t2\t", ["a|1", "b|2"]), ("a", ["|a"]), ("=a", ["|a"]), ("a=", ["a|"]), ("=", ["|"]),
      ("a=b=c", ["a|b=c"]), ("a=\"x y\"", ["a|\"x y\""]), ("a=1; a=2", ["a|1", "a|2"]),
      ("=__Host-x=1", ["|__Host-x=1"]),
      ("__proto__=1", ["__proto__|1"]), ("%41=1", ["%41|1"]),
    ]
    for (header, expected) in cases { #expect(walk(Array(header.utf8)) == expected, "\(header)") }
  }

  @Test func onlySpaceAndTabAreTrimmed() {
    // U+2000 before a name would make it another name to a parser that strips Unicode space.
    #expect(walk(Array("\u{2000}__Host-sid=evil".utf8)) == ["\u{2000}__Host-sid|evil"])
    #expect(walk([0x0B, 0x61, 0x3D, 0x31]) == ["\u{0B}a|1"])
  }

  @Test func takesTheFirstOrTheLast() {
    let header = CookieHeader(text: bytes("a=1; b=2; a=3"))
    #expect(string(header.value(of: bytes("a"), last: false)!) == "1")
    #expect(string(header.value(of: bytes("a"), last: true)!) == "3")
    #expect(header.value(of: bytes("A"), last: true) == nil)
  }

  func cookie(_ name: String, _ value: String = "1", path: String = "/") -> SetCookie {
    var cookie = SetCookie()
    cookie.name = bytes(name)
    cookie.value = bytes(value)
    cookie.path = bytes(path)
    return cookie
  }

  @Test func writesEveryAttribute() throws {
    var full = cookie("id", "v", path: "/p")
    full.domain = bytes("example.com")
    full.expires = 784_111_777
    full.maxAge = -5
    full.secure = true
    full.httpOnly = true
    full.partitioned = true
    full.sameSite = .none
    try full.check()
    #expect(
      written { full.write(to: &$0) }
        == "id=v; Domain=example.com; expires=Sun, 06 Nov 1994 08:49:37 GMT; HttpOnly; Max-Age=-5; Partitioned; Path=/p; SameSite=None; Secure"
    )
  }

  @Test func deletionTakesEffect() throws {
    for (name, secure) in [("a", false), ("__Secure-a", true), ("__HOST-a", true)] {
      let deletion = cookie(name).deletion
      #expect(deletion.secure == secure)
      try deletion.check()
    }
    var none = cookie("a")
    none.sameSite = .none
    #expect(none.deletion.secure)
  }

  @Test func noOctetOfDataBecomesAnAttribute() {
    for octet in UInt8.min...UInt8.max {
      let text = string(bytes([octet]))
      let token =
        "!#$%&'*+-.^_`|~".utf8.contains(octet) || (octet < 0x80 && Character(text).isLetter)
        || (octet < 0x80 && Character(text).isNumber)
      var named = cookie("a")
      named.name = bytes([0x61, octet])
      #expect(((try? named.check()) != nil) == token, "name octet \(octet)")
      var valued = cookie("a")
      valued.value = bytes([0x61, octet])
      let allowed = octet > 0x20 && octet < 0x7F && !"\",;\\".utf8.contains(octet)
      #expect(((try? valued.check()) != nil) == allowed, "value octet \(octet)")
      var pathed = cookie("a")
      pathed.path = bytes([0x2F, octet])
      #expect(((try? pathed.check()) != nil) == (octet >= 0x20 && octet < 0x7F && octet != 0x3B), "path octet \(octet)")
      if octet < 0x2D || octet == 0x3B || octet >= 0x7F {
        var hosted = cookie("a")
        hosted.domain = bytes([0x61, octet, 0x61])
        #expect((try? hosted.check()) == nil, "domain octet \(octet)")
      }
    }
  }

  @Test func refusesWhatBrowsersRefuse() {
    func breaks(_ name: String, _ change: (inout SetCookie) -> Void = { _ in }) -> Bool {
      var made = cookie(name)
      change(&made)
      return (try? made.check()) == nil
    }
    #expect(breaks(""))
    #expect(breaks("a") { $0.sameSite = .none })
    #expect(breaks("a") { $0.partitioned = true })
    #expect(breaks("__Secure-a") && breaks("__secure-a") && breaks("__Host-a") && breaks("__HOST-A"))
    #expect(
      breaks("__Host-a") {
        $0.secure = true; $0.domain = bytes("example.com")
      })
    #expect(
      breaks("__Host-a") {
        $0.secure = true; $0.path = bytes("/p")
      })
    #expect(breaks("__Http-a") { $0.secure = true })
    #expect(breaks("__Host-Http-a") { $0.secure = true })
    #expect(
      !breaks("__Host-Http-a") {
        $0.secure = true; $0.httpOnly = true
      })
    #expect(breaks("a") { $0.value = bytes(String(repeating: "x", count: 4096)) })
    #expect(!breaks("a") { $0.value = bytes(String(repeating: "x", count: 4095)) })
    #expect(breaks("a") { $0.path = bytes("/" + String(repeating: "x", count: 1024)) })
    #expect(breaks("a") { $0.path = bytes("relative") })
    for domain in [".", "..a", "a..b", "a.", "a b", "-;"] {
      #expect(breaks("a") { $0.domain = bytes(domain) }, "\(domain)")
    }
    #expect(breaks("a") { $0.value = bytes("\"") } && breaks("a") { $0.value = bytes("\"a") })
    #expect(!breaks("a") { $0.value = bytes("\"\"") } && !breaks("a") { $0.domain = bytes(".example.com") })
  }
}
