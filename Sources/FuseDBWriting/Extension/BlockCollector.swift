package import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Collects, entry by entry, what the extension block of a key index is made of. See spec/extension.md.
///
/// The writer of the index adds its entries here too, in the same order; then ``ExtensionWriter`` makes the block. What
/// does not fit into the memory waits in a temporary file.
package final class BlockCollector {
  /// Rows are a fortieth of what records are; those that don't fit wait in a file of their own.
  private static let shareOfRows = 32

  let sizes: BlockSizes
  private let limits: BlockLimits
  private let rows: StrideRows
  private let sections: SectionRequest
  /// Nil where there is to be no section of networks.
  var networks: NetworkCollector?
  /// Nil where there is to be no section of key lengths.
  private(set) var lengths: KeyLengths?
  private let records: HashRecords
  private(set) var keyCount = 0
  /// The length of the key index, after the entries so far.
  private(set) var indexByteCount: UInt64 = 0

  /// - Parameters:
  ///   - keyCount: how many keys may come; a guess that is wrong costs time or memory, no more.
  ///   - indexEnd: where the key index ends at the latest.
  ///   - sections: which sections the block gets beside those that every block has.
  init(
    keyCountAtMost keyCount: Int, indexEndAtMost indexEnd: Int, sections: SectionRequest, limits: BlockLimits
  ) throws(FuseError) {
    self.limits = limits
    self.sections = sections
    sizes = BlockSizes(keyCount: keyCount, memory: limits.memory, threadCount: limits.threadCount)
    let spill = Spill(
      in: limits.temporaryFolder, memory: sizes.keptByteCount / Self.shareOfRows, chunkByteCount: sizes.chunkByteCount)
    rows = try StrideRows(spill)
    records = HashRecords(Self.spill(limits, sizes), streamCount: sizes.streamCount, isNarrow: indexEnd < 1 << 32)
    lengths = sections.keyLengths ? KeyLengths() : nil
    networks = sections.networks == .never ? nil : NetworkCollector(sections, limits, sizes)
  }

  /// For the records of all keys.
  private static func spill(_ limits: BlockLimits, _ sizes: BlockSizes) -> Spill {
    Spill(
      in: limits.temporaryFolder, memory: sizes.keptByteCount - sizes.keptByteCount / shareOfRows,
      chunkByteCount: sizes.chunkByteCount)
  }

  /// Adds the next entry of the key index.
  ///
  /// - Parameters:
  ///   - key: at most 65,535 bytes.
  ///   - object: the entry's object offset.
  @inline(__always)
  func add(key: RawSpan, object: UInt64) throws(FuseError) {
    try records.add(HashRecord(hash: key.hash(seed: 0), entry: indexByteCount, object: object))
    try rows.add(key: key, object: object)
    if let networks, try !networks.add(key: key, object: object) { self.networks = nil }
    lengths?.add(key)
    indexByteCount &+= UInt64(key.byteCount &+ IndexEntry.overhead)
    keyCount &+= 1
  }

  /// Forgets the hashes, and hashes all keys under another seed.
  ///
  /// - Parameter index: that of the entries that were added.
  func hashAgain(_ index: IndexReader, seed: UInt64) throws(FuseError) {
    // With a new temporary file, so that the old one's room is free.
    records.removeAll(anewIn: Self.spill(limits, sizes))
    var entry: UInt64 = 0
    try index.forEachEntry { key, object throws(FuseError) in
      try records.add(HashRecord(hash: key.hash(seed: seed), entry: entry, object: object))
      entry += UInt64(key.byteCount + IndexEntry.overhead)
    }
  }

  /// The records of all keys; nothing is added afterwards, but for another seed.
  func finishRecords() -> HashRecords.Contents { records.finish() }

  /// Ends the collecting of networks.
  ///
  /// - Parameter lanes: how wide offsets of objects are.
  /// - Returns: their section, ready to be written, or nil where there is none; and what became of them.
  func finishNetworks(
    _ lanes: NetworkSection.Lanes
  ) throws(FuseError) -> (builder: NetworkSectionBuilder, counts: NetworkCounts)? {
    defer { networks = nil }
    return try networks?.finish(lanes)
  }

  /// Writes the section `ORDR`, once.
  ///
  /// - Parameter indexStart: where the key index begins in the file.
  func writeRows(to stream: FileStream, indexStart: Int) throws(FuseError) {
    try rows.finish(to: stream, indexStart: indexStart)
  }
}

extension BlockCollector {
  /// Collects from a key index that is in the file already.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` when the entries don't fill the index, or one points past the data.
  package convenience init(
    reading index: IndexReader, sections: SectionRequest, limits: BlockLimits
  ) throws(FuseError) {
    try self.init(
      keyCountAtMost: index.keyCount, indexEndAtMost: index.range.upperBound, sections: sections, limits: limits)
    try index.forEachEntry { key, object throws(FuseError) in try add(key: key, object: object) }
  }
}
