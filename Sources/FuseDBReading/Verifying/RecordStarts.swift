internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// Where records begin: a set of offsets in one byte for each 64 bytes of the data section.
///
/// The byte names the first record that begins in its block; from there the records' own lengths lead to the next ones.
/// Few records are shorter than a block, so that the byte alone is mostly the answer.
struct RecordStarts: Sendable {
  private static let shift = 6
  private static let mask = 1 << shift - 1

  private let dataEnd: Int
  // SAFETY: one byte for each block below dataEnd; threads write to blocks of their own before others read.
  private let marks: ZeroedMemory
  /// Sorted; where the walk goes on after records that do not fit. Empty while there are none. [P8]
  var keyTargets: [UInt64] = []

  init(dataEnd: Int) throws(FuseError) {
    self.dataEnd = dataEnd
    marks = try ZeroedMemory(byteCount: dataEnd >> Self.shift + 1)
  }

  /// Adds a record; those of one block are added in their order.
  /// - Precondition: it begins before the end of the data section.
  @inline(__always)
  func insert(_ offset: Int) {
    precondition(offset >= 0 && offset < dataEnd, "a record begins inside the data section")
    // SAFETY: a block below dataEnd has its byte.
    let mark = unsafe (marks.start + offset >> Self.shift).assumingMemoryBound(to: UInt8.self)
    if unsafe mark.pointee == 0 { unsafe mark.pointee = UInt8(truncatingIfNeeded: offset & Self.mask + 1) }
  }

  /// Adds a record of a part that begins at `start`, unless another part has a share in its block.
  @inline(__always)
  func insert(_ offset: Int, ofPartFrom start: Int) {
    if offset >> Self.shift != start >> Self.shift { insert(offset) }
  }

  /// Adds the first record of a sound part, whose others are there already.
  func insert(_ part: DataPart) {
    if !part.range.isEmpty { insert(part.range.lowerBound) }
  }

  /// Forgets what ``insert(_:ofPartFrom:)`` added for this part.
  func remove(part: Range<Int>) {
    guard !part.isEmpty else { return }
    for block in part.lowerBound >> Self.shift..<(part.upperBound - 1) >> Self.shift {
      // SAFETY: the part ends at dataEnd or before it, so that the block after this one has its byte.
      unsafe marks.start.storeBytes(of: 0, toByteOffset: block + 1, as: UInt8.self)
    }
  }

  /// Whether a record begins at `target`.
  @inline(__always)
  func contains(_ target: UInt64, in file: RawSpan) -> Bool {
    guard target < UInt64(dataEnd) else { return false }
    let offset = Int(truncatingIfNeeded: target)
    // SAFETY: the guard keeps the offset below dataEnd, and each block there has its byte.
    let mark = unsafe Int(marks.start.load(fromByteOffset: offset >> Self.shift, as: UInt8.self))
    let wanted = offset & Self.mask + 1
    if mark == wanted { return true }
    guard mark != 0, mark < wanted else { return false }
    return isReached(offset, from: offset - wanted + mark, in: file)
  }

  /// Whether the walk from one record comes by `offset`: at most 7 steps, where all records fit.
  @inline(never)
  private func isReached(_ offset: Int, from start: Int, in file: RawSpan) -> Bool {
    var reached = start
    while reached < offset { reached = next(after: reached, in: file) }
    return reached == offset
  }

  /// Where the walk goes on from an offset where no record fits, or from any other.
  private func next(after offset: Int, in file: RawSpan) -> Int {
    if let record = ObjectRecord(at: UInt64(offset), before: dataEnd, in: file) { return record.end }
    return nextTarget(after: offset)
  }

  /// The next greater offset that a key points at, or the end of the data section. [P8]
  func nextTarget(after offset: Int) -> Int {
    let next = keyTargets.partitioningIndex { $0 > UInt64(offset) }
    guard next < keyTargets.count, keyTargets[next] < UInt64(dataEnd) else { return dataEnd }
    return Int(keyTargets[next])
  }
}
