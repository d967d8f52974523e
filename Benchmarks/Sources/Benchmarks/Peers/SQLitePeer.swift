import CSQLite
import Glibc

/// SQLite, in the design that one would write down first: a table of keys that points at a table of objects, each
/// object stored once.
final class SQLitePeer: Peer {
  var subject: Subject { .sqlite }

  func build(_ workload: Workload, at path: String) throws -> Double {
    unlink(path)
    return try timed {
      let connection = try SQLiteConnection(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
      try connection.execute(
        """
        PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL;
        CREATE TABLE objects (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
        CREATE TABLE keys (key BLOB PRIMARY KEY, object INTEGER NOT NULL) WITHOUT ROWID;
        BEGIN
        """)
      let addObject = try connection.prepare("INSERT INTO objects VALUES (?1, ?2)")
      for i in 0..<workload.objects.count {
        sqlite3_bind_int64(addObject.pointer, 1, Int64(i))
        addObject.bind(workload.objects[i], at: 2)
        _ = try addObject.step()
        addObject.reset()
      }
      // In order, so that the tree is written from left to right.
      let addKey = try connection.prepare("INSERT INTO keys VALUES (?1, ?2)")
      for i in workload.keys.sortedOrder() {
        addKey.bind(workload.keys[Int(i)], at: 1)
        sqlite3_bind_int64(addKey.pointer, 2, Int64(workload.objectOfKey[Int(i)]))
        _ = try addKey.step()
        addKey.reset()
      }
      try connection.execute("COMMIT")
    }
  }

  func open(_ path: String, _ workload: Workload) throws -> any Database { try SQLiteDatabase(path) }
}

final class SQLiteDatabase: LocalDatabase {
  private let path: String
  private let connection: SQLiteConnection
  private let get: SQLiteStatement
  var other: (any Session)?

  init(_ path: String) throws {
    self.path = path
    connection = try SQLiteConnection(path, SQLITE_OPEN_READONLY)
    // Two gigabytes are the most that Debian's SQLite maps.
    try connection.execute("PRAGMA mmap_size = 2147418112")
    // One long read transaction, as for LMDB: without it SQLite locks the file anew for each look-up, which takes
    // longer than all the rest.
    try connection.execute("BEGIN")
    get = try connection.prepare("SELECT value FROM keys JOIN objects ON objects.id = keys.object WHERE key = ?1")
  }

  func value(forKey key: UnsafeRawBufferPointer) throws -> [UInt8]? {
    get.bind(key, at: 1)
    defer { get.reset() }
    return try get.step() ? [UInt8](get.blob(0)) : nil
  }

  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally {
    try SQLiteLookUp(statement: get).tally(keys, range)
  }

  func anotherSession() throws -> any Session { try SQLiteDatabase(path) }

  func scanTally() throws -> Tally? {
    let walk = try connection.prepare(
      "SELECT key, value FROM keys JOIN objects ON objects.id = keys.object ORDER BY key")
    var tally = Tally()
    while try walk.step() { tally.add(walk.blob(1).firstWord &+ UInt64(walk.blob(0).count)) }
    return tally
  }

  func prefixTally(_ prefixes: ByteList, _ range: Range<Int>) throws -> Tally? {
    let walk = try connection.prepare(
      "SELECT value FROM keys JOIN objects ON objects.id = keys.object WHERE key >= ?1 AND key < ?2 ORDER BY key")
    var tally = Tally()
    for i in range {
      // The prefixes end with a full stop, so that the next one ends with the character after it.
      var next = [UInt8](prefixes[i])
      next[next.count - 1] += 1
      try next.withUnsafeBytes { next in
        walk.bind(prefixes[i], at: 1)
        walk.bind(next, at: 2)
        while try walk.step() { tally.add(walk.blob(0).firstWord) }
        walk.reset()
      }
    }
    return tally
  }
}

struct SQLiteLookUp: LookUp {
  let statement: SQLiteStatement

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    statement.bind(key, at: 1)
    defer { statement.reset() }
    return try statement.step() ? statement.blob(0).firstWord : nil
  }
}
