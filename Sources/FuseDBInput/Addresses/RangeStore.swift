internal import FuseDBFormat
internal import FuseDBSystem
package import FuseDBWriting

/// The ranges of addresses of all inputs, which wait until all are known: only then it is certain which ones overlap.
struct RangeStore {
  private let ranges: SortedRecords<RangeRecord>
  private let room: SortingRoom

  /// - Parameter threadCount: how many stores share the memory.
  init(_ writer: FuseWriter, threadCount: Int) throws(FuseError) {
    room = try writer.sortingRoom()
    ranges = SortedRecords(room.spill, memory: room.memory / 2 / threadCount)
  }

  func add(_ record: RangeRecord) throws(FuseError) { try ranges.add(record) }

  /// Takes over the ranges of another thread.
  func take(_ other: RangeStore) throws(FuseError) { try ranges.take(other.ranges) }

  /// Gives a writer the blocks of all ranges.
  ///
  /// - Returns: how many there were, and how many ranges were cut.
  func addBlocks(
    to shard: WriterShard, _ options: RangeOptions, _ text: RangeMessages
  ) throws(FuseError) -> Outcome {
    var outcome = Outcome()
    let mostOpen = max(1 << 13, room.memory / 256)
    var blocks = RangeBlocks(repeats: options.repeats, mostOpen: mostOpen, text)
    let add: RangeBlocks.Body = { block, record throws(FuseError) in
      try shard.addKey(
        NetworkText(block.network).bytes, object: record.object, position: record.position)
      outcome.keyCount += 1
    }
    if let overlap = options.overlap {
      let pieces = SortedRecords<RangeRecord>(room.spill, memory: room.memory / 2)
      var cutter = RangeCutter(overlap, mostOpen: mostOpen, text)
      try ranges.forEach { record throws(FuseError) in
        try cutter.add(record) { piece throws(FuseError) in try pieces.add(piece) }
      }
      try cutter.finish { piece throws(FuseError) in try pieces.add(piece) }
      (outcome.cutCount, outcome.hiddenCount) = (cutter.cutCount, cutter.hiddenCount)
      try pieces.forEach { record throws(FuseError) in try blocks.add(record, add) }
    } else {
      try ranges.forEach { record throws(FuseError) in try blocks.add(record, add) }
    }
    try blocks.finish(add)
    return outcome
  }

  /// What came of ranges.
  struct Outcome {
    /// How many keys they gave.
    var keyCount = 0
    /// How many lost addresses to others,
    var cutCount = 0
    /// and how many of them all.
    var hiddenCount = 0
  }
}

/// What happens to ranges of addresses that overlap.
package struct RangeOptions: Sendable {
  /// Who has the addresses of two that overlap; nil where that is refused.
  var overlap: FuseInput.Overlap?
  /// What happens when two ranges are the same.
  var repeats: RangeBlocks.Repeats

  /// - Parameter onDuplicate: who counts of equal ranges; nil where they need equal objects.
  package init(overlap: FuseInput.Overlap? = nil, onDuplicate: FuseWriter.DuplicatePolicy? = nil) {
    self.overlap = overlap
    repeats =
      switch onDuplicate {
      case .first: .first
      case .last: .last
      case .error: .refused
      // Ranges have one object each.
      case nil, .collect: .needEqualObjects
      }
  }
}
