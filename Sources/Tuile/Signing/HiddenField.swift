import CSystem

/// A signed value in a form: the token of `[form, session, value]`, where session
/// is a hash of the session's key, since the page must not hold the key itself.
struct HiddenField {
  let name: Bytes
  let form: Bytes
  let sessionID: Bytes

  private static let hashSize = 16

  /// The token's JSON up to the value.
  private func head(to json: inout ByteBuffer) throws(Failure) {
    json.append(UInt8(ascii: "["))
    try JSONText.writeString(form, to: &json)
    json.append(",\"")
    var material = ByteBuffer()
    defer { material.wipe() }
    material.append("tuile hidden field\0")
    material.append(sessionID)
    guard !material.failed else { throw .memory }
    try withScratch(32) { (digest) throws(Failure) in
      Digest.sha256.hash(material.bytes, to: digest)
      Base64.url.encode(Bytes(digest, HiddenField.hashSize), to: &json)
    }
    json.append("\",")
  }

  func write(_ value: Bytes, _ signer: Dialect, now: Int64, to html: inout ByteBuffer) throws(Failure) {
    var json = ByteBuffer()
    try head(to: &json)
    try JSONText.writeString(value, to: &json)
    json.append(UInt8(ascii: "]"))
    guard !json.failed else { throw .memory }
    var token = ByteBuffer()
    try signer.dumps(json.bytes, compress: false, now: now, to: &token)
    html.append("<input type=\"hidden\" name=\"")
    HiddenField.escape(name, to: &html)
    html.append("\" value=\"")
    HiddenField.escape(token.bytes, to: &html)
    html.append("\">")
    guard !html.failed else { throw .memory }
  }

  private static func escape(_ text: Bytes, to html: inout ByteBuffer) {
    for i in Indices(text.count) {
      switch text[i] {
      case UInt8(ascii: "&"): html.append("&amp;")
      case UInt8(ascii: "<"): html.append("&lt;")
      case UInt8(ascii: ">"): html.append("&gt;")
      case UInt8(ascii: "\""): html.append("&quot;")
      case UInt8(ascii: "'"): html.append("&#x27;")
      default: html.append(text[i])
      }
    }
  }

  /// nil if the body has no such field. A field of another form or session is one
  /// whose signature does not match.
  func read(
    _ body: Bytes, _ signer: Dialect, maxAge: Int64?, now: Int64, to value: inout ByteBuffer
  ) throws(Failure) -> Dialect.Opened? {
    var token = ByteBuffer()
    guard try field(of: body, to: &token) else { return nil }
    var json = ByteBuffer()
    let opened = try signer.open(
      token.bytes, json: true, maxAge: maxAge, now: now, limit: Dialect.largest, to: &json)
    guard case .valid = opened else { return opened }
    // Both sides as the same writer puts them.
    var plain = ByteBuffer()
    try JSONText.canonicalize(json.bytes, to: &plain)
    var expected = ByteBuffer()
    try head(to: &expected)
    guard !expected.failed else { throw .memory }
    guard plain.bytes.hasPrefix(expected.bytes), plain.bytes[plain.count &- 1] == UInt8(ascii: "]") else {
      return .badSignature
    }
    try JSONText.readText(plain.bytes.slice(expected.count, plain.count &- 1), to: &value)
    return opened
  }

  /// Appends the first field of the name in an urlencoded body (WHATWG URL,
  /// section 5.1).
  private func field(of body: Bytes, to token: inout ByteBuffer) throws(Failure) -> Bool {
    var position = 0
    var given = ByteBuffer()
    while position < body.count {
      let end = body.find(UInt8(ascii: "&"), from: position)
      let equals = min(body.find(UInt8(ascii: "="), from: position), end)
      given.removeAll()
      try HiddenField.decode(body.slice(position, equals), to: &given)
      if given.bytes == name {
        try HiddenField.decode(body.slice(equals &+ 1, end), to: &token)
        return true
      }
      position = end &+ 1
    }
    return false
  }

  private static func decode(_ text: Bytes, to out: inout ByteBuffer) throws(Failure) {
    guard text.contains(UInt8(ascii: "+")) else {
      guard Percent.decode(text, to: &out) else { throw .memory }
      return
    }
    // '+' is a space where it stands in the text itself.
    var spaced = ByteBuffer()
    for i in Indices(text.count) {
      spaced.append(text[i] == UInt8(ascii: "+") ? UInt8(ascii: " ") : text[i])
    }
    guard !spaced.failed, Percent.decode(spaced.bytes, to: &out) else { throw .memory }
  }
}
