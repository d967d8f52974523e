/// A database file, opened for look-ups and scans: immutable, without locks, shared by any number of threads.
///
///     let reader = try FuseReader(path: "geo.fsdb")
///     try reader.withBytes(forKey: "8.8.8.8") { $0.byteCount }   // 31
///     try reader.contains("nowhere")                             // false
///
/// The file is mapped, not read into memory. Replacing it by renaming another over it, as ``FuseWriter`` does, does
/// not disturb open readers; truncating it in place makes their answers errors of code ``FuseError/Code/truncated``.
public final class FuseReader: Sendable {
  /// What is compared with its checksum.
  public enum Checksums: Sendable {
    /// The whole file when it is opened, and each object when it is read.
    case verified
    /// Nothing: for files that were verified since they were copied, where every nanosecond counts. Damage may then
    /// go unseen.
    case skipped
  }

  /// How often a reader will be asked for a key.
  package enum Lookups: Sendable {
    /// Often enough for a hash index in memory.
    case many
    /// A few times: opening takes half the work, and a look-up searches by halves.
    case few
  }

  /// The path that the file was opened under.
  public var path: String { mapping.path }
  /// How many keys the file holds.
  public let keyCount: Int
  /// The file's length in bytes.
  public var byteCount: Int { mapping.byteCount }
  /// What is compared with its checksum.
  public let checksums: Checksums

  let mapping: FileMapping
  let header: Header
  let index: IndexPass
  /// Where the data section ends and the key index begins.
  let dataEnd: Int

  /// Opens the file at `path`.
  ///
  /// The file is read once: its checksum is compared, its index checked, and an index in memory made of 10.25 bytes a
  /// key.
  ///
  /// - Throws: ``FuseError`` with code `notFound`, `notADatabase`, `unsupportedVersion`, `corrupted`, `truncated` or
  ///   `inputOutput`.
  /// - Complexity: O(bytes of the file); with `checksums: .skipped` O(bytes of the key index).
  public convenience init(path: String, checksums: Checksums = .verified) throws(FuseError) {
    try self.init(path: path, checksums: checksums, expecting: .many)
  }

  /// Opens the file at `path` for scans, and for as many look-ups as are expected.
  package init(path: String, checksums: Checksums = .verified, expecting lookups: Lookups) throws(FuseError) {
    let mapping = try FileMapping(path: path)
    do {
      (header, index) = try Self.open(mapping, checksums: checksums, lookups)
    } catch {
      // What was read while the file shrank says nothing about the file.
      try mapping.checkNotShrunk()
      throw error.at(path: path)
    }
    try mapping.checkNotShrunk()
    self.mapping = mapping
    self.checksums = checksums
    keyCount = Int(header.keyCount)
    dataEnd = Int(header.indexOffset)
  }

  private static func open(
    _ mapping: FileMapping, checksums: Checksums, _ lookups: Lookups
  ) throws(FuseError) -> (Header, IndexPass) {
    let file = mapping.bytes
    let header = try Header(parsing: file)
    try header.check(fileByteCount: file.byteCount)
    mapping.willReadInOrder()
    guard checksums == .verified else {
      return (header, try IndexPass(of: mapping, header: header, expecting: lookups))
    }

    let checksum = BackgroundWork(isWorthThread: file.byteCount > 1 << 20) {
      Checksum.of(Header.byteCount..<mapping.byteCount, in: mapping)
    }
    let index = Result { () throws(FuseError) in try IndexPass(of: mapping, header: header, expecting: lookups) }
    let found = checksum.wait()
    // First, because it makes every other finding likely.
    guard found == header.checksum else {
      throw .corrupted(
        """
        the file's checksum is \(found.hexadecimal) and its header says \(header.checksum.hexadecimal); \
        'fusedb verify' lists the damage
        """, at: Header.Field.checksum)
    }
    return (header, try index.get())
  }
}
