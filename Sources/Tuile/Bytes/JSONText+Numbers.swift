import CSystem
import CTuile

extension JSONText {
  /// As Python's repr writes it; `number` is finite.
  static func writeDouble(_ number: Double, to buffer: inout ByteBuffer) {
    _ = buffer.fill(32) { out in
      sys_double_write(number, UnsafeMutableRawPointer(out).assumingMemoryBound(to: CChar.self))
    }
  }

  /// The kind of a scanned value, from its text.
  static func type(of raw: Bytes) -> tuile_type {
    switch raw[0] {
    case UInt8(ascii: "\""): return TUILE_TYPE_STRING
    case UInt8(ascii: "{"): return TUILE_TYPE_OBJECT
    case UInt8(ascii: "["): return TUILE_TYPE_ARRAY
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return TUILE_TYPE_BOOL
    case UInt8(ascii: "n"): return TUILE_TYPE_NULL
    case UInt8(ascii: "N"), UInt8(ascii: "I"): return TUILE_TYPE_DOUBLE
    default: break
    }
    var i = raw[0] == UInt8(ascii: "-") ? 1 : 0
    while i < raw.count {
      if raw[i] &- UInt8(ascii: "0") > 9 { return TUILE_TYPE_DOUBLE }
      i &+= 1
    }
    return TUILE_TYPE_INT
  }

  static func integer(_ raw: Bytes) throws(Failure) -> Int64 {
    guard type(of: raw) == TUILE_TYPE_INT else { throw .type("the value is no integer") }
    guard let number = Numbers.read(raw, base: 10) else { throw .range("the integer does not fit in 64 bits") }
    return number
  }

  static func double(_ raw: Bytes) throws(Failure) -> Double {
    switch type(of: raw) {
    case TUILE_TYPE_INT, TUILE_TYPE_DOUBLE: break
    default: throw .type("the value is no number")
    }
    if raw == Bytes("NaN") { return .nan }
    if raw == Bytes("Infinity") { return .infinity }
    if raw == Bytes("-Infinity") { return -.infinity }
    guard raw.count < 400 else { throw .range("the number has more than 399 characters") }
    return sys_double_read(UnsafeRawPointer(raw.start).assumingMemoryBound(to: CChar.self), raw.count)
  }
}
