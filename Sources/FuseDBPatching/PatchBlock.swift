internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// What a file has after its key index, as a patch sees it. See spec/patch.md §7.
enum PatchBlock {
  /// What a patch says of a file's block.
  enum Description {
    case absent
    /// What a canonical writer makes of the file and of these metadata, with these of the sections that not every block has.
    case rebuilt(metadata: [UInt8]?, OptionalSections)
    case literal
    /// There is none, and a compact file is to be made.
    case compact(CompactPlan)
  }

  /// Writes the block of a canonical writer after the key index of a file, which ends there.
  ///
  /// - Returns: the header with the checksum of the whole file, and the file's length.
  static func rebuild(
    in file: AtomicFile, index: Range<Int>, header: Header, metadata: [UInt8]?, sections: OptionalSections
  ) throws(FuseError) -> (header: Header, byteCount: Int) {
    try file.flush()
    let reader = IndexReader(index, of: file, keyCount: Int(header.keyCount))
    let collector = try BlockCollector(
      reading: reader, sections: SectionRequest(exactly: sections), limits: BlockLimits(temporaryFolder: file.folder))
    var writer = ExtensionWriter(to: file, index: index, checksum: file.checksum)
    let whole = try writer.write(header: header, metadata: metadata, from: collector)
    return (whole, writer.end)
  }

  /// Finds out whether a patch can leave the block out, by making it once, in a file beside `path` that never gets a
  /// name.
  ///
  /// - Complexity: as a build of the same keys, and as many bytes on the disk as the file has.
  static func description(of reader: FuseReader, beside place: OutputPlace) throws(FuseError) -> Description {
    guard !reader.isPlain else { return .absent }
    let mapping = reader.mapping
    let bytes = mapping.bytes
    let metadata = reader.index.metadata?.range
    // More than this no canonical writer writes.
    guard (metadata?.count ?? 0) <= MetadataSection.mostBytes else { return .literal }
    let copy = metadata.map { bytes.extracting($0).array() }
    let index = reader.dataEnd..<reader.index.end
    let file = try AtomicFile(scratchBeside: place)
    try file.write(bytes.extracting(Header.byteCount..<index.upperBound))
    let sections = reader.index.sections
    // A canonical writer writes no aliases, and no section of networks of keys that disagree about one.
    guard reader.networks?.section.aliases.isEmpty != false else { return .literal }
    let made: (header: Header, byteCount: Int)
    do throws(FuseError) {
      made = try rebuild(in: file, index: index, header: reader.header, metadata: copy, sections: sections)
    } catch {
      guard error.code == .duplicateKey else { throw error }
      return .literal
    }
    guard made.header == reader.header, made.byteCount == reader.byteCount else { return .literal }
    let rebuilt = try FileMapping(
      mapping: file.descriptor, byteCount: made.byteCount, path: place.path, access: .mapped)
    let areEqual = rebuilt.bytes.extracting(droppingFirst: index.upperBound)
      .equals(bytes.extracting(droppingFirst: index.upperBound))
    return areEqual ? .rebuilt(metadata: copy, sections) : .literal
  }
}

/// What the body of a patch says, one number at a time. See spec/patch.md §5 to §7.
///
/// An operation is one number: its kind in the two lowest bits, its argument above them.
enum PatchOperation {
  /// Beside the bits of sections, that aliases of networks follow. [U25]
  static let aliasesFollow: UInt64 = 8
  static let kindBitCount = 2

  /// How the records of the new file come about.
  enum Records: UInt64 {
    /// As many records of the old file as the argument says, from the cursor on.
    case copied = 0
    /// The old record at the cursor, with as many edits as the argument says.
    case edited = 1
    /// A record of as many bytes as the argument says, which follow.
    case new = 2
    /// No record: the cursor moves by the argument, which is signed.
    case moved = 3
  }

  /// How the entries of the new file come about.
  enum Entries: UInt64 {
    /// The next entries of the old file, as many as the argument says; each points at the successor of its old record.
    case followed = 0
    /// The next entries of the old file have no counterpart, as many as the argument says.
    case dropped = 1
    /// The next entry of the old file points elsewhere; the argument, which is signed, says where.
    case redirected = 2
    /// A new key; the argument says how many bytes it shares with the new key before it.
    case added = 3
  }

  /// How what follows the key index comes about.
  enum Block: UInt64 {
    /// Nothing follows it.
    case absent = 0
    /// The block is what a canonical writer makes of the file.
    case rebuilt = 1
    /// The bytes follow as they are.
    case literal = 2
    /// As `rebuilt`, with sections that not every block has; their bits come first.
    case rebuiltWith = 3
    /// Nothing follows it, and the new file is the compact one of these keys and objects, which says more.
    case compact = 4
  }
}

extension Int64 {
  /// Small numbers for small distances in both directions: 0, -1, 1, -2 … are 0, 1, 2, 3 …
  var zigzag: UInt64 { UInt64(bitPattern: (self << 1) ^ (self >> 63)) }

  init(zigzag number: UInt64) { self = Int64(bitPattern: (number >> 1) ^ (0 &- (number & 1))) }
}
