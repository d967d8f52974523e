internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// The records of all keys, roughly in the order of their hashes: in streams by the upper bits of the hash.
///
/// The parts of a hash section divide the hashes into ranges, one after the other, however many keys there are. So a
/// part's records stand in neighbouring streams.
@safe
final class HashRecords {
  private var streams: [SpillStream] = []
  // SAFETY: one for each stream, and `streams` keeps them. To count references would take longer than all the rest of
  // adding a record.
  private let unretained: UnsafeMutablePointer<Unmanaged<SpillStream>>
  private let shift: UInt64
  private let isNarrow: Bool
  private let streamCount: Int

  /// - Parameters:
  ///   - streamCount: a power of two.
  ///   - isNarrow: whether all offsets are below 2^32.
  init(_ spill: Spill, streamCount: Int, isNarrow: Bool) {
    // SAFETY: there is room for `streamCount` references, and `removeAll` gives a value to each.
    unsafe unretained = .allocate(capacity: streamCount)
    shift = UInt64(64 - streamCount.trailingZeroBitCount)
    self.isNarrow = isNarrow
    self.streamCount = streamCount
    removeAll(anewIn: spill)
  }

  /// Forgets all records; further ones go elsewhere.
  func removeAll(anewIn spill: Spill) {
    let size = isNarrow ? MemoryLayout<HashRecord.Narrow>.size : MemoryLayout<HashRecord>.size
    streams = (0..<streamCount).map { _ in SpillStream(spill, recordByteCount: size) }
    // SAFETY: there are `streamCount` streams, and as much room; unretained references need no release.
    for (number, stream) in streams.enumerated() {
      unsafe (unretained + number).initialize(to: .passUnretained(stream))
    }
  }

  // SAFETY: nothing is added any more; unretained references need no release.
  deinit { unsafe unretained.deallocate() }

  /// Adds the record of a key.
  @inline(__always)
  func add(_ record: HashRecord) throws(FuseError) {
    // With one stream the shift is by all 64 bits, which `>>` can do.
    let number = Int(truncatingIfNeeded: record.hash >> shift)
    if isNarrow {
      precondition((record.entry | record.object) >> 32 == 0, "an offset is larger than it was said to be")
      try append(record.narrow, to: number)
    } else {
      try append(record, to: number)
    }
  }

  @inline(__always)
  private func append<Record: BitwiseCopyable>(_ record: Record, to number: Int) throws(FuseError) {
    // SAFETY: there are as many streams as the shift leaves numbers.
    let isDone = unsafe unretained[number]._withUnsafeGuaranteedRef { $0.appendInChunk(record) }
    if !isDone { try streams[number].append(record: record) }
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

/// What the hash section is made of, for one key.
struct HashRecord: BitwiseCopyable {
  static let byteCount = MemoryLayout<HashRecord>.stride

  /// Under the seed of the section.
  var hash: UInt64
  /// Where the key's entry begins, from the start of the key index.
  var entry: UInt64
  /// The object offset of that entry.
  var object: UInt64

  /// The same where both offsets have 32 bits.
  struct Narrow: BitwiseCopyable {
    var hash: UInt64
    var entry: UInt32
    var object: UInt32
  }

  @inline(__always)
  var narrow: Narrow {
    Narrow(hash: hash, entry: UInt32(truncatingIfNeeded: entry), object: UInt32(truncatingIfNeeded: object))
  }

  @inline(__always)
  init(hash: UInt64, entry: UInt64, object: UInt64) {
    self.hash = hash
    self.entry = entry
    self.object = object
  }

  @inline(__always)
  init(_ narrow: Narrow) {
    self.init(hash: narrow.hash, entry: UInt64(narrow.entry), object: UInt64(narrow.object))
  }
}
