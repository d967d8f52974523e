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
    /// What a canonical writer makes of the file and of these metadata.
    case rebuilt(metadata: [UInt8]?)
    case literal
  }

  /// Writes the block of a canonical writer after the key index of a file, which ends there.
  ///
  /// - Returns: the header with the checksum of the whole file, and the file's length.
  static func rebuild(
    in file: AtomicFile, index: Range<Int>, header: Header, metadata: [UInt8]?
  ) throws(FuseError) -> (header: Header, byteCount: Int) {
    try file.flush()
    let reader = IndexReader(index, of: file, keyCount: Int(header.keyCount))
    let collector = try BlockCollector(reading: reader, limits: BlockLimits(temporaryFolder: file.folder))
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
    let made = try rebuild(in: file, index: index, header: reader.header, metadata: copy)
    guard made.header == reader.header, made.byteCount == reader.byteCount else { return .literal }
    let rebuilt = try FileMapping(
      mapping: file.descriptor, byteCount: made.byteCount, path: place.path, access: .mapped)
    let areEqual = rebuilt.bytes.extracting(droppingFirst: index.upperBound)
      .equals(bytes.extracting(droppingFirst: index.upperBound))
    return areEqual ? .rebuilt(metadata: copy) : .literal
  }
}
