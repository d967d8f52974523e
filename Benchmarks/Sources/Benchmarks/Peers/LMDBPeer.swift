import CLMDB
import Glibc

/// LMDB, opened read-only: a B+tree in a mapping; a value is stored with each of its keys.
final class LMDBPeer: Peer {
  var subject: Subject { .lmdb }

  func build(_ workload: Workload, at path: String) throws -> Double {
    unlink(path)
    return try timed {
      let environment = try LMDBEnvironment(path, isReadOnly: false)
      let transaction = try environment.begin()
      var table: MDB_dbi = 0
      try require(mdb_dbi_open(transaction, nil, 0, &table), "mdb_dbi_open")
      // Sorted keys appended: its quickest way to load.
      for i in workload.keys.sortedOrder() {
        var key = MDB_val(workload.keys[Int(i)])
        var value = MDB_val(workload.object(ofKey: Int(i)))
        try require(mdb_put(transaction, table, &key, &value, UInt32(MDB_APPEND)), "mdb_put")
      }
      try require(mdb_txn_commit(transaction), "mdb_txn_commit")
    }
  }

  func open(_ path: String, _ workload: Workload) throws -> any Database {
    try LMDBDatabase(try LMDBEnvironment(path, isReadOnly: true))
  }
}

final class LMDBEnvironment {
  let pointer: OpaquePointer

  init(_ path: String, isReadOnly: Bool) throws {
    var environment: OpaquePointer?
    try require(mdb_env_create(&environment), "mdb_env_create")
    guard let environment else { throw PeerFailure("mdb_env_create gave nothing") }
    pointer = environment
    // Address space, not memory.
    if !isReadOnly { try require(mdb_env_set_mapsize(environment, 1 << 36), "mdb_env_set_mapsize") }
    let flags = MDB_NOSUBDIR | MDB_NOLOCK | (isReadOnly ? MDB_RDONLY | MDB_NOTLS : 0)
    try require(mdb_env_open(environment, path, UInt32(flags), 0o644), "mdb_env_open")
    self.isReadOnly = isReadOnly
  }

  private let isReadOnly: Bool

  deinit { mdb_env_close(pointer) }

  func begin() throws -> OpaquePointer {
    var transaction: OpaquePointer?
    try require(mdb_txn_begin(pointer, nil, isReadOnly ? UInt32(MDB_RDONLY) : 0, &transaction), "mdb_txn_begin")
    guard let transaction else { throw PeerFailure("mdb_txn_begin gave nothing") }
    return transaction
  }
}

/// One long read transaction.
final class LMDBDatabase: LocalDatabase {
  private let environment: LMDBEnvironment
  private let transaction: OpaquePointer
  private let table: MDB_dbi
  var other: (any Session)?

  init(_ environment: LMDBEnvironment) throws {
    self.environment = environment
    transaction = try environment.begin()
    var table: MDB_dbi = 0
    try require(mdb_dbi_open(transaction, nil, 0, &table), "mdb_dbi_open")
    self.table = table
  }

  deinit { mdb_txn_abort(transaction) }

  func value(forKey key: UnsafeRawBufferPointer) throws -> [UInt8]? {
    try LMDBLookUp(transaction: transaction, table: table).value(forKey: key).map { [UInt8]($0.bytes) }
  }

  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally {
    try LMDBLookUp(transaction: transaction, table: table).tally(keys, range)
  }

  func anotherSession() throws -> any Session { try LMDBDatabase(environment) }

  func scanTally() throws -> Tally? {
    var tally = Tally()
    try withCursor { cursor in
      var (key, value) = (MDB_val(), MDB_val())
      while mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0 {
        tally.add(value.bytes.firstWord &+ UInt64(key.mv_size))
      }
    }
    return tally
  }

  func prefixTally(_ prefixes: ByteList, _ range: Range<Int>) throws -> Tally? {
    var tally = Tally()
    try withCursor { cursor in
      for i in range {
        let prefix = prefixes[i]
        var (key, value) = (MDB_val(prefix), MDB_val())
        var result = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
        while result == 0, key.mv_size >= prefix.count, memcmp(key.mv_data, prefix.baseAddress!, prefix.count) == 0 {
          tally.add(value.bytes.firstWord)
          result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
        }
      }
    }
    return tally
  }

  private func withCursor(_ body: (OpaquePointer) throws -> Void) throws {
    var cursor: OpaquePointer?
    try require(mdb_cursor_open(transaction, table, &cursor), "mdb_cursor_open")
    guard let cursor else { throw PeerFailure("mdb_cursor_open gave nothing") }
    defer { mdb_cursor_close(cursor) }
    try body(cursor)
  }
}

struct LMDBLookUp: LookUp {
  let transaction: OpaquePointer
  let table: MDB_dbi

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    try value(forKey: key)?.bytes.firstWord
  }

  @inline(__always)
  func value(forKey key: UnsafeRawBufferPointer) throws -> MDB_val? {
    var key = MDB_val(key)
    var value = MDB_val()
    let result = mdb_get(transaction, table, &key, &value)
    if result == 0 { return value }
    guard result == MDB_NOTFOUND else { throw PeerFailure("mdb_get: \(String(cString: mdb_strerror(result)))") }
    return nil
  }
}

extension MDB_val {
  fileprivate init(_ bytes: UnsafeRawBufferPointer) {
    self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }

  fileprivate var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: mv_data, count: mv_size) }
}

private func require(_ result: Int32, _ call: String) throws {
  guard result == 0 else { throw PeerFailure("\(call): \(String(cString: mdb_strerror(result)))") }
}
