import CSystem

/// Names and single values as JSON.
extension PayloadTree {
  var isPHP: Bool {
    switch format {
    case .php, .phpSerialize, .phpBinary: return true
    case .json, .pickle, .msgpack, .marshal: return false
    }
  }

  /// What a map is called where its keys are no strings.
  var mapName: StaticString {
    switch format {
    case .pickle, .msgpack, .json: return "dict"
    case .marshal: return "hash"
    case .php, .phpSerialize, .phpBinary: return "array"
    }
  }

  private func isText(_ index: Int) -> Bool {
    guard node(index).pointee.kind == .string else { return false }
    var rest = text(index)
    while let invalid = UTF8Text.firstInvalid(rest) {
      guard format == .pickle, Self.isSurrogate(rest, at: invalid) else { return false }
      rest = rest.dropFirst(invalid &+ 3)
    }
    return true
  }

  /// Whether a key of the session is shown as a name. PHP has no other "42" than 42.
  func isName(_ key: Int) -> Bool {
    let key = resolved(key)
    if node(key).pointee.kind == .int { return isPHP }
    return isText(key)
  }

  /// Whether a map can be a JSON object that nobody takes for a placeholder.
  func isObject(_ map: Int) -> Bool {
    var key = Int(node(map).pointee.first)
    while key != 0 {
      let name = resolved(key)
      guard isText(name), !(text(name) == Bytes("$type")) else { return false }
      key = Int(node(node(key).pointee.next).pointee.next)
    }
    return hasUniqueNames(map)
  }

  /// False, too, if there is no memory to tell.
  private func hasUniqueNames(_ map: Int) -> Bool {
    if node(map).pointee.count <= 2 { return true }
    guard let names = PayloadNames() else { return false }
    var key = Int(node(map).pointee.first)
    while key != 0 {
      if map != root || isName(key) {
        guard names.add(text(resolved(key)), 0) == .ok else { return false }
      }
      key = Int(node(node(key).pointee.next).pointee.next)
    }
    return true
  }

  /// The session's own names, each of which must be there once, the one of what has no name, too.
  func hasUniqueNames() -> Bool { hasUniqueNames(root) }

  func showName(_ key: Int, in json: inout ByteBuffer) -> Bool {
    let from = json.count
    guard showString(text(resolved(key)), in: &json) else { return false }
    node(key).pointee.json = Int32(truncatingIfNeeded: from)
    node(key).pointee.jsonEnd = Int32(truncatingIfNeeded: json.count)
    return true
  }

  /// A string in quotes; false, and nothing written, if it is no text.
  private func showString(_ text: Bytes, in json: inout ByteBuffer) -> Bool {
    let from = json.count
    do throws(Failure) {
      try JSONText.writeString(text, to: &json)
      return true
    } catch {
      json.truncate(from)
    }
    guard format == .pickle, !json.failed else { return false }
    // Python's strings may hold half a surrogate pair.
    json.append(0x22)
    var i = 0
    while i < text.count {
      let rest = text.dropFirst(i)
      let valid = UTF8Text.firstInvalid(rest) ?? rest.count
      do throws(Failure) {
        // In quotes of its own, which are taken away again.
        var piece = ByteBuffer()
        try JSONText.writeString(rest.slice(0, valid), to: &piece)
        json.append(piece.bytes.slice(1, piece.count &- 1))
      } catch {
        return false
      }
      i &+= valid
      guard i < text.count else { break }
      guard Self.isSurrogate(text, at: i) else {
        json.truncate(from)
        return false
      }
      json.append("\\ud")
      Hex.encode(UInt64(text[i &+ 1] & 0x3F) &<< 6 | UInt64(text[i &+ 2] & 0x3F), digits: 3, to: &json)
      i &+= 3
    }
    json.append(0x22)
    return true
  }

  static func isSurrogate(_ text: Bytes, at i: Int) -> Bool {
    text[i] == 0xED && text[i &+ 1] & 0xE0 == 0xA0 && text[i &+ 2] & 0xC0 == 0x80
  }

  /// Writes a value that holds no others; whether it is a placeholder.
  func showLeaf(_ index: Int, in json: inout ByteBuffer) -> Bool {
    let leaf = node(index).pointee
    switch leaf.kind {
    case .null: json.append("null")
    case .no: json.append("false")
    case .yes: json.append("true")
    case .int: Numbers.writeDecimal(leaf.value, to: &json)
    case .double: JSONText.writeDouble(Double(bitPattern: UInt64(bitPattern: leaf.value)), to: &json)
    case .string:
      if showString(text(index), in: &json) { return false }
      showBytes("bytes", index, in: &json)
      return true
    case .wide:
      if format == .msgpack {
        let number = UInt64(bitPattern: leaf.value)
        Numbers.writeDecimal(Int64(truncatingIfNeeded: number / 10), to: &json)
        json.append(0x30 &+ UInt8(truncatingIfNeeded: number % 10))
        return false
      }
      let number = text(index)
      if number.count <= Payload.widestInteger {
        WideInteger.write(number, isSigned: leaf.op == 0, isNegative: leaf.op == 2, to: &json)
        return false
      }
      json.append("{\"$type\":\"integer\",\"bytes\":")
      Numbers.writeDecimal(Int64(number.count), to: &json)
      json.append(0x7D)
      return true
    case .bytes:
      // Ruby's text that has more than an encoding is shown, and can't be changed.
      if format == .marshal, leaf.op == 0x49, isUTF8(index), showString(text(index), in: &json) { return true }
      showBytes("bytes", index, in: &json)
      return true
    case .byteArray:
      showBytes("bytearray", index, in: &json)
      return true
    case .infinite:
      showInfinite(Double(bitPattern: UInt64(bitPattern: leaf.value)), in: &json)
      return true
    case .symbol:
      showNamed("symbol", "value", text(index), in: &json)
      return true
    case .enumCase:
      showEnum(text(index), in: &json)
      return true
    case .object:
      showObject(index, in: &json)
      return true
    case .date:
      showTimestamp(index, in: &json)
      return true
    case .list, .map, .tuple, .set, .frozenSet, .ref: json.append("null")
    }
    return false
  }

  private func showBytes(_ type: StaticString, _ index: Int, in json: inout ByteBuffer) {
    json.append("{\"$type\":\"")
    json.append(type)
    showEncoding(index, in: &json)
    json.append("\",\"base64\":\"")
    Base64.standard.encode(octets(index), to: &json)
    json.append("\"}")
  }

  /// A placeholder with one text, which is shown in base64 if it is none.
  func showNamed(_ type: StaticString, _ name: StaticString, _ value: Bytes, in json: inout ByteBuffer) {
    json.append("{\"$type\":\"")
    json.append(type)
    json.append("\",\"")
    json.append(name)
    json.append("\":")
    showText(value, in: &json)
    json.append(0x7D)
  }

  func showText(_ value: Bytes, in json: inout ByteBuffer) {
    if showString(value, in: &json) { return }
    json.append("{\"$type\":\"bytes\",\"base64\":\"")
    Base64.standard.encode(value, to: &json)
    json.append("\"}")
  }

  private func showObject(_ index: Int, in json: inout ByteBuffer) {
    switch format {
    case .pickle: showPickled(index, in: &json)
    case .msgpack:
      json.append("{\"$type\":\"extension\",\"number\":")
      Numbers.writeDecimal(node(index).pointee.value, to: &json)
      json.append(0x7D)
    case .marshal: showNamed("object", "class", rubyClass(index), in: &json)
    case .json, .php, .phpSerialize, .phpBinary:
      showNamed("object", "class", text(index), in: &json)
    }
  }

  /// Whether a string with instance variables says that it is in UTF-8.
  private func isUTF8(_ index: Int) -> Bool {
    var name = Int(node(node(index).pointee.first).pointee.next)
    while name != 0 {
      let value = node(Int(node(name).pointee.next)).pointee
      if text(name) == Bytes("E") { return value.kind == .yes }
      name = Int(value.next)
    }
    return false
  }

  /// Ruby's strings have one each.
  private func showEncoding(_ index: Int, in json: inout ByteBuffer) {
    guard format == .marshal else { return }
    let found = node(index).pointee
    json.append("\",\"encoding\":")
    if found.kind == .string {
      json.append(found.count == 1 ? "\"UTF-8" : "\"US-ASCII")
      return
    }
    guard found.op == 0x49 else {
      json.append("\"ASCII-8BIT")
      return
    }
    // The instance variables of the string, a name and a value each.
    var name = Int(node(found.first).pointee.next)
    while name != 0 {
      let value = Int(node(name).pointee.next)
      if text(name) == Bytes("encoding"), isPlain(text(resolved(value))) {
        json.append(0x22)
        json.append(text(resolved(value)))
        return
      }
      if text(name) == Bytes("E") {
        json.append(node(value).pointee.kind == .yes ? "\"UTF-8" : "\"US-ASCII")
        return
      }
      name = Int(node(value).pointee.next)
    }
    json.append("\"ASCII-8BIT")
  }

  /// As the language writes it.
  private func showInfinite(_ number: Double, in json: inout ByteBuffer) {
    let name: StaticString
    switch format {
    case .php, .phpSerialize, .phpBinary: name = number.isNaN ? "NAN" : number > 0 ? "INF" : "-INF"
    case .marshal: name = number.isNaN ? "NaN" : number > 0 ? "Infinity" : "-Infinity"
    case .json, .pickle, .msgpack: name = number.isNaN ? "nan" : number > 0 ? "inf" : "-inf"
    }
    showNamed("float", "value", Bytes(name), in: &json)
  }

  /// PHP's Class:Case.
  private func showEnum(_ text: Bytes, in json: inout ByteBuffer) {
    let colon = text.find(0x3A)
    json.append("{\"$type\":\"enum\",\"class\":")
    showText(text.slice(0, colon), in: &json)
    json.append(",\"case\":")
    showText(text.dropFirst(colon &+ 1), in: &json)
    json.append(0x7D)
  }

  /// Members whose keys are no strings are kept where they are, and shown together
  /// behind the others, as one placeholder.
  func showHidden(in json: inout ByteBuffer) -> PayloadStatus {
    guard hasUniqueNames() else { return .malformed }
    var hidden = 0
    var key = Int(node(root).pointee.first)
    while key != 0 {
      if !isName(key) {
        hidden &+= 1
      } else if text(resolved(key)) == Bytes("$keys") {
        return .malformed
      }
      key = Int(node(node(key).pointee.next).pointee.next)
    }
    guard hidden > 0 else { return json.failed ? .noMemory : .ok }
    json.truncate(json.count &- 1)
    json.append(json.count > 1 ? ",\"$keys\":" : "\"$keys\":")
    hiddenFrom = json.count
    json.append("{\"$type\":\"")
    json.append(mapName)
    json.append("\",\"count\":")
    Numbers.writeDecimal(Int64(hidden), to: &json)
    json.append("}}")
    hiddenCount = hidden
    return json.failed ? .noMemory : .ok
  }

  /// A float as PHP and Ruby write it; nil if it is none.
  func double(_ text: Bytes) -> Double? {
    if text == Bytes(isPHP ? "INF" : "inf") { return .infinity }
    if text == Bytes(isPHP ? "-INF" : "-inf") { return -.infinity }
    if text == Bytes(isPHP ? "NAN" : "nan") { return .nan }
    return PayloadTree.decimal(text)
  }

  static func decimal(_ text: Bytes) -> Double? {
    var scanner = JSONScanner(text)
    guard text.count < 400, let (kind, _) = scanner.value(), kind == .integer || kind == .double, scanner.isAtEnd,
      text[0] == 0x2D || text[0] &- 0x30 < 10
    else { return nil }
    let number = sys_double_read(UnsafeRawPointer(text.start).assumingMemoryBound(to: CChar.self), text.count)
    return number.isFinite ? number : nil
  }

  /// Letters, digits and signs that JSON writes as they are.
  private func isPlain(_ text: Bytes) -> Bool {
    !text.isEmpty && sys_skip_json_plain(text.start, 0, text.count, 0) == text.count
  }
}
