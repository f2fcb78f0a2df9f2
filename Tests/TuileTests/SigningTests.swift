import CTuile
import Testing

@testable import Tuile

func signer(_ secret: String, fallbacks: [String] = [], salt: String, timed: Bool) throws -> DjangoSigner {
  let older = fallbacks.map { bytes($0).c }
  return try older.withUnsafeBufferPointer { list in
    try DjangoSigner.make(
      secrets: SecretList(secret: bytes(secret).c, fallbacks: list.baseAddress, count: list.count),
      salt: bytes(salt), timed: timed)
  }
}

@Suite struct SigningTests {
  @Test func signsAndVerifiesAsDjangosSigner() throws {
    for vector in try Vector.cases("django_signing", kind: "Signer") {
      let signer = try signer(vector.text("secret"), salt: vector.text("salt"), timed: false)
      let value = bytes(vector.text("value"))
      #expect(written { signer.sign(value, now: 0, to: &$0) } == vector.text("token"))
      guard case .valid(let answer) = signer.verify(bytes(vector.text("token")), maxAge: nil, now: 0) else {
        Issue.record("\(vector) does not verify")
        continue
      }
      #expect(answer.value == value && answer.timestamp == nil && answer.key == 0)
    }
  }

  @Test func signsAndVerifiesAsDjangosTimestampSigner() throws {
    for vector in try Vector.cases("django_signing", kind: "TimestampSigner") {
      let signer = try signer(vector.text("secret"), salt: vector.text("salt"), timed: true)
      let time = try #require(vector.integer("time"))
      let value = bytes(vector.text("value"))
      let token = bytes(vector.text("token"))
      #expect(written { signer.sign(value, now: time, to: &$0) } == vector.text("token"))
      guard case .valid(let answer) = signer.verify(token, maxAge: 10, now: time + 10) else {
        Issue.record("\(vector) does not verify")
        continue
      }
      #expect(answer.value == value && answer.timestamp == time)
      guard case .expired = signer.verify(token, maxAge: 10, now: time + 11) else {
        Issue.record("\(vector) is not expired")
        continue
      }
    }
  }

  @Test func dumpsAndLoadsAsDjango() throws {
    for vector in try Vector.cases("django_signing", kind: "dumps") {
      try roundTrip(vector, token: "token", compress: vector.flag("compress"))
    }
  }

  @Test func encodesSessionsAsDjangosSessionStore() throws {
    for vector in try Vector.cases("django_sessions", kind: "SessionStore.encode") {
      try roundTrip(vector, token: "session_data", compress: true)
    }
    for vector in try Vector.cases("django_sessions", kind: "signed_cookies session_key") {
      try roundTrip(vector, token: "token", compress: true)
    }
  }

  private func roundTrip(_ vector: Vector, token name: String, compress: Bool) throws {
    let signer = try signer(vector.text("secret"), salt: vector.text("salt"), timed: true)
    let time = try #require(vector.integer("time"))
    var payload = ByteBuffer()
    try JSONText.canonicalize(vector.json("payload"), to: &payload)
    var token = ByteBuffer()
    try signer.dumps(payload.bytes, compress: compress, now: time, to: &token)
    #expect(string(token.bytes) == vector.text(name))
    var loaded = ByteBuffer()
    guard case .valid = try signer.loads(bytes(vector.text(name)), maxAge: nil, now: time, limit: 1 << 20, to: &loaded)
    else {
      Issue.record("\(vector) does not load")
      return
    }
    #expect(string(loaded.bytes) == string(payload.bytes))
  }

  @Test func readsWhatAnOlderKeySignedAndSaysWhich() throws {
    for vector in try Vector.cases("django_signing", kind: "Signer, key in SECRET_KEY_FALLBACKS") {
      let signer = try signer(
        vector.text("secret"), fallbacks: vector.list("fallbacks"), salt: vector.text("salt"), timed: false)
      guard case .valid(let answer) = signer.verify(bytes(vector.text("token")), maxAge: nil, now: 0) else {
        Issue.record("an older key's signature does not verify")
        continue
      }
      #expect(string(answer.value) == vector.text("value") && answer.key == 1)
      // Rotation signs with the newest key.
      #expect(written { signer.sign(answer.value, now: 0, to: &$0) } != vector.text("token"))
    }
  }

  @Test func refusesEveryFlippedBitAndEveryTruncation() throws {
    let vectors = try Vector.cases("django_signing", kind: "TimestampSigner").filter {
      $0.text("token").utf8.count < 400
    }
    try #require(!vectors.isEmpty)
    for vector in vectors {
      let signer = try signer(vector.text("secret"), salt: vector.text("salt"), timed: true)
      var token = Array(vector.text("token").utf8)
      func refused(_ text: [UInt8]) -> Bool {
        let copy = bytes(text)
        defer { UnsafeMutablePointer(mutating: copy.start).deallocate() }
        if case .badSignature = signer.verify(copy, maxAge: nil, now: 0) { return true }
        return false
      }
      for bit in 0..<token.count * 8 {
        token[bit / 8] ^= 1 << (bit % 8)
        #expect(refused(token), "bit \(bit) flipped")
        token[bit / 8] ^= 1 << (bit % 8)
      }
      for size in 0..<token.count { #expect(refused(Array(token[..<size])), "cut to \(size)") }
      #expect(!refused(token))
    }
  }

  @Test func refusesAnotherSaltAndAnotherSecret() throws {
    let token = bytes(written { try! signer("k", salt: "a", timed: true).sign(bytes("v"), now: 1, to: &$0) })
    for other in [try signer("k", salt: "b", timed: true), try signer("l", salt: "a", timed: true)] {
      guard case .badSignature = other.verify(token, maxAge: nil, now: 1) else {
        Issue.record("a foreign token verifies")
        continue
      }
    }
  }

  @Test func boundsWhatADeflatedTokenBecomes() throws {
    let signer = try signer("k", salt: "s", timed: true)
    var bomb = ByteBuffer()
    bomb.append(0x22)
    for _ in 0..<100_000 { bomb.append("aaaaaaaaaa") }
    bomb.append(0x22)
    var token = ByteBuffer()
    try signer.dumps(bomb.bytes, compress: true, now: 1, to: &token)
    #expect(token.count < 3000)
    var out = ByteBuffer()
    #expect(throws: Failure.self) {
      _ = try signer.loads(token.bytes, maxAge: nil, now: 1, limit: 65536, to: &out)
    }
  }

  @Test func agesDoNotOverflow() throws {
    let signer = try signer("k", salt: "s", timed: true)
    let ancient = bytes(written { signer.sign(bytes("v"), now: .min, to: &$0) })
    guard case .expired = signer.verify(ancient, maxAge: .max, now: .max) else {
      Issue.record("the oldest token is not expired")
      return
    }
    let future = bytes(written { signer.sign(bytes("v"), now: .max, to: &$0) })
    guard case .valid = signer.verify(future, maxAge: 0, now: .min + 1) else {
      Issue.record("a token from the future is refused")
      return
    }
  }
}
