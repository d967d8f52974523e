package import FuseDBFormat
internal import FuseDBReading
package import FuseDBSystem
internal import FuseDBValues

/// Writes the extension block after the key index of a file. See spec/extension.md.
package struct ExtensionWriter {
  private static let directoryAlignment = 8
  private static let seedsToTry: UInt64 = 64

  private let file: AtomicFile
  private let index: Range<Int>
  /// The checksum of what stands between the header and `end`.
  private var checksum: Checksum
  /// The length of the file so far.
  package private(set) var end: Int
  private var directory: [UInt8] = []
  private var sectionCount: UInt32 = 0
  /// What the section of networks was made of; nil where there is none.
  package private(set) var networks: NetworkCounts?

  /// - Parameters:
  ///   - file: flushed up to the end of the index, and nothing stands after it.
  ///   - index: where the key index is.
  ///   - checksum: that of all between the header and the end of the index.
  package init(to file: AtomicFile, index: Range<Int>, checksum: Checksum) {
    self.file = file
    self.index = index
    self.checksum = checksum
    end = index.upperBound
  }

  /// Writes the block; the file then ends at ``end``.
  ///
  /// - Parameters:
  ///   - header: all but the checksum of what follows it.
  ///   - metadata: one MessagePack map, or none.
  ///   - collector: has got all entries of the index.
  ///   - slotsPerLine: how wide slots are; nil as wide as the file needs.
  /// - Returns: the header with the checksum.
  package mutating func write(
    header: Header, metadata: [UInt8]?, from collector: BlockCollector, slotsPerLine: HashSection.SlotsPerLine? = nil
  ) throws(FuseError) -> Header {
    precondition(
      collector.indexByteCount == index.count && collector.keyCount == Int(header.keyCount),
      "the collector has got other entries than the file")
    let slotsPerLine = slotsPerLine ?? (index.upperBound < 1 << 32 ? .seven : .five)
    // First, because it needs the least memory once it is made.
    let made = try collector.finishNetworks(slotsPerLine == .seven ? .eight : .seven)
    networks = made?.counts
    try addHash(from: collector, slotsPerLine)
    let indexStart = index.lowerBound
    try add(.order) { stream throws(FuseError) in try collector.writeRows(to: stream, indexStart: indexStart) }
    if let metadata { try add(.metadata) { stream throws(FuseError) in try stream.write(metadata.rawSpan) } }
    if let made {
      try add(.networks) { stream throws(FuseError) in
        try made.builder.write { bytes throws(FuseError) in try stream.write(bytes) }
      }
    }
    if let lengths = collector.lengths?.bytes {
      try add(.lengths) { stream throws(FuseError) in try stream.write(lengths.rawSpan) }
    }
    if let reverse = collector.reverse {
      try add(.reverse) { stream throws(FuseError) in
        try reverse.write { bytes throws(FuseError) in try stream.write(bytes) }
      }
    }
    skip(to: Self.directoryAlignment)

    let stream = try file.stream(at: end)
    try stream.write(directory.rawSpan)
    checksum.append(Checksum.of(directory.rawSpan), byteCount: directory.count)
    var header = header
    header.checksum = checksum.value
    let footer = ExtensionFooter(
      indexEnd: UInt64(index.upperBound), directoryOffset: UInt64(end), sectionCount: sectionCount,
      directoryChecksum: Checksum.of(directory.rawSpan), headerChecksum: Checksum.of(header.bytes.rawSpan))
    try stream.write(footer.bytes(following: header.checksum).rawSpan)
    try stream.flush()
    end = stream.position
    return header
  }

  /// Writes the section `HASH` with the first seed that suits the keys; without one, there is no section. [X11]
  private mutating func addHash(from collector: BlockCollector, _ slotsPerLine: HashSection.SlotsPerLine)
    throws(FuseError)
  {
    // The fields of a line of five slots can hold no offset beyond this, and all ones mark a free slot.
    guard UInt64(index.count) < HashLine.freeEntry(.five) else { return }
    let start = end.roundedUp(to: HashSection.lineByteCount)
    let reader = IndexReader(index, of: file, keyCount: collector.keyCount)
    for attempt in 0..<Self.seedsToTry {
      // The first seed is 0. Further ones depend on all keys, so that keys cannot be chosen against them.
      let seed = attempt == 0 ? 0 : try reader.hash(seed: attempt)
      if attempt > 0 { try collector.hashAgain(reader, seed: seed) }
      let section = HashSection(keyCount: collector.keyCount, slotsPerLine: slotsPerLine, seed: seed)
      let builder = HashSectionBuilder(section, from: collector.finishRecords(), collector.sizes)
      if let sectionChecksum = try builder.write(to: file, at: start) {
        skip(to: HashSection.lineByteCount)
        return add(.hash, byteCount: section.sectionByteCount, sectionChecksum)
      }
    }
    // What is left of the last attempt must not stand between the sections.
    try file.cut(to: end)
  }

  private mutating func add(
    _ kind: ExtensionDirectory.Kind, _ body: (FileStream) throws(FuseError) -> Void
  ) throws(FuseError) {
    skip(to: sectionCount == 0 ? HashSection.lineByteCount : kind.alignment)
    let stream = try file.stream(at: end)
    try body(stream)
    try stream.flush()
    add(kind, byteCount: stream.byteCount, stream.checksum.value)
  }

  /// Adds a section that was written after the others.
  private mutating func add(_ kind: ExtensionDirectory.Kind, byteCount: Int, _ sectionChecksum: UInt32) {
    directory += ExtensionDirectory.entry(kind, .init(range: end..<end + byteCount, checksum: sectionChecksum))
    sectionCount += 1
    checksum.append(sectionChecksum, byteCount: byteCount)
    end += byteCount
  }

  /// Leaves bytes out up to a multiple of `alignment`: what is not written reads as zeros. [X1]
  private mutating func skip(to alignment: Int) {
    let zeros = [UInt8](repeating: 0, count: end.roundedUp(to: alignment) - end)
    checksum.update(zeros.rawSpan)
    end += zeros.count
  }
}

extension Int {
  fileprivate func roundedUp(to alignment: Int) -> Int { (self + alignment - 1) / alignment * alignment }
}
