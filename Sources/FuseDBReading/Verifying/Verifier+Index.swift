internal import CFuseIntrinsics
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
      // Far from the end of the file, many at once.
      let end = min(range.upperBound, offset &+ PartChecksum.stepByteCount)
      guard pass(&offset, until: end, of: file, starts) else { return }
      sum.finish(at: offset, in: file)
    }
    guard offset == range.upperBound else { return }
    checksum = sum.finish(at: offset, in: file)
    isSound = true
  }

  /// More than an entry can have, and the 16 bytes after the beginning of its key that are compared in one go.
  private static let longestEntry = IndexEntry.overhead + FormatLimits.keyByteCount + 16

  /// Goes from entry to entry as long as even the longest one would be inside the file. Returns false when one is not
  /// sound. A third of the instructions of the checked way.
  @inline(__always)
  private mutating func pass(_ offset: inout Int, until end: Int, of file: RawSpan, _ starts: RecordStarts) -> Bool {
    let end = min(end, file.byteCount &- Self.longestEntry)
    guard offset < end else { return true }
    var start = offset
    var count = 0
    var before = lastKey.lowerBound
    var beforeCount = lastKey.count
    // SAFETY: `start` is below `end`, so that an entry of any length, and 16 bytes from its key on, are inside the
    // span; the key before was inside it, and stands in front of this one.
    let isSound = unsafe file.withUnsafeBytes { bytes in
      let base = bytes.baseAddress!
      while start < end {
        let key = start &+ 2
        let keyCount = Int(UInt16(bigEndian: unsafe base.loadUnaligned(fromByteOffset: start, as: UInt16.self)))
        let target = UInt64(bigEndian: unsafe base.loadUnaligned(fromByteOffset: key &+ keyCount, as: UInt64.self))
        guard starts.contains(target, in: file) else { return false }
        let equal = unsafe Int(fuse_equal_prefix16(base + before, base + key))
        if equal < min(beforeCount, keyCount) {
          if equal < 16 {
            let left = unsafe base.load(fromByteOffset: before &+ equal, as: UInt8.self)
            guard unsafe left < base.load(fromByteOffset: key &+ equal, as: UInt8.self) else { return false }
          } else {
            guard file.isAscending(before..<before + beforeCount, key..<key + keyCount) else { return false }
          }
        } else {
          // One begins with the other.
          guard beforeCount < keyCount else { return false }
        }
        before = key
        beforeCount = keyCount
        start = key &+ keyCount &+ 8
        count &+= 1
      }
      return true
    }
    offset = start
    entryCount &+= count
    lastKey = before..<before + beforeCount
    return isSound
  }
}
