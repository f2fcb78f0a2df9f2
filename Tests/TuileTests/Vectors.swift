import Foundation
import Testing

@testable import Tuile

/// Text for the life of the test run, since views borrow.
func bytes(_ text: String) -> Bytes { bytes(Array(text.utf8)) }

func bytes(_ array: [UInt8]) -> Bytes {
  let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, array.count))
  copy.update(from: array, count: array.count)
  return Bytes(copy, array.count)
}

func string(_ bytes: Bytes) -> String {
  String(decoding: UnsafeBufferPointer(start: bytes.start, count: bytes.count), as: UTF8.self)
}

/// What `write` writes.
func written(_ write: (inout ByteWriter) throws -> Void) rethrows -> String {
  var measure = ByteWriter()
  try write(&measure)
  let room = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, measure.count))
  defer { room.deallocate() }
  var writer = ByteWriter(room, capacity: measure.count)
  try write(&writer)
  #expect(writer.count == measure.count && writer.fits)
  return string(writer.written)
}

/// The cases of a file of Tests/vectors. Values are kept as JSON text, so that
/// order, numbers and escapes are those of the program that made them.
struct Vector: CustomStringConvertible {
  private var raw: [String: Bytes] = [:]

  static func cases(_ file: String, kind: String) throws -> [Vector] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let text = bytes(Array(try Data(contentsOf: folder.appendingPathComponent("vectors/\(file).json"))))
    var found: [Vector] = []
    var scanner = JSONScanner(member("cases", of: text))
    guard scanner.take(0x5B) else { return [] }
    repeat {
      guard let (_, object) = scanner.value() else { break }
      var vector = Vector()
      eachMember(of: object) { name, value in vector.raw[name] = value }
      if vector.text("kind") == kind { found.append(vector) }
    } while scanner.take(0x2C)
    try #require(!found.isEmpty, "no case of kind \(kind) in \(file).json")
    return found
  }

  private static func eachMember(of object: Bytes, _ body: (String, Bytes) -> Void) {
    var scanner = JSONScanner(object)
    guard scanner.take(0x7B), !scanner.take(0x7D) else { return }
    repeat {
      scanner.skipSpace()
      guard let name = scanner.string(), scanner.take(0x3A), let (_, value) = scanner.value() else { return }
      body(string(name.slice(1, name.count - 1)), value)
    } while scanner.take(0x2C)
  }

  private static func member(_ name: String, of object: Bytes) -> Bytes {
    var found = Bytes()
    eachMember(of: object) { if $0 == name { found = $1 } }
    return found
  }

  /// A string, decoded.
  func text(_ name: String) -> String {
    guard let value = raw[name] else { return "" }
    var buffer = ByteBuffer()
    try? JSONText.readString(value, lenient: true, to: &buffer)
    return string(buffer.bytes)
  }

  func json(_ name: String) -> Bytes { raw[name] ?? Bytes() }
  func integer(_ name: String) -> Int64? { raw[name].flatMap { Numbers.read($0, base: 10) } }
  func flag(_ name: String) -> Bool { raw[name].map { string($0) == "true" } ?? false }

  func list(_ name: String) -> [String] {
    guard let value = raw[name] else { return [] }
    var scanner = JSONScanner(value)
    var found: [String] = []
    guard scanner.take(0x5B), !scanner.take(0x5D) else { return [] }
    repeat {
      guard let (_, item) = scanner.value() else { break }
      found.append(string(item.slice(1, item.count - 1)))
    } while scanner.take(0x2C)
    return found
  }

  var description: String { "\(text("kind")) \(string(json("value")).prefix(40))" }
}
