/// Appends the extension block to a file whose header, data and key index are written. See spec/extension.md.
struct ExtensionWriter {
  private static let sectionAlignment: UInt64 = 8

  private let file: AtomicFile
  private let index: Range<Int>
  private var directory: [UInt8] = []
  private var sectionCount: UInt32 = 0

  /// - Parameter index: where the key index stands; the file ends with it.
  init(appendingTo file: AtomicFile, index: Range<Int>) {
    self.file = file
    self.index = index
  }

  /// Writes the block.
  ///
  /// - Parameters:
  ///   - header: all but the checksum of what follows it.
  ///   - metadata: one MessagePack map, or none.
  ///   - lanes: how wide slots are; nil as wide as the file needs.
  /// - Returns: the header with the checksum.
  mutating func write(
    header: Header, metadata: [UInt8]?, lanes: HashSection.Lanes? = nil
  ) throws(FuseError) -> Header {
    try file.flush()
    let keys = try IndexedKeys(in: index, of: try file.mapped(), count: Int(header.keyCount))
    if let hash = try HashSectionBuilder(keys, lanes: lanes).build() {
      // SAFETY: the span ends before the memory does.
      let bytes = unsafe RawSpan(_unsafeStart: hash.start, byteCount: hash.byteCount)
      try add(.hash, bytes, alignment: UInt64(HashSection.lineByteCount))
    }
    try add(.order, Self.rows(of: keys).rawSpan)
    if let metadata { try add(.metadata, metadata.rawSpan) }
    try pad(to: Self.sectionAlignment)
    let directoryOffset = file.byteCount
    try file.write(directory.rawSpan)
    try file.flush()

    var header = header
    header.checksum = file.checksum.value
    let footer = ExtensionFooter(
      indexEnd: UInt64(index.upperBound), directoryOffset: directoryOffset, sectionCount: sectionCount,
      directoryChecksum: Checksum.of(directory.rawSpan), headerChecksum: Checksum.of(header.bytes.rawSpan))
    try file.write(footer.bytes(following: header.checksum).rawSpan)
    return header
  }

  private mutating func add(
    _ kind: ExtensionDirectory.Kind, _ bytes: RawSpan, alignment: UInt64 = Self.sectionAlignment
  ) throws(FuseError) {
    try pad(to: sectionCount == 0 ? UInt64(HashSection.lineByteCount) : alignment)
    let start = Int(file.byteCount)
    try file.write(bytes)
    directory += ExtensionDirectory.entry(
      kind, .init(range: start..<start + bytes.byteCount, checksum: Checksum.of(bytes)))
    sectionCount += 1
  }

  /// Zeros up to a multiple of `alignment`.
  private func pad(to alignment: UInt64) throws(FuseError) {
    while file.byteCount % alignment != 0 { try file.write(bigEndian: UInt8(0)) }
  }

  /// The section `ORDR`. [X12]
  private static func rows(of keys: IndexedKeys) -> [UInt8] {
    var rows: [UInt8] = []
    rows.reserveCapacity(keys.strideChecksums.count * StrideRow.byteCount)
    for (stride, checksum) in keys.strideChecksums.enumerated() {
      rows.append(bigEndian: UInt64(keys.range.lowerBound) + keys.entries[stride * StrideRow.entryCount])
      rows.append(bigEndian: checksum)
    }
    return rows
  }
}
