import CSystem
import CTuile

/// One writer of a key at a time, among the threads of this process by mutexes
/// and among processes by locks on single bytes of one file. Keys share both by
/// their hash.
final class FileLocks {
  private static let places: UInt64 = 4096
  private static let stripeCount = 64
  static let name: StaticString = ".tuile/lock"

  private let folder: Int32
  private let file: Int32
  private let waitMilliseconds: Int32
  /// Guards `generation`. Made before the stripes, since fork() takes the newest first.
  private var opening = sys_mutex()
  private var generation = sys_fork_generation()
  private let stripes: UnsafeMutablePointer<sys_mutex>

  /// `folder` is lent and outlives this.
  static func make(folder: Int32, make: Bool, waitMilliseconds: Int32) throws(Failure) -> FileLocks {
    let file = sys_lock_file_open(folder, name.cString, make)
    guard file >= 0 else { throw .folder(answer: Int(file)) }
    guard let raw = malloc(stripeCount &* MemoryLayout<sys_mutex>.stride) else {
      sys_descriptor_close(file)
      throw .memory
    }
    return FileLocks(folder, file, waitMilliseconds, raw.assumingMemoryBound(to: sys_mutex.self))
  }

  private init(
    _ folder: Int32, _ file: Int32, _ waitMilliseconds: Int32, _ stripes: UnsafeMutablePointer<sys_mutex>
  ) {
    self.folder = folder
    self.file = file
    self.waitMilliseconds = waitMilliseconds
    self.stripes = stripes
    sys_mutex_init(&opening)
    for i in Indices(FileLocks.stripeCount) {
      (stripes + i).initialize(to: sys_mutex())
      sys_mutex_init(stripes + i)
    }
  }

  deinit {
    for i in Indices(FileLocks.stripeCount) {
      sys_mutex_destroy(stripes + i)
    }
    sys_mutex_destroy(&opening)
    free(stripes)
    sys_descriptor_close(file)
  }

  func locked<Answer>(_ key: Bytes, _ body: () throws(Failure) -> Answer) throws(Failure) -> Answer {
    let place = FileLocks.place(key)
    let stripe = stripes + Int(place) % FileLocks.stripeCount
    guard sys_mutex_lock_within(stripe, waitMilliseconds) else { throw .folder(EAGAIN) }
    defer { sys_mutex_unlock(stripe) }
    try lock(place)
    defer { sys_range_unlock(file, place) }
    return try body()
  }

  private func lock(_ place: Int64) throws(Failure) {
    try renew(deleted: false)
    var attempts = 0
    while true {
      let failure = sys_range_lock_within(file, place, waitMilliseconds)
      if failure == 0 { return }
      // Deleted under us: everybody goes over to the new one.
      guard failure == ESTALE, attempts < 8 else { throw .folder(failure) }
      try renew(deleted: true)
      attempts &+= 1
    }
  }

  /// In a child of fork() the descriptor's locks are the parent's: it gets its own.
  /// Once only, since that drops the locks of other threads; so it does where all of
  /// them found the file `deleted`.
  private func renew(deleted: Bool) throws(Failure) {
    sys_mutex_lock(&opening)
    defer { sys_mutex_unlock(&opening) }
    let present = sys_fork_generation()
    guard generation != present || deleted && sys_folder_is_gone(file) else { return }
    let failure = sys_lock_file_renew(file, folder, FileLocks.name.cString)
    guard failure == 0 else { throw .folder(failure) }
    generation = present
  }

  /// The same in every process.
  private static func place(_ key: Bytes) -> Int64 {
    // FNV-1a.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for i in Indices(key.count) {
      hash = (hash ^ UInt64(key[i])) &* 0x100_0000_01B3
    }
    return Int64((hash ^ hash &>> 32) % places)
  }
}

extension Failure {
  static var listedFolder: Failure {
    Failure(
      status: TUILE_E_STORE,
      message: "others than its owner may list the session folder, whose names are cookies: chmod 700, or others=list")
  }

  /// For a function that answers with -errno.
  static func folder(answer: Int) -> Failure { folder(Int32(truncatingIfNeeded: 0 &- answer)) }

  /// What the system said of a session's file or its folder.
  static func folder(_ number: Int32) -> Failure {
    switch number {
    case ENOMEM: return .memory
    case EAGAIN: return Failure(status: TUILE_E_BUSY, message: "other writers held the session for too long")
    case ELOOP: return Failure(status: TUILE_E_CORRUPT, message: "a session's file is no plain file")
    default:
      return Failure(
        status: TUILE_E_STORE, message: "the session folder failed", detail: Failure.Detail(strerror(number)))
    }
  }
}
