// Opening what is no path.
public import FuseDBFormat
public import FuseDBSystem

extension FuseReader {
  /// Opens the regular file of an open descriptor: also one without a name, such as a memfd or a file that was deleted.
  ///
  ///     let reader = try FuseReader(descriptor: descriptor)
  ///     close(descriptor)      // the reader needs it no more
  ///     reader.path            // "descriptor 7"
  ///
  /// The descriptor is used while opening alone, and must be readable then. It stays the caller's: it is not closed, and
  /// its file offset does not move.
  ///
  /// - Parameter access: how the file is held in memory; by default mapped.
  /// - Throws: ``FuseError`` as ``init(path:checksums:access:)``; `notFound` when it is no regular file.
  /// - Complexity: as ``init(path:checksums:access:)``.
  public convenience init(
    descriptor: Int32, checksums: Checksums = .verified, access: FuseAccess = .mapped
  ) throws(FuseError) {
    try self.init(try FileMapping(descriptor: descriptor, access: access), checksums: checksums)
  }

  /// Opens a database that is in memory: `bytes` are those of a file, and are copied.
  ///
  /// ``path`` is then "bytes in memory".
  ///
  /// - Parameter isLocked: whether the copy is never to be swapped; see ``FuseAccess/isLocked``.
  /// - Throws: ``FuseError`` with code `notADatabase`, `unsupportedVersion`, `corrupted` or `truncated`, as for a file;
  ///   `inputOutput` when memory is short or cannot be locked.
  /// - Complexity: O(bytes).
  public convenience init(
    bytes: RawSpan, checksums: Checksums = .verified, isLocked: Bool = false
  ) throws(FuseError) {
    try self.init(try FileMapping(bytes: bytes, isLocked: isLocked), checksums: checksums)
  }

  /// Opens a database that is in memory: `bytes` are those of a file, and are copied.
  ///
  ///     let reader = try FuseReader(bytes: downloaded)
  ///
  /// - Throws: as ``init(bytes:checksums:isLocked:)-(RawSpan,_,_)``.
  /// - Complexity: O(bytes).
  public convenience init(
    bytes: [UInt8], checksums: Checksums = .verified, isLocked: Bool = false
  ) throws(FuseError) {
    try self.init(bytes: bytes.rawSpan, checksums: checksums, isLocked: isLocked)
  }
}
