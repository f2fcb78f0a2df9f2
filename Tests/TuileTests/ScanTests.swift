import CSystem
import Testing

@testable import Tuile

/// Sixteen octets at a time must find what one at a time finds.
@Suite struct ScanTests {
  var random = SystemRandomNumberGenerator()

  /// Mostly letters, with the octets that matter strewn in.
  mutating func text(_ size: Int, _ special: [UInt8]) -> [UInt8] {
    (0..<size).map { _ in
      UInt8.random(in: 0..<20, using: &random) == 0 ? special.randomElement(using: &random)! : 0x61
    }
  }

  @Test mutating func pairs() {
    for _ in 0..<20_000 {
      let whole = bytes(text(Int.random(in: 0..<200, using: &random), [0x3B, 0x3D, 0x3C, 0xBB, 0xBD, 0]))
      defer { whole.start.deallocate() }
      let from = Int.random(in: 0...whole.count, using: &random)
      var (equals, plainEquals) = (-1, -1)
      let end = sys_find_pair(whole.start, from, whole.count, &equals)
      #expect(end == sys_find_pair_plain(whole.start, from, whole.count, &plainEquals))
      #expect(equals == plainEquals)
    }
  }

  /// Every way of finding 64 at a time gives the pairs that one look after the other finds.
  @Test mutating func writtenPairs() {
    for round in 0..<20_000 {
      let most = round % 100 == 0 ? 4097 : 300
      let special: [UInt8] = [0x3B, 0x3B, 0x3D, 0x3D, 0x20, 0x09, 0xBB, 0xBD] + (round % 10 == 0 ? [0] : [])
      let whole = bytes(text(Int.random(in: 0..<most, using: &random), special))
      defer { whole.start.deallocate() }
      var expected: [UInt8] = []
      var position = 0
      while let pair = CookieHeader(text: whole).next(&position) {
        for part in [pair.name, pair.value] {
          expected += UnsafeBufferPointer(start: part.start, count: part.count) + [0]
        }
      }
      let room = 2 * whole.count + 66
      let out = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
      defer { out.deallocate() }
      for way in [Int32(0), 1, 2] {
        let size = sys_write_pairs_by(way, whole.start, whole.count, out, room)
        if size == -2 { continue }
        let refuses = whole.count > 4096 || whole.contains(0)
        #expect(size == (refuses ? -1 : expected.count), "way \(way)")
        if size >= 0 { #expect(Array(UnsafeBufferPointer(start: out, count: size)) == expected, "way \(way)") }
        #expect(sys_write_pairs(whole.start, whole.count, out, room) == size)
      }
      #expect(sys_write_pairs(whole.start, whole.count, out, room - 1) == -1)
    }
  }

  /// Many octets at a time give what one group after the other gives, up to the same character that is none.
  @Test mutating func base64() {
    for round in 0..<20_000 {
      let (url, size) = (round % 2 == 0, Int.random(in: 0..<200, using: &random))
      let octets = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
      let view = bytes(octets)
      defer { view.start.deallocate() }
      let length = Base64URL.encodedSize(size)
      var (many, one) = ([UInt8](repeating: 0, count: length + 1), [UInt8](repeating: 0, count: length + 1))
      many.withUnsafeMutableBufferPointer { sys_base64_encode(url, view.start, size, $0.baseAddress!) }
      one.withUnsafeMutableBufferPointer { sys_base64_encode_plain(url, view.start, size, $0.baseAddress!) }
      #expect(many == one && many.last == 0)
      if length > 0, round % 3 == 0 {
        many[Int.random(in: 0..<length, using: &random)] = .random(in: 0...255, using: &random)
      }
      var (back, plainBack) = ([UInt8](repeating: 0, count: length + 1), [UInt8](repeating: 0, count: length + 1))
      let read = back.withUnsafeMutableBufferPointer { out in
        many.withUnsafeBufferPointer { sys_base64_decode(url, $0.baseAddress!, length, out.baseAddress!) }
      }
      let plainRead = plainBack.withUnsafeMutableBufferPointer { out in
        many.withUnsafeBufferPointer { sys_base64_decode_plain(url, $0.baseAddress!, length, out.baseAddress!) }
      }
      #expect(read == plainRead && back[..<(read / 4 * 3)] == plainBack[..<(read / 4 * 3)])
    }
  }

  @Test mutating func cookieOctets() {
    for octet in UInt8.min...UInt8.max {
      for at in [0, 1, 15, 16, 31, 40] {
        var array = [UInt8](repeating: 0x61, count: 41)
        array[at] = octet
        let value = bytes(array)
        defer { value.start.deallocate() }
        let allowed = octet > 0x20 && octet < 0x7F && !"\",;\\".utf8.contains(octet)
        #expect(sys_skip_cookie_octets(value.start, 0, 41) == (allowed ? 41 : at), "octet \(octet) at \(at)")
        let control = octet < 0x20 && octet != 0x09 || octet == 0x7F
        #expect(sys_find_control(value.start, 41) == (control ? at : 41), "octet \(octet) at \(at)")
      }
    }
  }

  @Test func classes() {
    for octet in UInt8.min...UInt8.max {
      let character = Character(UnicodeScalar(octet))
      let token = octet < 0x80 && (character.isLetter || character.isNumber || "!#$%&'*+-.^_`|~".contains(character))
      #expect(SetCookie.isTokenOctet(octet) == token, "\(octet)")
      #expect(SetCookie.isAttributeOctet(octet) == (octet >= 0x20 && octet < 0x7F && octet != 0x3B), "\(octet)")
      let safe = octet >= 0x20 && octet != 0x7F && octet != 0x3B
      #expect((sys_octet_class(octet) & 1 != 0) == safe, "\(octet)")
      let left = octet < 0x80 && (character.isLetter || character.isNumber || "-_.!~*'()".contains(character))
      #expect((sys_octet_class(octet) & 16 != 0) == left, "\(octet)")
    }
  }
}
