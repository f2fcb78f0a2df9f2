/// Every command that is sent once the table is known to be Django's: plain SQL
/// that other servers with PostgreSQL's protocol know too.
enum Statement: Int {
  // These are on sessions, or on records.
  case load, create, replace, exists, touch, remove, put, sweep
  case own, owned, ownedRecord, disown, sweepOwners, nextOwners
  case keys, owners

  /// With the marks of `SessionTable`.
  var template: StaticString {
    switch self {
    case .load:
      return "SELECT #r, #x FROM #t WHERE #k = $1 AND #e > $2"
    case .create:
      return """
        INSERT INTO #t (#k, #d, #e#m) VALUES ($1, #v, $3#w) \
        ON CONFLICT (#k) DO NOTHING
        """
    case .replace:
      return """
        UPDATE #t SET #d = #v, #e = $3#u WHERE #k = $1 AND #r = $4
        """
    case .exists: return "SELECT #k FROM #t WHERE #k = $1"
    case .touch: return "UPDATE #t SET #e = $2#u WHERE #k = $1"
    case .remove: return "DELETE FROM #t WHERE #k = $1"
    case .put:
      return """
        INSERT INTO #t (#k, #d, #e#m) VALUES ($1, #v, $3#w) \
        ON CONFLICT (#k) DO UPDATE SET #d = EXCLUDED.#d, #e = EXCLUDED.#e#u
        """
    case .sweep:
      // The date is looked at again for a row that was touched meanwhile.
      return """
        DELETE FROM #t WHERE #e < $1 AND #k IN \
        (SELECT #k FROM #t WHERE #e < $1 ORDER BY #e LIMIT $2)
        """
    case .own:
      return """
        INSERT INTO tuile_session_owner (session_key, owner, record) VALUES ($1, $2, $3) \
        ON CONFLICT (session_key) DO UPDATE SET owner = EXCLUDED.owner, record = EXCLUDED.record
        """
    case .owned:
      return """
        SELECT o.session_key, o.record, s.#x FROM tuile_session_owner o \
        JOIN #t s ON s.#k = o.session_key \
        WHERE o.owner = $1 AND s.#e > $2 AND o.session_key > $3 ORDER BY o.session_key LIMIT $4
        """
    case .ownedRecord: return "SELECT record FROM tuile_session_owner WHERE session_key = $1 AND owner = $2"
    case .disown: return "DELETE FROM tuile_session_owner WHERE session_key = $1 AND owner = $2"
    case .nextOwners:
      return "SELECT session_key FROM tuile_session_owner WHERE session_key > $1 ORDER BY session_key LIMIT $2"
    case .sweepOwners:
      return """
        DELETE FROM tuile_session_owner WHERE session_key > $1 AND session_key <= $2 AND NOT EXISTS \
        (SELECT s.#k FROM #t s WHERE s.#k = tuile_session_owner.session_key)
        """
    case .keys:
      // Expired ones too: so each command reads one page of the index, whatever is in it.
      return "SELECT #k, #x FROM #t WHERE #k > $1 ORDER BY #k LIMIT $2"
    case .owners:
      return "SELECT DISTINCT owner FROM tuile_session_owner WHERE owner > $1 ORDER BY owner LIMIT $2"
    }
  }

  /// Whether it may run again when nobody knows whether it ran. What writes may not: a
  /// `create` would find its own row, a `replace` its own data; and of all of them the first
  /// copy may come late, and undo what others wrote after the second.
  var isRepeatable: Bool {
    switch self {
    case .load, .exists, .owned, .nextOwners, .keys, .owners: return true
    default: return false
    }
  }
}

/// What sets the tables up, and looks at them.
enum Schema {
  static let probe: StaticString = "SELECT #k, #r, #x FROM #t LIMIT 0"

  /// Refused unless the key is unique and this user may write. Nothing is inserted.
  static let probeKey: StaticString =
    "EXPLAIN INSERT INTO #t (#k, #d, #e#m) VALUES ('', '{}', #0#w) ON CONFLICT (#k) DO NOTHING"

  /// As connect-pg-simple's table.sql makes it.
  static let layoutTable: StaticString = """
    CREATE TABLE #t (#k varchar NOT NULL COLLATE "default", #d json NOT NULL, #e timestamp(6) NOT NULL, \
    CONSTRAINT "#n_pkey" PRIMARY KEY (#k) NOT DEFERRABLE INITIALLY IMMEDIATE);
    CREATE INDEX "IDX_#n_expire" ON #t (#e)
    """

  /// Django's table and its indexes, as its migration for PostgreSQL makes them.
  static let sessions: StaticString = """
    CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, \
    "session_data" text NOT NULL, "expire_date" timestamp with time zone NOT NULL);
    CREATE INDEX "django_session_session_key_c0390e0f_like" ON "django_session" ("session_key" varchar_pattern_ops);
    CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date")
    """

  /// The same for servers that don't know the operators of the second index.
  static let sessionsPlain: StaticString = """
    CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, \
    "session_data" text NOT NULL, "expire_date" timestamp with time zone NOT NULL);
    CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date")
    """

  static let probeOwners: StaticString = "SELECT session_key, owner, record FROM tuile_session_owner LIMIT 0"
  /// In the schemas where commands find it: another application's may be beside them.
  static let hasOwners: StaticString = """
    SELECT table_name FROM information_schema.tables \
    WHERE table_name = 'tuile_session_owner' AND table_schema = ANY (current_schemas(false))
    """
  static let probeRecords: StaticString =
    "SELECT session_key, session_data, expire_date FROM tuile_session_record LIMIT 0"
  static let hasRecords: StaticString = """
    SELECT table_name FROM information_schema.tables \
    WHERE table_name = 'tuile_session_record' AND table_schema = ANY (current_schemas(false))
    """
  static let records: StaticString = """
    CREATE TABLE tuile_session_record (session_key varchar(40) NOT NULL PRIMARY KEY, \
    session_data text NOT NULL, expire_date timestamp with time zone NOT NULL);
    CREATE INDEX tuile_session_record_expire_date ON tuile_session_record (expire_date)
    """
  static let owners: StaticString = """
    CREATE TABLE tuile_session_owner (session_key varchar(256) NOT NULL PRIMARY KEY, \
    owner varchar(255) NOT NULL, record text NOT NULL);
    CREATE INDEX tuile_session_owner_owner ON tuile_session_owner (owner)
    """
}
