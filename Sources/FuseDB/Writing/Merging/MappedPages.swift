/// Keeps count of how much of a part of a mapped file is in memory because it was read, and lets go of it when that is
/// too much. The pages of a mapping count as memory of the process.
final class MappedPages {
  /// The system brings in so many bytes around a byte that is read.
  private static let blockShift = 16
  private static let leastBlocks = 16

  private let mapping: FileMapping
  private let range: Range<Int>
  private let mostBlocks: Int
  private var isIn: [Bool]
  private var count = 0
  private var last = -1

  /// - Parameters:
  ///   - range: the part of the file.
  ///   - byteCount: how much of it may be in memory, at least a megabyte.
  init(_ range: Range<Int>, of mapping: FileMapping, limit byteCount: Int) {
    self.mapping = mapping
    self.range = range
    mostBlocks = max(Self.leastBlocks, byteCount >> Self.blockShift)
    isIn = [Bool](
      repeating: false, count: range.upperBound >> Self.blockShift - range.lowerBound >> Self.blockShift + 1)
  }

  deinit { mapping.dropPages(in: range) }

  /// Call this before bytes of the part are read.
  @inline(__always)
  func willRead(_ bytes: Range<Int>) {
    let block = bytes.lowerBound >> Self.blockShift
    if block == last, bytes.upperBound <= (block &+ 1) << Self.blockShift { return }
    note(block...max(block, (bytes.upperBound &- 1) >> Self.blockShift))
  }

  @inline(never)
  private func note(_ blocks: ClosedRange<Int>) {
    let first = range.lowerBound >> Self.blockShift
    for block in blocks {
      let number = block - first
      // Bytes outside the part are counted by others, or are none.
      guard isIn.indices.contains(number), !isIn[number] else { continue }
      if count == mostBlocks {
        mapping.dropPages(in: range)
        for number in isIn.indices { isIn[number] = false }
        count = 0
      }
      isIn[number] = true
      count += 1
    }
    last = blocks.upperBound
  }
}
