package import FuseDBFormat
package import FuseDBSystem

/// Sorts the hashes and places of the keys of a compact file, and writes its section of slots.
package final class SlotSectionWriter {
  private let sizes: BlockSizes
  private let folder: String
  private let isNarrow: Bool
  private var records: HashRecords

  /// - Parameters:
  ///   - memory: in bytes; however little it is, some 8 MiB are taken.
  ///   - folder: where a temporary file goes that is needed when the memory is not enough.
  ///   - isNarrow: whether all places are below 2^32.
  package init(keyCount: Int, memory: Int, folder: String, isNarrow: Bool) {
    sizes = BlockSizes(keyCount: keyCount, memory: memory, threadCount: Parallel.processorCount)
    self.folder = folder
    self.isNarrow = isNarrow
    let spill = Spill(in: folder, memory: sizes.keptByteCount, chunkByteCount: sizes.chunkByteCount)
    records = HashRecords(spill, streamCount: sizes.streamCount, isNarrow: isNarrow)
  }

  /// Adds a key by its hash, and the place of its entry.
  package func add(hash: UInt64, place: UInt64) throws(FuseError) {
    try records.add(HashRecord(hash: hash, entry: place, object: 0))
  }

  /// Forgets all keys, for those of another seed.
  package func removeAll() {
    records.removeAll(
      anewIn: Spill(in: folder, memory: sizes.keptByteCount, chunkByteCount: sizes.chunkByteCount))
  }

  /// Writes the section of all keys from `start` on.
  ///
  /// - Returns: the section's checksum; nil when the seed does not suit the keys, and then anything stands there.
  package func write(_ section: SlotSection, to file: AtomicFile, at start: Int) throws(FuseError) -> UInt32? {
    try HashSectionBuilder(section, from: records.finish(), sizes).write(to: file, at: start)
  }
}
