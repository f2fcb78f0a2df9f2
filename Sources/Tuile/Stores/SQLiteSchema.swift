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
    WITH columns AS (SELECT * FROM pragma_table_info('#n')) SELECT CASE \
    WHEN (SELECT count(*) FROM columns WHERE name IN (#c)) <> #i THEN 1 \
    WHEN NOT EXISTS (SELECT 1 FROM pragma_index_list('#n') AS list WHERE list."unique" = 1 \
    AND list.partial = 0 AND (SELECT group_concat(name) FROM pragma_index_info(list.name)) = '#h') THEN 2 \
    WHEN EXISTS (SELECT 1 FROM columns WHERE name NOT IN (#c) \
    AND "notnull" = 1 AND dflt_value IS NULL AND NOT (pk = 1 AND upper(type) = 'INTEGER')) THEN 3 ELSE 0 END
    """
}

extension SessionTable {
  /// Appends a template of a statement with this table's names. In texts #h is the name of
  /// the key's column, #c those of all columns, and #i is how many these are.
  func writeSQLite(_ template: StaticString, to out: inout ByteBuffer) {
    let now: StaticString
    switch time {
    case .seconds: now = "CAST(strftime('%s', 'now') AS INTEGER)"
    case .whole: now = "strftime('%Y-%m-%d %H:%M:%S', 'now')"
    case .zoned, .local, .utc: now = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    }
    write(Bytes(template), now: Bytes(now), to: &out) { mark, out in
      switch mark {
      case 0x3D:
        // Some write such a column as text.
        out.append(holds == .bytes ? "CAST(" : "")
        out.append(data.bytes)
        out.append(holds == .bytes ? " AS BLOB) =" : " =")
      case 0x66: out.append(isLayouts ? "" : " AND session_key NOT GLOB '*[^a-z0-9]*'")
      case 0x68: SessionTable.writeBare(key.bytes, to: &out)
      case 0x69: Numbers.writeDecimal(3 &+ (written.count > 0 ? 1 : 0) &+ (made.count > 0 ? 1 : 0), to: &out)
      default:
        writeText(key.bytes, isFirst: true, to: &out)
        writeText(data.bytes, to: &out)
        writeText(expires.bytes, to: &out)
        writeText(written.bytes, to: &out)
        writeText(made.bytes, to: &out)
      }
    }
  }

  private func writeText(_ name: Bytes, isFirst: Bool = false, to out: inout ByteBuffer) {
    guard !name.isEmpty else { return }
    out.append(isFirst ? "'" : ", '")
    SessionTable.writeBare(name, to: &out)
    out.append("'")
  }

  private static func writeBare(_ name: Bytes, to out: inout ByteBuffer) {
    out.append(name[0] == 0x22 ? name.slice(1, name.count &- 1) : name)
  }
}

extension SQLiteConnection.Statement {
  /// With the marks of `SessionTable`; #= is what data is compared with, #f what the keys of
  /// a walk have to be.
  var template: StaticString {
    switch self {
    case .load: return "SELECT #d, #e FROM #t WHERE #k = ?1 AND #e > ?2"
    case .create: return "INSERT INTO #t (#k, #d, #e#m) VALUES (?1, ?2, ?3#w) ON CONFLICT DO NOTHING"
    case .replace: return "UPDATE #t SET #d = ?2, #e = ?3#u WHERE #k = ?1 AND #= ?4"
    case .exists: return "SELECT 1 FROM #t WHERE #k = ?1"
    case .touch: return "UPDATE #t SET #e = ?2#u WHERE #k = ?1"
    case .remove: return "DELETE FROM #t WHERE #k = ?1"
    case .sweep: return "DELETE FROM #t WHERE #k IN (SELECT #k FROM #t WHERE #e < ?1 ORDER BY #e LIMIT ?2)"
    case .put:
      return """
        INSERT INTO #t (#k, #d, #e#m) VALUES (?1, ?2, ?3#w) \
        ON CONFLICT (#k) DO UPDATE SET #d = excluded.#d, #e = excluded.#e#u
        """
    case .own:
      return """
        INSERT INTO tuile_session_owner (session_key, owner, record) VALUES (?1, ?2, ?3) \
        ON CONFLICT (session_key) DO UPDATE SET owner = excluded.owner, record = excluded.record
        """
    case .owned:
      return """
        SELECT o.session_key, o.record, s.#e FROM tuile_session_owner AS o \
        JOIN #t AS s ON s.#k = o.session_key WHERE o.owner = ?1 AND s.#e > ?2
        """
    case .ownedRecord: return "SELECT record FROM tuile_session_owner WHERE session_key = ?1 AND owner = ?2"
    case .disown: return "DELETE FROM tuile_session_owner WHERE session_key = ?1 AND owner = ?2"
    case .orphans:
      return """
        SELECT max(number), sum(gone) FROM (SELECT o.rowid AS number, NOT EXISTS \
        (SELECT 1 FROM #t AS s WHERE s.#k = o.session_key) AS gone \
        FROM tuile_session_owner AS o WHERE o.rowid > ?1 ORDER BY o.rowid LIMIT ?2)
        """
    case .removeOrphans:
      return """
        DELETE FROM tuile_session_owner WHERE rowid > ?1 AND rowid <= ?2 AND NOT EXISTS \
        (SELECT 1 FROM #t AS s WHERE s.#k = tuile_session_owner.session_key)
        """
    case .keys:
      // Text that could be a key alone, so that the last one of a page leads to the next: x'' is behind all text.
      return """
        SELECT #k, #e, #e > ?2 FROM #t WHERE #k > ?1 AND #k < x''#f ORDER BY #k LIMIT ?3
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

  /// It gives rows and changes none.
  var reads: Bool {
    switch self {
    case .load, .exists, .owned, .ownedRecord, .orphans, .keys, .owners: return true
    default: return false
    }
  }
}
