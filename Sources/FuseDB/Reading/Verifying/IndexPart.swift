/// What one thread found in a part of the key index.
struct IndexPart: Sendable {
  let range: Range<Int>
  /// Whether entries stand back to back from the first byte of the part to its last, their keys ascend, and each
  /// points at a record.
  private(set) var isSound = false
  /// Of a sound part.
  private(set) var entryCount = 0
  private(set) var firstKey = 0..<0
  private(set) var lastKey = 0..<0
  private(set) var checksum: UInt32 = 0

  /// Walks over the entries of a part.
  ///
  /// - Parameter file: what of the file may hold entries.
  init(_ range: Range<Int>, of file: RawSpan, starts: RecordStarts) {
    self.range = range
    var sum = PartChecksum(from: range.lowerBound)
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard let entry = IndexEntry(at: offset, in: file), starts.contains(entry.objectOffset, in: file) else { return }
      let key = entry.keyRange
      if entryCount == 0 {
        firstKey = key
      } else {
        guard file.isAscending(lastKey, key) else { return }
      }
      lastKey = key
      offset = entry.end
      entryCount &+= 1
      sum.advance(to: offset, in: file)
    }
    guard offset == range.upperBound else { return }
    checksum = sum.finish(at: offset, in: file)
    isSound = true
  }
}
