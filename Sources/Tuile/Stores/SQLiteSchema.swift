/// The tables, and what is asked of them.
enum SQLiteSchema {
  /// Django's table and index, as its migration for SQLite makes them.
  static let sessions: StaticString = """
    CREATE TABLE IF NOT EXISTS "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, \
    "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
    CREATE INDEX IF NOT EXISTS "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
    """

  /// Ours, made when it is first needed.
  static let owners: StaticString = """
    CREATE TABLE IF NOT EXISTS "tuile_session_owner" ("session_key" varchar(40) NOT NULL PRIMARY KEY, \
    "owner" varchar(255) NOT NULL, "record" text NOT NULL);
    CREATE INDEX IF NOT EXISTS "tuile_session_owner_owner" ON "tuile_session_owner" ("owner");
    """

  /// Ours, made when it is first needed: what Django could be made to read or remove as a
  /// session is not beside its sessions.
  static let records: StaticString = """
    CREATE TABLE IF NOT EXISTS "tuile_session_record" ("session_key" varchar(40) NOT NULL PRIMARY KEY, \
    "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
    CREATE INDEX IF NOT EXISTS "tuile_session_record_expire_date" ON "tuile_session_record" ("expire_date");
    """

  static let hasRecords: StaticString =
    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'tuile_session_record'"

  static let hasOwners: StaticString =
    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'tuile_session_owner'"

  /// 0 if the table can be used; 1, 2, 3 for columns, key, and columns in the way.
  static let check: StaticString = """
    WITH columns AS (SELECT * FROM pragma_table_info('django_session')) SELECT CASE \
    WHEN (SELECT count(*) FROM columns WHERE name IN ('session_key', 'session_data', 'expire_date')) <> 3 THEN 1 \
    WHEN NOT EXISTS (SELECT 1 FROM pragma_index_list('django_session') AS list WHERE list."unique" = 1 \
    AND list.partial = 0 AND (SELECT group_concat(name) FROM pragma_index_info(list.name)) = 'session_key') THEN 2 \
    WHEN EXISTS (SELECT 1 FROM columns WHERE name NOT IN ('session_key', 'session_data', 'expire_date') \
    AND "notnull" = 1 AND dflt_value IS NULL) THEN 3 ELSE 0 END
    """
}

extension SQLiteConnection.Statement {
  var sql: StaticString {
    switch self {
    case .load: return "SELECT session_data, expire_date FROM django_session WHERE session_key = ? AND expire_date > ?"
    case .create:
      return
        "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"
    case .replace:
      return
        "UPDATE django_session SET session_data = ?2, expire_date = ?3 WHERE session_key = ?1 AND session_data = ?4"
    case .exists: return "SELECT 1 FROM django_session WHERE session_key = ?"
    case .touch: return "UPDATE django_session SET expire_date = ?2 WHERE session_key = ?1"
    case .remove: return "DELETE FROM django_session WHERE session_key = ?"
    case .sweep:
      return """
        DELETE FROM django_session WHERE session_key IN \
        (SELECT session_key FROM django_session WHERE expire_date < ?1 ORDER BY expire_date LIMIT ?2)
        """
    case .put:
      return """
        INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?1, ?2, ?3) \
        ON CONFLICT (session_key) DO UPDATE SET session_data = excluded.session_data, expire_date = excluded.expire_date
        """
    case .own:
      return """
        INSERT INTO tuile_session_owner (session_key, owner, record) VALUES (?1, ?2, ?3) \
        ON CONFLICT (session_key) DO UPDATE SET owner = excluded.owner, record = excluded.record
        """
    case .owned:
      return """
        SELECT o.session_key, o.record, s.expire_date FROM tuile_session_owner AS o \
        JOIN django_session AS s ON s.session_key = o.session_key WHERE o.owner = ?1 AND s.expire_date > ?2
        """
    case .ownedRecord: return "SELECT record FROM tuile_session_owner WHERE session_key = ?1 AND owner = ?2"
    case .disown: return "DELETE FROM tuile_session_owner WHERE session_key = ?1 AND owner = ?2"
    case .orphans:
      return """
        SELECT max(number), sum(gone) FROM (SELECT o.rowid AS number, NOT EXISTS \
        (SELECT 1 FROM django_session AS s WHERE s.session_key = o.session_key) AS gone \
        FROM tuile_session_owner AS o WHERE o.rowid > ?1 ORDER BY o.rowid LIMIT ?2)
        """
    case .removeOrphans:
      return """
        DELETE FROM tuile_session_owner WHERE rowid > ?1 AND rowid <= ?2 AND NOT EXISTS \
        (SELECT 1 FROM django_session AS s WHERE s.session_key = tuile_session_owner.session_key)
        """
    case .keys:
      // Text that could be a key alone, so that the last one of a page leads to the next: x'' is behind all text.
      return """
        SELECT session_key, expire_date, expire_date > ?2 FROM django_session \
        WHERE session_key > ?1 AND session_key < x'' AND session_key NOT GLOB '*[^a-z0-9]*' \
        ORDER BY session_key LIMIT ?3
        """
    case .owners:
      // Each at its first entry of a page: one on an earlier page may have got its owner after that was read.
      return """
        SELECT o.owner, o.rowid, EXISTS (SELECT 1 FROM tuile_session_owner AS p \
        WHERE p.owner = o.owner AND p.rowid > ?1 AND p.rowid < o.rowid) \
        FROM tuile_session_owner AS o WHERE o.rowid > ?1 ORDER BY o.rowid LIMIT ?2
        """
    }
  }

  /// The same statement on the table of records.
  func writeForRecords(to text: inout ByteBuffer) {
    text.append(Bytes(sql), replacing: "django_session", with: "tuile_session_record")
  }

  /// It gives rows and changes none.
  var reads: Bool {
    switch self {
    case .load, .exists, .owned, .ownedRecord, .orphans, .keys, .owners: return true
    default: return false
    }
  }
}
