import CTuile

/// Rails with activerecord-session_store, in a table: Marshal in base64 with line breaks, or JSON
/// in the one member of an object. A row says when it was written, and no end.
final class ActiveRecordSessionStore: RubySerializedLayout {
  override func isFor(_ kind: Kind) -> Bool { kind == .sqlite || kind == .postgresql }
  override var shared: LayoutOptions.Names { [.table, .ttl] }

  /// Thirty days, as its task `db:sessions:trim` has it.
  override var standardAge: Int64? { options.ttl ?? 2_592_000 }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    Layout.write("table", options.table?.bytes ?? Bytes("sessions"), to: &url)
    var columns = ByteBuffer()
    columns.append("session_id:key,data:text,updated_at:utc-")
    Numbers.writeDecimal(standardAge ?? 0, to: &columns)
    columns.append(",created_at:made")
    guard !columns.failed else { throw .memory }
    Layout.write("columns", columns.bytes, to: &url)
  }

  override func read(_ stored: Bytes, limit: Int, into json: inout ByteBuffer) throws(Failure) -> Bool {
    guard stored.count <= limit else { throw .limit("the session is larger than max_data") }
    var session = ByteBuffer()
    guard try ActiveRecordSessionStore.open(stored, to: &session) else { return false }
    return try super.read(session.bytes, limit: limit, into: &json)
  }

  override func write(
    _ json: Bytes, base: Bytes, _ moment: LayoutMoment, to out: inout ByteBuffer
  ) throws(Failure) {
    var before = ByteBuffer()
    var session = ByteBuffer()
    if !base.isEmpty, try !ActiveRecordSessionStore.open(base, to: &before) {
      try PayloadLayout.check(.malformed)
    }
    try super.write(json, base: before.bytes, moment, to: &session)
    if session.bytes[0] == 0x04 {
      ActiveRecordSessionStore.encode(session.bytes, to: &out)
    } else {
      out.append("{\"value\":")
      out.append(session.bytes)
      out.append("}")
    }
    guard !out.failed else { throw .memory }
  }

  // MARK: What is around the session

  /// Appends the session alone; false if it is in neither form.
  private static func open(_ stored: Bytes, to session: inout ByteBuffer) throws(Failure) -> Bool {
    guard stored[0] == 0x7B else { return try decode(stored, to: &session) }
    guard JSONText.isObject(stored) else { return false }
    var members = JSONMembers(stored)
    guard let value = members.next(), try value.isNamed("value"), value.raw[0] == 0x7B, members.next() == nil else {
      return false
    }
    session.append(value.raw)
    guard !session.failed else { throw .memory }
    return true
  }

  /// Ruby's pack("m"): 45 bytes a line.
  private static let line = 45

  private static func encode(_ data: Bytes, to out: inout ByteBuffer) {
    var i = 0
    while i < data.count {
      Base64.standard.encode(data.slice(i, min(i &+ line, data.count)), to: &out)
      out.append(0x0A)
      i &+= line
    }
  }

  /// Marshal in base64, wherever the lines end; false if it is none.
  private static func decode(_ text: Bytes, to data: inout ByteBuffer) throws(Failure) -> Bool {
    var joined = ByteBuffer()
    var i = 0
    while i < text.count {
      let end = min(text.find(0x0A, from: i), text.count)
      joined.append(text.slice(i, end))
      i = end &+ 1
    }
    guard !joined.failed else { throw .memory }
    guard try Base64.standard.decode(joined.bytes, to: &data) else { return false }
    return data.bytes[0] == 0x04 && data.bytes[1] == 0x08
  }
}
