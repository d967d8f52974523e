/// The records of all keys, roughly in the order of their hashes: in streams by the upper bits of the hash.
///
/// The parts of a hash section divide the hashes into ranges, one behind the other, however many keys there are. So a
/// part's records stand in neighbouring streams.
final class HashRecords {
  private let streams: [SpillStream]
  private let shift: UInt64
  private let isNarrow: Bool

  /// - Parameter isNarrow: whether all offsets are below 2^32.
  init(_ spill: Spill, streamCount: Int, isNarrow: Bool) {
    let size = isNarrow ? MemoryLayout<HashRecord.Narrow>.size : MemoryLayout<HashRecord>.size
    streams = (0..<streamCount).map { _ in SpillStream(spill, recordByteCount: size) }
    shift = UInt64(64 - streamCount.trailingZeroBitCount)
    self.isNarrow = isNarrow
  }

  /// Adds the record of a key.
  @inline(__always)
  func add(_ record: HashRecord) throws(FuseError) {
    // One stream is shifted by all 64 bits, which `>>` does.
    let stream = streams[Int(truncatingIfNeeded: record.hash >> shift)]
    if isNarrow {
      precondition((record.entry | record.object) >> 32 == 0, "an offset is larger than it was said to be")
      try stream.append(record: record.narrow)
    } else {
      try stream.append(record: record)
    }
  }

  /// Forgets all records.
  func removeAll() {
    for stream in streams { stream.removeAll() }
  }

  /// Ends the adding, and returns all records for readers on any thread.
  func finish() -> Contents {
    for stream in streams { stream.finish() }
    return Contents(streams: streams.map(\.contents), shift: shift, isNarrow: isNarrow)
  }

  struct Contents: Sendable {
    fileprivate let streams: [SpillContents]
    fileprivate let shift: UInt64
    fileprivate let isNarrow: Bool

    /// Calls `body` with all records whose hashes may lie in `range`, and some more.
    ///
    /// - Parameter buffer: where chunks of the temporary file are read to.
    @inline(__always)
    func forEach(
      in range: ClosedRange<UInt64>, buffer: ZeroedMemory, _ body: (HashRecord) throws(FuseError) -> Void
    ) throws(FuseError) {
      for number in Int(range.lowerBound >> shift)...Int(range.upperBound >> shift) {
        var reader = SpillReader(streams[number], buffer: buffer)
        if isNarrow {
          while let record = try reader.next(as: HashRecord.Narrow.self) { try body(HashRecord(record)) }
        } else {
          while let record = try reader.next(as: HashRecord.self) { try body(record) }
        }
      }
    }
  }
}
