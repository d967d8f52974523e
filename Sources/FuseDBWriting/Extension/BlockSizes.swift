internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// How the making of an extension block divides its memory. The bytes of the block don't depend on it.
struct BlockSizes: Sendable {
  /// Few enough that the ends of all stay in the cache.
  private static let mostStreams = 4096
  /// However little memory there is: with fewer, each stream would be read again for too many parts.
  private static let fewestStreams = 256
  private static let keysPerStream = 8192
  private static let chunkByteCounts = 4096...1 << 20
  /// What two files' streams and other small things take.
  private static let fixedByteCount = 5 << 20
  /// However little memory there is, for the same reason.
  private static let fewestPartsAtOnce = 4
  /// So few have their records in the second-level cache.
  private static let usualPartsAtOnce = 8

  /// Records are kept in so many streams, by the upper bits of their hashes; a power of two.
  let streamCount: Int
  /// What goes to the temporary file at once.
  let chunkByteCount: Int
  /// How many bytes of full chunks may stay in memory.
  let keptByteCount: Int
  /// How many parts of the hash section a thread makes at once.
  let partsAtOnce: Int
  let threadCount: Int

  /// - Parameters:
  ///   - keyCount: at most so many keys come.
  ///   - memory: in bytes. A quarter is for chunks being filled, half for full ones, an eighth for threads that make
  ///     parts. However little it is, some 8 MiB are taken.
  init(keyCount: Int, memory: Int, threadCount: Int) {
    let memory = max(0, memory - Self.fixedByteCount)
    let mostStreams = min(Self.mostStreams, max(Self.fewestStreams, memory / 4 / 8192))
    var streamCount = 1
    while streamCount * 2 <= mostStreams, streamCount * Self.keysPerStream < keyCount { streamCount *= 2 }
    self.streamCount = streamCount
    var chunkByteCount = Self.chunkByteCounts.lowerBound
    while chunkByteCount < Self.chunkByteCounts.upperBound, chunkByteCount * 2 * streamCount <= memory / 4 {
      chunkByteCount *= 2
    }
    self.chunkByteCount = chunkByteCount
    keptByteCount = memory / 2
    self.threadCount = max(1, threadCount)
    let perPart = HashSection.keysPerPart * (2 * HashRecord.byteCount + 11)
    // Those of two streams, so that none is read often.
    let wanted = max(Self.usualPartsAtOnce, 2 * keyCount / streamCount / HashSection.keysPerPart)
    partsAtOnce = min(wanted, max(Self.fewestPartsAtOnce, memory / 8 / self.threadCount / perPart))
  }
}

/// What the making of an extension block may use. The bytes of the block don't depend on it.
package struct BlockLimits: Sendable {
  package static let usualMemory = 512 << 20

  /// In bytes, some 6 MiB at least.
  var memory: Int
  /// Where a temporary file goes that is needed when the memory is not enough.
  var temporaryFolder: String
  var threadCount: Int

  package init(memory: Int = usualMemory, temporaryFolder: String, threadCount: Int = Parallel.processorCount) {
    self.memory = memory
    self.temporaryFolder = temporaryFolder
    self.threadCount = threadCount
  }
}
