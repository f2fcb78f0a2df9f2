import CTuile

/// What an owner's list says of one session: JSON, at most 1024 bytes.
struct OwnerRecord {
  static let longestUserAgent = 256
  static let longestAddress = 64

  /// Unix seconds.
  var created: Int64
  var seen: Int64
  var userAgent = Bytes()
  var address = Bytes()

  func write(to out: inout ByteBuffer) throws(Failure) {
    out.append("{\"created\":")
    Numbers.writeDecimal(created, to: &out)
    out.append(",\"seen\":")
    Numbers.writeDecimal(seen, to: &out)
    out.append(",\"agent\":")
    OwnerRecord.write(userAgent, to: &out)
    out.append(",\"address\":")
    OwnerRecord.write(address, to: &out)
    out.append("}")
    guard !out.failed else { throw .memory }
  }

  /// Clients say what they like: anything but plain ASCII becomes '?'.
  private static func write(_ text: Bytes, to out: inout ByteBuffer) {
    out.append(UInt8(ascii: "\""))
    for i in Indices(text.count) {
      let c = text[i]
      if c == UInt8(ascii: "\"") || c == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
      out.append(c &- UInt8(ascii: " ") < 0x5F ? c : UInt8(ascii: "?"))
    }
    out.append(UInt8(ascii: "\""))
  }

  /// Reads a record; the texts live in the arena.
  init(_ json: Bytes, in arena: inout Arena) {
    func number(_ name: StaticString) -> Int64 {
      JSONText.member(name, of: json).flatMap { Numbers.read($0.raw, base: 10) } ?? 0
    }
    created = number("created")
    seen = number("seen")
    userAgent = OwnerRecord.text("agent", json, &arena)
    address = OwnerRecord.text("address", json, &arena)
  }

  init(created: Int64, seen: Int64, _ client: (userAgent: Bytes, address: Bytes)) {
    self.created = created
    self.seen = seen
    (userAgent, address) = client
  }

  /// What an older record of the same session says and this one does not.
  mutating func keep(_ older: OwnerRecord) {
    created = older.created
    if userAgent.isEmpty { userAgent = older.userAgent }
    if address.isEmpty { address = older.address }
  }

  private static func text(_ name: StaticString, _ json: Bytes, _ arena: inout Arena) -> Bytes {
    guard let (kind, raw) = JSONText.member(name, of: json), kind == .string else { return Bytes() }
    var text = ByteBuffer()
    guard (try? JSONText.readString(raw, lenient: true, to: &text)) != nil else { return Bytes() }
    return arena.copy(text.bytes) ?? Bytes()
  }
}
