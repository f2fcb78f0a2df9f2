import CTuile

/// What tests and fuzz targets call of the payloads, which the library has no function of its own for.
/// `format` and 16: read by the tree, as what is not plain is.
/// `out` gets the bytes, to be given to `payload_free`; the answer is a PayloadStatus, in its order.
@_cdecl("payload_run")
public func payloadRun(
  _ format: Int32, _ stored: tuile_bytes, _ json: UnsafePointer<tuile_bytes>?,
  _ out: UnsafeMutablePointer<tuile_bytes>
) -> Int32 {
  let formats: [7 of PayloadFormat] = [.json, .php, .phpSerialize, .phpBinary, .pickle, .msgpack, .marshal]
  let byTree = format & 16 != 0
  let format = Int(format & ~16)
  guard let bytes = Bytes(stored), format >= 0, format < 7 else { return -1 }
  var buffer = ByteBuffer()
  let status: PayloadStatus
  if let json {
    guard let json = Bytes(json.pointee) else { return -1 }
    status = Payload.rewrite(bytes, formats[format], as: json, into: &buffer)
  } else if byTree {
    status = Payload.readByTree(bytes, formats[format], into: &buffer)
  } else {
    status = Payload.read(bytes, formats[format], into: &buffer)
  }
  return give(buffer.bytes, status, to: out)
}

private func give(_ text: Bytes, _ status: PayloadStatus, to out: UnsafeMutablePointer<tuile_bytes>) -> Int32 {
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

/// An entry of Rails' cache: read, as JSON, or written with the session that `json` says, made at
/// `now` and ending at `expires`, in the form that was found, or, where nothing is stored, in `form`:
/// 0 to 2 for 6.1, 7.0 and 7.1.
@_cdecl("payload_rails")
public func payloadRails(
  _ form: Int32, _ stored: tuile_bytes, _ json: UnsafePointer<tuile_bytes>?, _ now: Int64, _ expires: Int64,
  _ out: UnsafeMutablePointer<tuile_bytes>
) -> Int32 {
  guard let bytes = Bytes(stored) else { return -1 }
  var entry = RailsEntry(form == 0 ? .v61 : form == 1 ? .v70 : .v71)
  var buffer = ByteBuffer()
  var status = bytes.isEmpty && json != nil ? .ok : entry.read(bytes)
  if status == .ok {
    if let json {
      guard let json = Bytes(json.pointee) else { return -1 }
      var session = ByteBuffer()
      status = Payload.rewrite(entry.session.bytes, .marshal, as: json, into: &session)
      if status == .ok { status = entry.write(session.bytes, now: now, expires: expires, to: &buffer) }
    } else {
      status = Payload.read(entry.session.bytes, .marshal, into: &buffer)
    }
  }
  return give(buffer.bytes, status, to: out)
}
