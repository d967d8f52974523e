import CSQLite

/// A connection, for one thread.
final class SQLiteConnection {
  private let pointer: OpaquePointer

  init(_ path: String, _ flags: Int32) throws {
    var connection: OpaquePointer?
    let result = sqlite3_open_v2(path, &connection, flags | SQLITE_OPEN_NOMUTEX, nil)
    guard result == SQLITE_OK, let connection else { throw PeerFailure("\(path) cannot be opened: \(result)") }
    pointer = connection
  }

  // Closes for good once the last statement is gone.
  deinit { sqlite3_close_v2(pointer) }

  func execute(_ statements: String) throws {
    guard sqlite3_exec(pointer, statements, nil, nil, nil) == SQLITE_OK else {
      throw PeerFailure("SQLite: \(String(cString: sqlite3_errmsg(pointer)))")
    }
  }

  func prepare(_ text: String) throws -> SQLiteStatement {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(pointer, text, -1, &statement, nil) == SQLITE_OK, let statement else {
      throw PeerFailure("SQLite: \(String(cString: sqlite3_errmsg(pointer)))")
    }
    return SQLiteStatement(statement)
  }
}

/// A prepared statement.
final class SQLiteStatement {
  let pointer: OpaquePointer

  init(_ pointer: OpaquePointer) { self.pointer = pointer }

  deinit { sqlite3_finalize(pointer) }

  /// Binds bytes in place: they must lie there until the next reset.
  @inline(__always)
  func bind(_ bytes: UnsafeRawBufferPointer, at place: Int32) {
    sqlite3_bind_blob(pointer, place, bytes.baseAddress, Int32(truncatingIfNeeded: bytes.count), nil)
  }

  /// Whether there is a row.
  @inline(__always)
  func step() throws -> Bool {
    let result = sqlite3_step(pointer)
    if result == SQLITE_ROW { return true }
    guard result == SQLITE_DONE else {
      throw PeerFailure("SQLite: \(String(cString: sqlite3_errmsg(sqlite3_db_handle(pointer))))")
    }
    return false
  }

  @inline(__always)
  func reset() { sqlite3_reset(pointer) }

  /// The bytes in a column of the row, in place.
  @inline(__always)
  func blob(_ column: Int32) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: sqlite3_column_blob(pointer, column), count: Int(sqlite3_column_bytes(pointer, column)))
  }
}
