import CTuile

/// Rack's sessions in memcached by Dalli (Rack::Session::Dalli), and Rails' `mem_cache_store`, which
/// is built upon that. Items have Dalli's flags: 1 for what is serialized, 2 for zlib.
final class Dalli: RubySerializedLayout {
  private let isOfRails: Bool
  /// Dalli before 3.1: the item stands under the ID itself.
  private var isPublic = false

  init(isOfRails: Bool) { self.isOfRails = isOfRails }

  override func isFor(_ kind: Kind) -> Bool { kind == .memcached }
  override var keySize: Int { isOfRails ? 32 : 64 }
  override var mapsKeys: Bool { !isPublic }
  override func isStoreKey(_ key: Bytes) -> Bool { isPublic ? isKey(key) : super.isStoreKey(key) }
  override var shared: LayoutOptions.Names { [.prefix, .ttl] }

  override func takeOwn(_ option: URLText.Option) throws(Failure) -> Bool {
    try Dalli.refuseDistribution(option)
    guard option.name == Bytes("id") else { return try super.takeOwn(option) }
    isPublic = try option.choice("id (private, public)", ("private", false), ("public", true))
    return true
  }

  override func writeOptions(for kind: Kind, to url: inout ByteBuffer) throws(Failure) {
    Layout.write("key_prefix", options.prefix?.bytes ?? Bytes("rack:session:"), to: &url)
    Dalli.writeOptions(to: &url)
  }

  /// Which of several servers has an item is Dalli's own.
  static func refuseDistribution(_ option: URLText.Option) throws(Failure) {
    guard !(option.name == Bytes("distribution")) else {
      throw .syntax("the layout's distribution is dalli", at: option.offset)
    }
  }

  static func writeOptions(to url: inout ByteBuffer) {
    url.append("&item_flags=1&zlib_flag=2&distribution=dalli")
  }
}
