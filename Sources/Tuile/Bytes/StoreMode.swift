import CTuile

/// What a store may do with what it finds: the option `mode`, in SQLite's words.
enum StoreMode {
  /// `rwc`, which is what no option means, too: read, write, and make what is missing.
  case unsaid, make
  /// `rw`: opening makes nothing.
  case write
  /// `ro`: nothing is ever written.
  case read

  /// nil if the option is another one, or has another value.
  init?(_ option: URLText.Option) {
    guard option.name == Bytes("mode") else { return nil }
    if option.value == Bytes("ro") {
      self = .read
    } else if option.value == Bytes("rw") {
      self = .write
    } else if option.value == Bytes("rwc") {
      self = .make
    } else {
      return nil
    }
  }

  var makes: Bool { self == .unsaid || self == .make }
  var writes: Bool { self != .read }
}

extension Failure {
  /// For what would write where `mode=ro` was said.
  static var readOnly: Failure {
    Failure(status: TUILE_E_STORE, message: "the store's URL says mode=ro: nothing is written")
  }
}
