// Section 1: The library
// Which version is loaded, and what a status means.

import CTuile

/// The version of the loaded library as `major << 16 | minor << 8 | patch`.
///
/// A program that was compiled with an older header of the same minor version (0.1, 0.2)
/// works with it. Safe from all threads. Since 0.1.
@_cdecl("tuile_version")
public func tuile_version() -> UInt32 { UInt32(Version.major << 16 | Version.minor << 8 | Version.patch) }

/// The version of the loaded library as text, such as "0.1.0".
///
/// The text ends with a NUL and lives as long as the library. Safe from all
/// threads. Since 0.1.
@_cdecl("tuile_version_string")
public func tuile_version_string() -> UnsafePointer<CChar> { Version.text.cString }

/// The name of a status as it stands in the header, such as "TUILE_E_SPACE".
///
/// "TUILE_UNKNOWN" for a number that is not a status (TUILE_E_UNKNOWN is one). The text
/// ends with a NUL and lives as long as the library. Safe from all threads. Since 0.1.
@_cdecl("tuile_status_name")
public func tuile_status_name(_ status: tuile_status) -> UnsafePointer<CChar> { statusTexts(status).name.cString }

/// An English sentence on a status, such as "the buffer is too small".
///
/// The text ends with a NUL and lives as long as the library. Safe from all
/// threads. Since 0.1.
@_cdecl("tuile_status_message")
public func tuile_status_message(_ status: tuile_status) -> UnsafePointer<CChar> {
  statusTexts(status).message.cString
}

/// TUILE_UNSET, which Swift does not import from the header.
let unset = Int64.min

enum Version {
  static let major = 0
  static let minor = 2
  static let patch = 0
  static let text: StaticString = "0.2.0"
}

private func statusTexts(_ status: tuile_status) -> (name: StaticString, message: StaticString) {
  switch status {
  case TUILE_OK: return ("TUILE_OK", "fine")
  case TUILE_ABSENT: return ("TUILE_ABSENT", "there is none")
  case TUILE_EXPIRED: return ("TUILE_EXPIRED", "the signature is right, but too old")
  case TUILE_BAD_SIGNATURE: return ("TUILE_BAD_SIGNATURE", "the signature does not match")
  case TUILE_CONFLICT: return ("TUILE_CONFLICT", "something else is stored than was expected")
  case TUILE_EXISTS: return ("TUILE_EXISTS", "the key is taken")
  case TUILE_DELETED: return ("TUILE_DELETED", "the session was deleted meanwhile")
  case TUILE_REFUSED: return ("TUILE_REFUSED", "the request may be forged")
  case TUILE_UNREADABLE: return ("TUILE_UNREADABLE", "what is there can't be verified or read")
  case TUILE_E_ARGUMENT: return ("TUILE_E_ARGUMENT", "an argument can't be")
  case TUILE_E_SPACE: return ("TUILE_E_SPACE", "the buffer is too small")
  case TUILE_E_LIMIT: return ("TUILE_E_LIMIT", "larger than a limit")
  case TUILE_E_SYNTAX: return ("TUILE_E_SYNTAX", "malformed")
  case TUILE_E_RULE: return ("TUILE_E_RULE", "browsers would refuse or change the cookie")
  case TUILE_E_TYPE: return ("TUILE_E_TYPE", "the value is of another type")
  case TUILE_E_RANGE: return ("TUILE_E_RANGE", "the number or date does not fit")
  case TUILE_E_MEMORY: return ("TUILE_E_MEMORY", "memory ran out")
  case TUILE_E_RANDOM: return ("TUILE_E_RANDOM", "the system gave no random bytes")
  case TUILE_E_STORE: return ("TUILE_E_STORE", "the store failed or could not be reached")
  case TUILE_E_BUSY: return ("TUILE_E_BUSY", "the store was busy for too long")
  case TUILE_E_CORRUPT: return ("TUILE_E_CORRUPT", "the store's data is damaged")
  case TUILE_E_CALLBACK: return ("TUILE_E_CALLBACK", "a callback of the host refused")
  case TUILE_E_MISSING: return ("TUILE_E_MISSING", "a library that is loaded on use is not installed")
  case TUILE_E_FILE: return ("TUILE_E_FILE", "a file could not be read or written")
  case TUILE_E_UNKNOWN: return ("TUILE_E_UNKNOWN", "the store gave no answer to a write: saved or not, nobody knows")
  case TUILE_E_CANCELLED: return ("TUILE_E_CANCELLED", "it was cancelled before it began")
  default: return ("TUILE_UNKNOWN", "no status of this library")
  }
}
