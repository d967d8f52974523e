internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

extension Verifier {
  /// Goes through the key index in order, passing over parts that are proven sound.
  @_lifetime(self: copy self)
  mutating func walkIndex(
    _ parts: [IndexPart], header: Header, index: Range<Int>, _ starts: RecordStarts
  ) throws(FuseError) {
    let damageBefore = summary.damageCount
    defer { isIndexSound = summary.damageCount == damageBefore }
    let stage = stage(share: Share.indexAgain)
    let bytes = file.extracting(0..<index.upperBound)
    let expected = Int(header.keyCount)
    var offset = index.lowerBound
    var previous: Range<Int>?
    parts: for part in parts {
      if part.isSound, offset == part.range.lowerBound,
        previous.map({ bytes.isAscending($0, part.firstKey) }) ?? true
      {
        summary.keyCount += part.entryCount
        previous = part.lastKey
        offset = part.range.upperBound
        continue
      }
      while offset < part.range.upperBound {
        guard let entry = IndexEntry(at: offset, in: bytes) else {
          if summary.keyCount < expected {
            return try add(.keyBounds, at: offset, "index entry \(summary.keyCount) runs past the end of the file")
          }
          try addTrailingBytes(from: offset, to: index.upperBound)
          break parts
        }
        let ascends = previous.map { bytes.isAscending($0, entry.keyRange) } ?? true
        let hasTarget = starts.contains(entry.objectOffset, in: bytes)
        // After the last counted key, only what looks like one more entry shows that the count is wrong. [P9]
        if summary.keyCount >= expected, !ascends || !hasTarget {
          try addTrailingBytes(from: offset, to: index.upperBound)
          break parts
        }
        if !ascends {
          try add(
            .keyOrder, at: offset, "the key of index entry \(summary.keyCount) does not come after the one before it")
        }
        if !hasTarget {
          try add(
            .keyTarget, at: offset,
            "index entry \(summary.keyCount) points at \(entry.objectOffset), where no object begins")
        }
        previous = entry.keyRange
        offset = entry.end
        summary.keyCount += 1
        if summary.keyCount % 65536 == 0 { stage(Double(offset - index.lowerBound) / Double(index.count)) }
      }
    }
    if summary.keyCount != expected {
      try add(
        .count, at: Header.Field.keyCount,
        "the header counts \(counted(header.keyCount, "key")) and the index holds \(summary.keyCount)")
    }
  }

  @_lifetime(self: copy self)
  private mutating func addTrailingBytes(from offset: Int, to end: Int) throws(FuseError) {
    // A block whose footer is missing is what a copy leaves that did not come to its end.
    let isCut = block.footer == nil && block.fault == nil
    let reason =
      isCut ? ", and no footer ends the file: it was cut short, or something was appended; copy or build it again" : ""
    try add(.trailingBytes, at: offset, "\(counted(end - offset, "byte")) after the last index entry\(reason)")
  }
}

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
    var walk = EntryWalk(from: range.lowerBound, until: range.upperBound, in: file)
    while walk.offset < range.upperBound {
      walk.prefetchAhead()
      guard let entry = walk.next(), starts.contains(entry.objectOffset, in: file) else { return }
      if entryCount == 0 { firstKey = entry.keyRange }
      entryCount &+= 1
      sum.advance(to: walk.offset, in: file)
    }
    lastKey = walk.previous ?? lastKey
    checksum = sum.finish(at: walk.offset, in: file)
    isSound = true
  }
}
