import CTuile

/// Rack with redis-rack, and Rails with redis-actionpack, which is built upon that; not its
/// signed cookies.
final class RedisRack: RubyRedisLayout {
  private let isOfRails: Bool

  init(isOfRails: Bool) { self.isOfRails = isOfRails }

  /// Rack has SecureRandom.hex(32).
  override var keySize: Int { isOfRails ? 32 : 64 }
  override var standardPrefix: StaticString { "rack:session:" }
}
