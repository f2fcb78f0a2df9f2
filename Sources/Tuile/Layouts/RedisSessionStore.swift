import CTuile

/// Rails with redis-session-store. It makes each hash inside the session one of Rails' own
/// (HashWithIndifferentAccess); those stay, and hashes that are new are Ruby's.
final class RedisSessionStore: RubyRedisLayout {}
