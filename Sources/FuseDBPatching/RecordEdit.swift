internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// One offset at which an object differs from its predecessor. What follows the last edit is kept. See spec/patch.md §5.
struct RecordEdit: Equatable {
  /// How many bytes of the old object are kept before it.
  var keptCount: Int
  /// How many bytes of the old object go.
  var droppedCount: Int
  /// What replaces them: where it is in the new object.
  var inserted: Range<Int>

  /// Fewer equal bytes between two edits cost less when they are written anew.
  private static let shortestRun = 5
  private static let slotBitCount = 10

  /// What makes `new` of `old`: what lies between the equal bytes at both ends, again without the runs that both have
  /// in the same order, as far as a search for equal words finds them.
  ///
  /// - Complexity: O(bytes).
  static func edits(from old: RawSpan, to new: RawSpan) throws(FuseError) -> [RecordEdit] {
    let shared = min(old.byteCount, new.byteCount)
    var start = 0
    while start < shared, byte(old, start) == byte(new, start) { start += 1 }
    var oldEnd = old.byteCount
    var newEnd = new.byteCount
    while oldEnd > start, newEnd > start, byte(old, oldEnd - 1) == byte(new, newEnd - 1) {
      oldEnd -= 1
      newEnd -= 1
    }

    var edits: [RecordEdit] = []
    // Up to where the old object is described.
    var oldDone = 0
    // Where the two begin to differ again.
    var (oldStart, newStart) = (start, start)
    func add(oldEnd: Int, newEnd: Int) throws(FuseError) {
      try edits.grow(
        by: RecordEdit(keptCount: oldStart - oldDone, droppedCount: oldEnd - oldStart, inserted: newStart..<newEnd))
      oldDone = oldEnd
    }

    let wordOffsets = firstOffsets(in: old.extracting(first: oldEnd), from: start)
    var offset = newStart
    while offset + 4 <= newEnd, !wordOffsets.isEmpty {
      let candidate = Int(wordOffsets[slot(new, offset)]) - 1
      var (oldNext, newNext) = (candidate, offset)
      if candidate >= oldStart {
        while oldNext < oldEnd, newNext < newEnd, byte(old, oldNext) == byte(new, newNext) {
          oldNext += 1
          newNext += 1
        }
      }
      if newNext - offset >= shortestRun {
        try add(oldEnd: candidate, newEnd: offset)
        (oldStart, newStart) = (oldNext, newNext)
        offset = newNext
      } else {
        offset += 1
      }
    }
    if oldStart < oldEnd || newStart < newEnd { try add(oldEnd: oldEnd, newEnd: newEnd) }
    return edits
  }

  private static func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 { bytes.loadInside(at: offset, as: UInt8.self) }

  /// One more than the first offset of a word of four bytes, by the word; 0 where there is none. Some words share a slot.
  private static func firstOffsets(in bytes: RawSpan, from start: Int) -> [UInt32] {
    guard bytes.byteCount - start >= shortestRun, bytes.byteCount < UInt32.max else { return [] }
    var wordOffsets = [UInt32](repeating: 0, count: 1 << slotBitCount)
    for offset in (start...bytes.byteCount - 4).reversed() { wordOffsets[slot(bytes, offset)] = UInt32(offset + 1) }
    return wordOffsets
  }

  private static func slot(_ bytes: RawSpan, _ offset: Int) -> Int {
    Int((bytes.loadInside(at: offset, as: UInt32.self) &* 0x9E37_79B1) >> (32 - slotBitCount))
  }
}
