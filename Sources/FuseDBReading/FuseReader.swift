package import FuseDBCompact
public import FuseDBFormat
public import FuseDBSystem
internal import FuseDBValues

/// A database file, opened for look-ups and scans: immutable, without locks, shared by any number of threads.
///
///     let reader = try FuseReader(path: "geo.fsdb")
///     try reader.withBytes(forKey: "8.8.8.8") { $0.byteCount }   // 31
///     try reader.contains("nowhere")                             // false
///
/// The file is mapped, not read into memory, unless ``FuseAccess`` says otherwise. Replacing it by renaming another
/// over it, as ``FuseWriter`` does, does not disturb open readers; truncating it in place makes their answers errors of
/// code ``FuseError/Code/truncated``.
@safe
public final class FuseReader: Sendable {
  /// What is compared with its checksum.
  public enum Checksums: Sendable {
    /// What is read, when it is read: each object, and what leads to it. Of a plain file the whole when it is opened.
    case verified
    /// Nothing: for files that were verified since they were copied, where every nanosecond counts. Damage may then
    /// go unseen.
    case skipped
  }

  /// How often a reader will be asked for a key.
  package enum ExpectedLookups: Sendable {
    /// Often enough for a hash index in memory.
    case many
    /// A few times: opening takes half the work, and a look-up searches by halves.
    case few
    /// None: opening a plain file reads its header alone. The caller checks the rest as it reads it; see ``MergeInput``.
    case none
  }

  /// The path that the file was opened under; where there was none, words for it, such as "descriptor 7".
  public var path: String { mapping.path }
  /// How many keys the file holds.
  public let keyCount: Int
  /// The file's length in bytes; of a set, that of all shards.
  public var byteCount: Int { shardSet?.byteCount ?? mapping.byteCount }
  /// The file's checksum, which differs where anything after the header does.
  package var checksum: UInt32 { header.checksum }
  /// What is compared with its checksum.
  public let checksums: Checksums
  /// Which of the files that a ``ReloadableReader`` or ``FusePool`` had one after the other this is, counted from 1; 0 for
  /// a reader without one.
  public let generation: Int

  @usableFromInline package let mapping: FileMapping
  package let header: Header
  /// Where the data section ends and the key index begins; 0 in a compact file, which has neither.
  @usableFromInline package let dataEnd: Int
  @usableFromInline package let index: KeyIndex
  /// Which block holds an address; nil where the file does not say.
  @usableFromInline package let networks: NetworkTable?
  // SAFETY: the table is that of `networks`, which lives as long as this reader.
  /// The same where it has no aliases, for look-ups that count no references.
  @usableFromInline let plainNetworks: Unmanaged<NetworkTable>?
  // SAFETY: as for it.
  /// The same, where IPv4 addresses are looked up: no alias is for them.
  @usableFromInline let anyNetworks: Unmanaged<NetworkTable>?
  /// What reads a compact file; nil for others.
  package let compact: CompactReader?
  /// What was expanded of such a file.
  let expanded: ExpandedMemory
  /// The shards that answer; nil for a file.
  package let shardSet: ShardedReader?
  // SAFETY: it is `shardSet`, which lives as long as this reader.
  /// The same, for look-ups that count no references.
  let uncountedSet: Unmanaged<ShardedReader>?

  /// Opens the file at `path`, or the set of shards in the folder there; see ``ShardedReader``.
  ///
  /// A file with an extension block, as ``FuseWriter`` writes it, is opened in constant time: its header, footer and
  /// directory are read, and nothing else. Damage elsewhere is found where a look-up or a scan meets it; to check the
  /// whole file first, call ``verify(path:level:progress:)``. A plain file, as `fusedb` 0.3.0 writes it, is
  /// read once: its checksum and its index are checked, and an index of 10.25 bytes a key is made in memory.
  ///
  /// - Parameter access: how the file is held in memory; mapped by default.
  /// - Throws: ``FuseError`` with code `notFound`, `notADatabase`, `unsupportedVersion`, `corrupted`, `truncated` or
  ///   `inputOutput`.
  /// - Complexity: O(1); of a plain file O(bytes), with `checksums: .skipped` O(bytes of the key index).
  public convenience init(
    path: String, checksums: Checksums = .verified, access: FuseAccess = .mapped
  ) throws(FuseError) {
    try self.init(path: path, checksums: checksums, access: access, expecting: .many)
  }

  /// Opens the file at `path` for scans, and for as many look-ups as are expected.
  package convenience init(
    path: String, checksums: Checksums = .verified, access: FuseAccess = .mapped, expecting lookups: ExpectedLookups
  ) throws(FuseError) {
    let file: FileMapping
    do throws(FuseError) {
      file = try FileMapping(path: path, access: access)
    } catch {
      // Nothing that is no folder is looked at twice.
      guard error.code == .notFound, error.errno == nil, FileStatus(at: path)?.kind == .folder else { throw error }
      guard let set = try SetPlace(path) else {
        throw FuseError(
          .notFound, "\(error.message); a set of shards is a folder with the file \(SetManifest.fileName)", path: path)
      }
      self.init(of: try ShardedReader(set, checksums: checksums, access: access))
      return
    }
    try self.init(file, checksums: checksums, expecting: lookups)
  }

  // SAFETY: of the reference without a count, see `plainNetworks`.
  /// Opens what is in memory already.
  package init(
    _ mapping: FileMapping, checksums: Checksums, expecting lookups: ExpectedLookups = .many, generation: Int = 0
  ) throws(FuseError) {
    do {
      if CompactReader.isCompact(mapping.bytes) {
        let compact = try CompactReader(mapping)
        self.compact = compact
        header = compact.header
        index = try KeyIndex(of: compact)
      } else {
        compact = nil
        header = try Header(parsing: mapping.bytes)
        try header.check(fileByteCount: mapping.byteCount)
        index = try KeyIndex(of: mapping, header: header, checksums: checksums, expecting: lookups)
      }
      networks = try index.networks.map { section throws(FuseError) in try NetworkTable(in: section.range, of: mapping)
      }
    } catch {
      // What was read while the file shrank says nothing about the file.
      try mapping.checkNotShrunk()
      throw error.at(path: mapping.path)
    }
    try mapping.checkNotShrunk()
    unsafe plainNetworks = networks.flatMap { $0.hasAliases ? nil : unsafe .passUnretained($0) }
    unsafe anyNetworks = networks.map { unsafe .passUnretained($0) }
    self.mapping = mapping
    self.checksums = checksums
    self.generation = generation
    keyCount = Int(header.keyCount)
    dataEnd = compact == nil ? Int(header.indexOffset) : 0
    expanded = ExpandedMemory()
    shardSet = nil
    unsafe uncountedSet = nil
  }

  // SAFETY: there are no tables, and this reader keeps the set.
  /// Answers for all shards of a set.
  package init(of set: ShardedReader, generation: Int = 0) {
    shardSet = set
    unsafe uncountedSet = .passUnretained(set)
    mapping = set.mapping
    header = Header(
      keyCount: UInt32(clamping: set.keyCount), objectCount: 0, indexOffset: UInt64(Header.byteCount),
      checksum: set.manifest.checksum)
    keyCount = set.keyCount
    checksums = set.checksums
    self.generation = generation
    dataEnd = 0
    index = .none
    networks = nil
    unsafe plainNetworks = nil
    unsafe anyNetworks = nil
    compact = nil
    expanded = ExpandedMemory()
  }

  /// The same file once more, under another number.
  ///
  /// - Parameter byteCount: how much of a compact file will be kept, as far as that is known.
  package init(_ other: FuseReader, generation: Int, expecting byteCount: Int = 0) {
    mapping = other.mapping
    header = other.header
    dataEnd = other.dataEnd
    index = other.index
    networks = other.networks
    // SAFETY: both readers keep the table, and the set.
    unsafe uncountedSet = other.uncountedSet
    unsafe plainNetworks = other.plainNetworks
    unsafe anyNetworks = other.anyNetworks
    checksums = other.checksums
    keyCount = other.keyCount
    self.generation = generation
    compact = other.compact
    shardSet = other.shardSet
    // What it hands out must not hang on the other.
    expanded = ExpandedMemory(expecting: byteCount)
  }
}

// Opening what is no path.

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
