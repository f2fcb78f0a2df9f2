import CSystem
import CTuile

/// Copies a result into the caller's buffer: all of it, or nothing and the size
/// that it needs.
func deliver(
  _ bytes: Bytes, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?
) -> tuile_status {
  guard capacity >= 0, buffer != nil || capacity == 0 else { return TUILE_E_ARGUMENT }
  size?.pointee = bytes.count
  guard bytes.count <= capacity else { return TUILE_E_SPACE }
  if let buffer, bytes.count > 0 {
    UnsafeMutableRawPointer(buffer).copyMemory(from: bytes.start, byteCount: bytes.count)
  }
  return TUILE_OK
}

/// As `deliver`, for what can be counted before it is written. Where the buffer
/// has room for `most`, the most that `body` can write, nothing is counted first.
func writing(
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?, most: Int,
  _ body: (inout ByteWriter) -> Void
) -> tuile_status {
  guard capacity >= 0, buffer != nil || capacity == 0 else { return TUILE_E_ARGUMENT }
  if let buffer, capacity >= most {
    var writer = ByteWriter(UnsafeMutableRawPointer(buffer).assumingMemoryBound(to: UInt8.self), capacity: capacity)
    body(&writer)
    size?.pointee = writer.count
    return TUILE_OK
  }
  var counter = ByteWriter()
  body(&counter)
  return writing(buffer, capacity, size, known: counter.count, body)
}

/// As `deliver`, for what will be `known` bytes.
func writing(
  _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: size_t, _ size: UnsafeMutablePointer<size_t>?, known: Int,
  _ body: (inout ByteWriter) -> Void
) -> tuile_status {
  guard capacity >= 0, buffer != nil || capacity == 0 else { return TUILE_E_ARGUMENT }
  size?.pointee = known
  guard known <= capacity, let buffer else { return known == 0 ? TUILE_OK : TUILE_E_SPACE }
  var writer = ByteWriter(UnsafeMutableRawPointer(buffer).assumingMemoryBound(to: UInt8.self), capacity: capacity)
  body(&writer)
  return TUILE_OK
}

/// Lends the path with a NUL behind it.
func withPath<Answer>(
  _ path: tuile_bytes, _ body: (UnsafePointer<CChar>) throws(Failure) -> Answer
) throws(Failure) -> Answer {
  guard let bytes = Bytes(path), !bytes.isEmpty, bytes.count <= 4096, !bytes.contains(0) else {
    throw .argument("the path is NULL, empty, over 4096 bytes or has a NUL in it")
  }
  return try withScratch(bytes.count &+ 1) { (text) throws(Failure) in
    text.copy(bytes)
    text[bytes.count] = 0
    return try body(UnsafeRawPointer(text).assumingMemoryBound(to: CChar.self))
  }
}

extension Failure {
  static func file(_ message: StaticString, _ number: Int32) -> Failure {
    guard number != ENOMEM else { return .memory }
    return Failure(status: TUILE_E_FILE, message: message, detail: Detail(strerror(number)))
  }
}

/// The present time where the caller gave none.
func seconds(_ now: Int64) -> Int64 { now == unset ? sys_now_microseconds() / 1_000_000 : now }
