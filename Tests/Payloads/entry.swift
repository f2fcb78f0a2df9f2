import CTuile

/// What tests and fuzz targets call of the payloads, which the library has no function of its own for.
/// `out` gets the bytes, to be given to `payload_free`; the answer is a PayloadStatus, in its order.
@_cdecl("payload_run")
public func payloadRun(
  _ format: Int32, _ stored: tuile_bytes, _ json: UnsafePointer<tuile_bytes>?,
  _ out: UnsafeMutablePointer<tuile_bytes>
) -> Int32 {
  let formats: [7 of PayloadFormat] = [.json, .php, .phpSerialize, .phpBinary, .pickle, .msgpack, .marshal]
  guard let bytes = Bytes(stored), format >= 0, format < 7 else { return -1 }
  var buffer = ByteBuffer()
  let status: PayloadStatus
  if let json {
    guard let json = Bytes(json.pointee) else { return -1 }
    status = Payload.rewrite(bytes, formats[Int(format)], as: json, into: &buffer)
  } else {
    status = Payload.read(bytes, formats[Int(format)], into: &buffer)
  }
  let text = buffer.bytes
  let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: text.count + 1)
  copy.copy(text)
  out.pointee = tuile_bytes(data: UnsafeRawPointer(copy), size: text.count)
  switch status {
  case .ok: return 0
  case .malformed: return 1
  case .notRepresentable: return 2
  case .readOnly: return 3
  case .noMemory: return 4
  }
}

@_cdecl("payload_free")
public func payloadFree(_ bytes: tuile_bytes) { bytes.data?.deallocate() }
