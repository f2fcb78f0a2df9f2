import Foundation
import Testing

@testable import Tuile

@Suite struct BytesTests {
  @Test func readingPastAViewGivesNUL() {
    let view = bytes("abc")
    #expect(view[-1] == 0 && view[3] == 0 && view[Int.max] == 0 && view[2] == 0x63)
    #expect(string(view.slice(1, 99)) == "bc" && view.slice(5, 9).isEmpty && view.slice(2, 1).isEmpty)
  }

  @Test func base64AgreesWithFoundation() {
    for size in 0..<70 {
      let data = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ size) }
      let expected = Data(data).base64EncodedString().replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
      var encoded = [UInt8](repeating: 0, count: Base64URL.encodedSize(size) + 1)
      encoded.withUnsafeMutableBufferPointer { Base64URL.encode(bytes(data), to: $0.baseAddress!) }
      #expect(encoded.last == 0)
      #expect(String(decoding: encoded.dropLast(), as: UTF8.self) == expected)
      var decoded = [UInt8](repeating: 0, count: Base64URL.decodedSize(expected.utf8.count))
      let count = decoded.withUnsafeMutableBufferPointer { Base64URL.decode(bytes(expected), to: $0.baseAddress!) }
      #expect(count == size && Array(decoded[..<size]) == data)
    }
  }

  @Test func base64RefusesAllButItsAlphabet() {
    var out = [UInt8](repeating: 0, count: 8)
    for octet in UInt8.min...UInt8.max {
      let known = octet.isAlphanumeric || octet == 0x2D || octet == 0x5F
      let count = out.withUnsafeMutableBufferPointer {
        Base64URL.decode(bytes([0x41, 0x41, 0x41, octet]), to: $0.baseAddress!)
      }
      #expect((count != nil) == known, "octet \(octet)")
    }
    for text in ["A", "AAAAA", "AB", "AAB", "AA=", "AA=="] {
      let count = out.withUnsafeMutableBufferPointer { Base64URL.decode(bytes(text), to: $0.baseAddress!) }
      #expect(count == nil, "\(text) is not canonical")
    }
  }

  @Test func numbersRoundTripInEveryBase() {
    for number in [0, 1, -1, 61, 62, 63, 1_700_000_000, .max, .min, .min + 1] as [Int64] {
      for base in [10, 62] as [Int64] {
        let text = written { Numbers.write(number, base: UInt64(base), to: &$0) }
        #expect(Numbers.read(bytes(text), base: base) == number)
        if base == 10 { #expect(text == String(number)) }
      }
    }
    for text in ["", "-", "1-", "9223372036854775808", "-9223372036854775809", "1A", " 1", "+1"] {
      #expect(Numbers.read(bytes(text), base: 10) == nil, "\(text)")
    }
  }

  @Test func datesAgreeWithFoundation() {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.calendar = Calendar(identifier: .iso8601)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    var seconds: Int64 = -2_000_000_000
    while seconds < 40_000_000_000 {
      let text = written { Tuile.Date(seconds: seconds).writeIMF(to: &$0) }
      #expect(text == formatter.string(from: Foundation.Date(timeIntervalSince1970: Double(seconds))))
      let iso = written { Tuile.Date(seconds: seconds).writeISO(to: &$0) }
      #expect(Tuile.Date.readISO(bytes(iso)) == seconds * 1_000_000)
      seconds += 86_399 * 331 + 7
    }
    #expect(written { Tuile.Date(seconds: .min).writeIMF(to: &$0) } == "Mon, 01 Jan 0001 00:00:00 GMT")
    #expect(written { Tuile.Date(seconds: .max).writeIMF(to: &$0) } == "Fri, 31 Dec 9999 23:59:59 GMT")
  }

  @Test func readsDatesAsPythonDoesAndNothingElse() {
    let good: [(String, Int64)] = [
      ("1970-01-01", 0), ("1970-01-01T00:00:01", 1_000_000), ("1970-01-01 00:01", 60_000_000),
      ("1970-01-01T01:00:00+01:00", 0), ("1970-01-01T00:00:00.5Z", 500_000),
      ("1970-01-01T00:00:00.123456-00:30", 1_800_123_456), ("2024-02-29T00:00:00+00:00", 1_709_164_800_000_000),
    ]
    for (text, expected) in good { #expect(Tuile.Date.readISO(bytes(text)) == expected, "\(text)") }
    let bad = [
      "", "1970", "1970-1-1", "1970-13-01", "1970-00-10", "2023-02-29", "1970-01-01T24:00", "1970-01-01T00:60",
      "1970-01-01T00:00:60", "1970-01-01T00:00:00.", "1970-01-01T00:00:00.1234567", "1970-01-01T00:00:00+1",
      "1970-01-01T00:00:00+24:00", "0000-01-01", "1970-01-01x", "-970-01-01", "1970-01-01T-1:00",
    ]
    for text in bad { #expect(Tuile.Date.readISO(bytes(text)) == nil, "\(text)") }
  }

  @Test func storesTimesAsDjangoDoesInSQLite() {
    #expect(written { Tuile.Date.writeSQLite(microseconds: 1_700_000_000_000_000, to: &$0) } == "2023-11-14 22:13:20")
    #expect(
      written { Tuile.Date.writeSQLite(microseconds: 1_700_000_000_000_042, to: &$0) } == "2023-11-14 22:13:20.000042")
    #expect(written { Tuile.Date.writeSQLite(microseconds: -1, to: &$0) } == "1969-12-31 23:59:59.999999")
    for extreme in [Int64.min, .max] {
      #expect(written { Tuile.Date.writeSQLite(microseconds: extreme, to: &$0) }.utf8.count <= 26)
    }
  }

  @Test func utf8IsWhatFoundationTakes() {
    for first in UInt8.min...UInt8.max {
      for second in [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF] as [UInt8] {
        for tail in [[], [0x80], [0x80, 0x80]] as [[UInt8]] {
          let text = [first, second] + tail
          let valid = String(data: Data(text), encoding: .utf8) != nil
          #expect((UTF8Text.firstInvalid(bytes(text)) == nil) == valid, "\(text)")
        }
      }
    }
  }
}

extension UInt8 {
  fileprivate var isAlphanumeric: Bool {
    (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
  }
}
