internal import FuseDB
internal import FuseDBInput

extension FuseReader {
  /// Opens the database that a command reads.
  ///
  /// - Parameter words: the operands after FILE. Where FILE is no database and one of them is, the error names that one.
  /// - Throws: ``FuseError``; with code `notFound` whenever the file cannot be read, as for any input.
  static func forCommand(
    _ path: String, expecting lookups: ExpectedLookups = .few, before words: [[UInt8]] = []
  ) throws(FuseError) -> FuseReader {
    do throws(FuseError) {
      return try reading { () throws(FuseError) in try FuseReader(path: path, expecting: lookups) }
    } catch {
      guard [.notFound, .notADatabase, .truncated].contains(error.code),
        let word = words.first(where: isDatabase(at:))
      else { throw error }
      throw FuseError(
        error.code, "\(error.message); \(quoted(word)) is a database: FILE comes first", offset: error.offset,
        path: path,
        errno: error.errno)
    }
  }

  private static func isDatabase(at word: [UInt8]) -> Bool {
    !word.isEmpty && Overwriting.isDatabase(String(path: word))
  }

  /// Runs `body`, which reads a file. A failed system call has the code `notFound`: `inputOutput` is left for writing.
  static func reading<Result>(_ body: () throws(FuseError) -> Result) throws(FuseError) -> Result {
    do throws(FuseError) {
      return try body()
    } catch {
      guard error.code == .inputOutput else { throw error }
      throw FuseError(.notFound, error.message, offset: error.offset, path: error.path, errno: error.errno)
    }
  }

  /// Runs `body`, which reads the object of `key`. Throws `corrupted` where its bytes are not a value.
  func decoding<Result>(objectOf key: [UInt8], _ body: () throws(FuseError) -> Result) throws(FuseError) -> Result {
    do throws(FuseError) {
      return try body()
    } catch {
      guard error.code == .invalidValue else { throw error }
      var scan = try entries(from: key)
      throw undecodable(error, at: try scan.next()?.objectOffset)
    }
  }

  /// Runs `body`, which reads the object at `offset`. Throws `corrupted` where its bytes are not a value.
  func decoding(at offset: UInt64, _ body: () throws(FuseError) -> Void) throws(FuseError) {
    do throws(FuseError) {
      try body()
    } catch {
      // A truncated file reads as zeros, which may be no value either.
      try checkNotShrunk()
      guard error.code == .invalidValue else { throw error }
      throw undecodable(error, at: offset)
    }
    try checkNotShrunk()
  }

  /// Runs `body`, which throws nothing but ``FuseError``.
  func withPlainErrors(_ body: () throws -> Void) throws(FuseError) {
    do { try body() } catch let error as FuseError { throw error } catch { preconditionFailure("\(error)") }
  }

  private func undecodable(_ error: FuseError, at offset: UInt64?) -> FuseError {
    let position = error.offset.map { " (at byte \($0) of the object)" } ?? ""
    return FuseError(
      .corrupted, "the object here is not MessagePack: \(error.message)\(position); 'fusedb verify' lists the damage",
      offset: offset, path: path)
  }
}
