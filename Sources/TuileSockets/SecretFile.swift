import CSystem
import CTuile

/// The file of an option `password_file`.
enum SecretFile {
  /// Its first line. Nobody but its owner may open it, or, if it is `shared`, write it.
  static func read(_ path: CText, shared: Bool) throws(Failure) -> CText {
    let others = shared ? SYS_OTHERS_READ : SYS_OTHERS_NOTHING
    var data: UnsafeMutableRawPointer?
    var size = 0
    let failure = withExtendedLifetime(path) { sys_file_read(path.start, others, 4096, &data, &size) }
    guard failure == 0, let data else {
      throw Failure(
        status: TUILE_E_STORE,
        message: shared
          ? "the store's password_file can't be read, or others than its owner may write it"
          : "the store's password_file can't be read, or others than its owner may open it (shared_files=1 lets them read)",
        detail: Failure.Detail(strerror(failure)))
    }
    defer {
      sys_wipe(data, size)
      free(data)
    }
    let text = Bytes(UnsafePointer(data.assumingMemoryBound(to: UInt8.self)), size)
    return CText(text.slice(0, text.find(UInt8(ascii: "\n"))))
  }
}
