import CTuile

/// What a store's URL says behind its '?': a type `NAMEOptions` for each store,
/// which has the defaults and takes one option after the other.
protocol StoreOptions: ~Copyable {
  /// What messages say that the URL may have: names, with the values in parentheses
  /// behind those that have a few.
  static var known: StaticString { get }

  /// false if the store has no such option, or not with this value.
  mutating func take(_ option: URLText.Option) throws(Failure) -> Bool
}

extension StoreOptions where Self: ~Copyable {
  /// Takes all of a query, `name=value&…`, that begins at `base` of its URL; an option that
  /// nobody knows is an error.
  mutating func read(_ query: Bytes, at base: Int) throws(Failure) {
    do throws(Failure) {
      var options = URLText.Options(query)
      while let option = options.next() {
        guard try take(option) else { throw option.refused(known: Self.known) }
      }
    } catch {
      throw error.moved(by: base)
    }
  }
}

extension Failure {
  /// For what was found in a part of a URL.
  func moved(by base: Int) -> Failure {
    guard status == TUILE_E_SYNTAX else { return self }
    var moved = self
    moved.offset &+= base
    return moved
  }
}

extension URLText.Option {
  /// For an option that the store does not know, or a value that it can't have.
  func refused(known: StaticString) -> Failure {
    var text = ByteBuffer()
    let entry = entry(in: Bytes(known))
    if let entry {
      text.append(entry)
    } else {
      if isNameable {
        text.append(name)
        text.append("; there are: ")
      }
      URLText.Option.appendNames(of: Bytes(known), to: &text)
    }
    guard !text.failed else { return .memory }
    let message: StaticString
    if entry != nil {
      message = "an option of the store's URL has a wrong value; it may have"
    } else {
      message =
        isNameable ? "the store's URL has an unknown option" : "the store's URL has an unknown option; there are"
    }
    return Failure(status: TUILE_E_SYNTAX, message: message, offset: offset, detail: Failure.Detail(text.bytes))
  }

  /// What the list says of this option; nil if it is not in it.
  private func entry(in known: Bytes) -> Bytes? {
    var from = 0
    while from < known.count {
      let end = URLText.Option.end(of: known, from: from)
      let entry = known.slice(from, end)
      if !name.isEmpty, entry.slice(0, entry.find(UInt8(ascii: " "))) == name { return entry }
      from = end &+ 2
    }
    return nil
  }

  private static func appendNames(of known: Bytes, to text: inout ByteBuffer) {
    var from = 0
    while from < known.count {
      let end = end(of: known, from: from)
      let entry = known.slice(from, end)
      if from > 0 { text.append(", ") }
      text.append(entry.slice(0, min(entry.find(UInt8(ascii: "(")), entry.count)).trimmedEnd)
      from = end &+ 2
    }
  }

  /// Where an entry of a list ends: at a comma that is in no parentheses.
  private static func end(of known: Bytes, from: Int) -> Int {
    var (i, isInside) = (from, false)
    while i < known.count {
      if known[i] == UInt8(ascii: "(") { isInside = true }
      if known[i] == UInt8(ascii: ")") { isInside = false }
      if known[i] == UInt8(ascii: ","), !isInside { return i }
      i &+= 1
    }
    return known.count
  }
}

extension Bytes {
  /// Without a space at its end.
  fileprivate var trimmedEnd: Bytes { self[count &- 1] == UInt8(ascii: " ") ? slice(0, count &- 1) : self }
}
