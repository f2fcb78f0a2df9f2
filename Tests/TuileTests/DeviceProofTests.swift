import Foundation
import Testing

@testable import Tuile

/// Proofs that Chromium 156 sent, with the challenges that it was given.
@Suite struct DeviceProofTests {
  private static func traffic() throws -> [(name: String, value: String)] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = folder.appendingPathComponent("vectors/device/chromium156.txt")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
      guard let colon = line.firstIndex(of: ":"), line.hasPrefix("> ") || line.hasPrefix("< ") else { return nil }
      return (String(line[..<colon].dropFirst(2)), String(line[colon...].dropFirst(2)))
    }
  }

  @Test func realProofs() throws {
    var challenge = ""
    var form = ByteBuffer()
    var (registered, refreshed) = (0, 0)
    for (name, value) in try DeviceProofTests.traffic() {
      if name == "Secure-Session-Registration" {
        challenge = value.components(separatedBy: "challenge=\"")[1].components(separatedBy: "\"")[0]
      } else if name == "Secure-Session-Challenge" {
        challenge = value.components(separatedBy: "\"")[1]
      } else if name == "Secure-Session-Response" {
        guard let proof = try DeviceProof.read(bytes(value)) else {
          Issue.record("no proof: \(value)")
          continue
        }
        #expect(string(proof.challenge) == challenge)
        if let key = try proof.registeredKey() {
          form.append(key.form)
          registered += 1
          #expect(!proof.isMade(by: key))
        } else {
          let made = proof.isMade(by: DeviceKey(.es256, form: form.bytes))
          #expect(made)
          let confused = proof.isMade(by: DeviceKey(.rs256, form: form.bytes))
          #expect(!confused)
          refreshed += 1
        }
      }
    }
    #expect(registered == 1)
    #expect(refreshed == 5)
  }

  @Test func bindingsStayAndChecksHold() throws {
    var arena = Arena(limit: 1 << 16)
    for alphabet in ["abcdefghijklmnopqrstuvwxyz0123456789", "0123456789abcdef"] as [StaticString] {
      let form = BoundID(alphabet)
      let binding = Bytes(alphabet).slice(0, form.bindingSize)
      let id = try form.make(binding, in: &arena)
      #expect(id.count == form.size && form.contains(id))
      let found = form.binding(of: id)
      #expect(found.map(string) == string(binding))
      let again = try form.make(binding, in: &arena)
      #expect(!(again == id))
      for i in 0..<id.count {
        var other = Array(UnsafeBufferPointer(start: id.start, count: id.count))
        other[i] = other[i] == alphabet.start[0] ? alphabet.start[1] : alphabet.start[0]
        #expect(!form.contains(bytes(other)))
      }
      #expect(!form.contains(id.dropFirst(1)))
    }
    for _ in 0..<1000 {
      let made = try SessionKey.make(in: &arena)
      let isBound = BoundID(SessionKey.alphabet).contains(made)
      #expect(!isBound)
    }
  }
}
