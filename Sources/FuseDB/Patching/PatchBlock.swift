/// What a file has behind its key index, as a patch sees it. See spec/patch.md §7.
enum PatchBlock {
  /// What a patch says of a file's block.
  enum Description {
    case absent
    /// What a canonical writer makes of the file and of these metadata.
    case rebuilt(metadata: [UInt8]?)
    case literal
  }

  /// Appends the block of a canonical writer to a file that ends with its key index.
  ///
  /// - Returns: the header with the checksum of the whole file.
  static func rebuild(
    in file: AtomicFile, index: Range<Int>, header: Header, metadata: [UInt8]?
  ) throws(FuseError) -> Header {
    var writer = ExtensionWriter(appendingTo: file, index: index)
    return try writer.write(header: header, metadata: metadata)
  }

  /// Finds out whether a patch can leave the block out, by making it once, in a file beside `path` that never gets a
  /// name.
  ///
  /// - Complexity: as a build of the same keys, and as many bytes on the disk as the file has.
  static func description(of reader: FuseReader, beside path: String) throws(FuseError) -> Description {
    guard !reader.isPlain else { return .absent }
    let mapping = reader.mapping
    let bytes = mapping.bytes
    let metadata = reader.index.metadata?.range
    // More than this no canonical writer writes.
    guard (metadata?.count ?? 0) <= MetadataSection.mostBytes else { return .literal }
    let copy = metadata.map { bytes.extracting($0).array() }
    let index = reader.dataEnd..<reader.index.end
    let file = try AtomicFile(replacing: path)
    try file.write(bytes.extracting(Header.byteCount..<index.upperBound))
    let header = try rebuild(in: file, index: index, header: reader.header, metadata: copy)
    guard header == reader.header, file.byteCount == UInt64(reader.byteCount) else { return .literal }
    try file.flush()
    let rebuilt = try file.mapped()
    let areEqual = rebuilt.bytes.extracting(droppingFirst: index.upperBound)
      .equals(bytes.extracting(droppingFirst: index.upperBound))
    return areEqual ? .rebuilt(metadata: copy) : .literal
  }
}
