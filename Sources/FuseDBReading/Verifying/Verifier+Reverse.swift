internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension Verifier {
  /// For entries that are being sorted, and as much for those that are; what is more waits in a temporary file.
  private static let memoryForReverse = 128 << 20

  /// Makes the reverse index again from the keys, and compares block by block. [Y9]
  ///
  /// - Parameter index: the key index; nil where it is damaged, and so says nothing about the section.
  @_lifetime(self: copy self)
  mutating func walkReverse(_ found: ExtensionDirectory.Section, index: Range<Int>?) throws(FuseError) {
    let start = found.range.lowerBound
    do throws(FuseError) { _ = try ReverseTable(in: found.range) } catch {
      return try add(.reverse, at: start, error.message)
    }
    guard let index else { return }
    let records = ReverseRecords(
      Spill(in: Self.temporaryFolder, memory: Self.memoryForReverse, chunkByteCount: Self.chunkByteCount),
      memory: Self.memoryForReverse)
    let entries = file.extracting(0..<index.upperBound)
    var offset = index.lowerBound
    for number in 0..<summary.keyCount {
      if number & 0xFFFF == 0 { try Cancellation.check() }
      guard let entry = IndexEntry(at: offset, in: entries) else { break }
      try records.add(object: entry.objectOffset)
      offset = entry.end
    }
    let stored = file.extracting(found.range)
    var made = 0
    var differences: [Int] = []
    try records.write { block throws(FuseError) in
      try Cancellation.check()
      let end = made + block.byteCount
      if end <= stored.byteCount, !stored.extracting(made..<end).equals(block) { differences.append(made) }
      made = end
    }
    guard made == stored.byteCount else {
      return try add(
        .reverse, at: start,
        "the reverse index has \(counted(stored.byteCount, "byte")), and the keys make one of \(made)")
    }
    for offset in differences {
      try add(.reverse, at: start + offset, "the block of the reverse index here is not what the keys make of it")
    }
  }
}
