/// Sessions that are JSON already: what stays is copied as it stands, and what is
/// new is written as the rest is, with spaces or without, in ASCII or not.
enum PayloadJSON {
  static func read(_ stored: Bytes, into json: inout ByteBuffer) -> PayloadStatus {
    guard stored.count <= Payload.largest else { return .malformed }
    let answer = Payload.canonicalize(stored.isEmpty ? Bytes("{}") : stored, to: &json)
    guard answer == .ok else { return answer == .notRepresentable ? .malformed : answer }
    var members = JSONMembers(json.bytes)
    guard let names = PayloadNames() else { return .noMemory }
    while let member = members.next() {
      let added = names.add(member.name, 0)
      guard added == .ok else { return added == .readOnly ? .malformed : added }
    }
    return .ok
  }

  /// `known`: how the framework writes JSON; nil: as what is stored shows.
  static func rewrite(
    _ stored: Bytes, as json: Bytes, _ known: JSONStyle? = nil, into out: inout ByteBuffer
  ) -> PayloadStatus {
    var wanted = ByteBuffer()
    var shown = ByteBuffer()
    let canonical = Payload.canonicalize(json, to: &wanted)
    guard canonical == .ok else { return canonical }
    let found = read(stored, into: &shown)
    guard found == .ok else { return found }
    if !stored.isEmpty, shown.bytes == wanted.bytes {
      out.append(stored)
      return out.failed ? .noMemory : .ok
    }
    guard let names = PayloadNames(), let used = PayloadNames() else { return .noMemory }
    // The same members, as they stand and as they are shown.
    let old = PayloadIndices()
    var stands = JSONMembers(stored)
    var shows = JSONMembers(shown.bytes)
    var style = known ?? JSONStyle(ascii: isASCII(stored))
    while let member = shows.next(), let raw = stands.next() {
      guard names.add(member.name, old.count) == .ok else { return .noMemory }
      if old.count == 0, known == nil { style.spaced = isSpaced(raw) }
      old.append(raw.name, of: stored)
      old.append(raw.raw, of: stored)
      old.append(member.raw, of: shown.bytes)
    }
    guard !old.failed else { return .noMemory }
    out.append(0x7B)
    var members = JSONMembers(wanted.bytes)
    var first = true
    while let member = members.next() {
      let added = used.add(member.name, 0)
      guard added == .ok else { return added == .readOnly ? .notRepresentable : added }
      if !first { out.append(style.spaced ? ", " : ",") }
      first = false
      let at = names.find(member.name)
      if let at {
        out.append(stored.slice(old[at], old[at] &+ old[at &+ 1]))
      } else if !write(member.name, style, to: &out) {
        return .noMemory
      }
      out.append(style.spaced ? ": " : ":")
      if let at, shown.bytes.slice(old[at &+ 4], old[at &+ 4] &+ old[at &+ 5]) == member.raw {
        out.append(stored.slice(old[at &+ 2], old[at &+ 2] &+ old[at &+ 3]))
      } else if !write(member.raw, style, to: &out) {
        return .noMemory
      }
    }
    out.append(0x7D)
    return out.failed ? .noMemory : .ok
  }

  private static func isASCII(_ text: Bytes) -> Bool {
    for i in Indices(text.count) {
      if text[i] >= 0x80 { return false }
    }
    return true
  }

  /// Whether a space stands between a name and its value.
  private static func isSpaced(_ member: JSONMembers.Member) -> Bool {
    member.raw.start - member.name.end > 1
  }

  private static func write(_ text: Bytes, _ style: JSONStyle, to out: inout ByteBuffer) -> Bool {
    do throws(Failure) {
      try JSONText.write(text, style, to: &out)
    } catch {
      return false
    }
    return true
  }
}
