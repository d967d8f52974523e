public import FuseDBFormat

/// Bytes that are appended, and later read in their order; what does not fit into memory waits in a temporary file.
///
/// One thread writes; then any number of readers read, each by one thread.
@safe
@usableFromInline package final class SpillStream {
  private let spill: Spill
  /// How many bytes of a chunk are used: no record begins in one chunk and ends in another.
  private let capacity: Int
  private var chunks: [SpillContents.Chunk] = []
  /// How many of the chunks are counted as memory that the streams share.
  private var reservedCount = 0
  // SAFETY: the chunk that is being filled has `capacity` bytes, of which `room` are left, from `end` on; without a
  // chunk nothing is left. Nothing holds an access
  // to these two while it calls something else, so the runtime need not check each access.
  private var current: ZeroedMemory?
  @exclusivity(unchecked) @usableFromInline var end: UnsafeMutableRawPointer
  @exclusivity(unchecked) @usableFromInline var room = 0
  private var putAwayByteCount = 0

  /// How many bytes were appended.
  package var byteCount: Int { putAwayByteCount + filled }
  // SAFETY: one thread writes, and it has ended its access to `room` when it asks.
  private var filled: Int { current == nil ? 0 : unsafe capacity - room }

  /// What was appended, once the writing has ended.
  @usableFromInline package var contents: SpillContents { SpillContents(chunks, spill) }

  /// - Parameter recordByteCount: what is appended has this length, each time; or 1 for any length.
  @usableFromInline package init(_ spill: Spill, recordByteCount: Int = 1) {
    self.spill = spill
    capacity = spill.chunkByteCount / recordByteCount * recordByteCount
    precondition(capacity > 0, "a record is longer than a chunk")
    // SAFETY: no memory is at this address, and none is touched: there is no room.
    unsafe end = UnsafeMutableRawPointer(bitPattern: 1)!
  }

  /// Appends one record of a type without padding.
  @inlinable
  @inline(__always)
  package func append<Record: BitwiseCopyable>(record: Record) throws(FuseError) {
    if appendInChunk(record) { return }
    try nextChunk()
    _ = appendInChunk(record)
  }

  /// Appends one record if the chunk has room for it. Returns whether it had.
  @inlinable
  @inline(__always)
  package func appendInChunk<Record: BitwiseCopyable>(_ record: Record) -> Bool {
    let size = MemoryLayout<Record>.size
    guard unsafe room >= size else { return false }
    // SAFETY: the chunk has room for the record.
    unsafe end.storeBytes(of: record, as: Record.self)
    unsafe end += size
    unsafe room &-= size
    return true
  }

  /// Appends bytes.
  package func append(_ bytes: RawSpan) throws(FuseError) {
    var done = 0
    while done < bytes.byteCount {
      if unsafe room == 0 { try nextChunk() }
      let count = unsafe min(room, bytes.byteCount - done)
      let part = bytes.extracting(done..<done + count)
      // SAFETY: the chunk has room for the part.
      unsafe part.withUnsafeBytes { unsafe end.copyMemory(from: $0.baseAddress!, byteCount: count) }
      unsafe end += count
      unsafe room -= count
      done += count
    }
  }

  /// Puts the full chunk away, and begins another.
  @inline(never)
  @usableFromInline func nextChunk() throws(FuseError) {
    try Cancellation.check()
    if let full = current {
      let byteCount = filled
      if spill.allowance.reserve(spill.chunkByteCount) {
        chunks.append(.memory(full, byteCount: byteCount))
        reservedCount += 1
        current = nil
      } else {
        // SAFETY: so many bytes of the chunk are filled.
        let bytes = unsafe RawSpan(_unsafeStart: full.start, byteCount: byteCount)
        let file = try spill.temporaryFile()
        chunks.append(.file(offset: try file.append(bytes), byteCount: byteCount))
      }
      putAwayByteCount += byteCount
      unsafe room = 0
    }
    let chunk =
      if let current { current } else {
        try ZeroedMemory(byteCount: spill.chunkByteCount, inLargePages: false)
      }
    current = chunk
    unsafe end = chunk.start
    unsafe room = capacity
  }

  /// Ends the writing.
  @usableFromInline package func finish() {
    guard let last = current else { return }
    chunks.append(.memory(last, byteCount: filled))
    putAwayByteCount += filled
    current = nil
    // SAFETY: without a chunk there is no room, so `end` is not written to. Nothing else has `room` at this moment.
    unsafe room = 0
  }

  /// Gives back the memory. Readers that exist keep what they have.
  func removeAll() {
    spill.allowance.release(reservedCount * spill.chunkByteCount)
    reservedCount = 0
    chunks = []
    current = nil
    // SAFETY: without a chunk there is no room, so `end` is not written to. Nothing else has `room` at this moment.
    unsafe room = 0
    putAwayByteCount = 0
  }
}

/// What was appended to a stream, for readers on any thread.
@usableFromInline package struct SpillContents: Sendable {
  enum Chunk: Sendable {
    case memory(ZeroedMemory, byteCount: Int)
    case file(offset: Int, byteCount: Int)
  }

  let chunks: [Chunk]
  let spill: Spill

  fileprivate init(_ chunks: [Chunk], _ spill: Spill) {
    self.chunks = chunks
    self.spill = spill
  }

  /// Puts records of a length into the temporary file.
  @usableFromInline init(_ records: RawSpan, recordByteCount: Int, _ spill: Spill) throws(FuseError) {
    let capacity = spill.chunkByteCount / recordByteCount * recordByteCount
    precondition(capacity > 0, "a record is longer than a chunk")
    let start = try spill.temporaryFile().append(records)
    let chunks = stride(from: 0, to: records.byteCount, by: capacity).map { offset in
      Chunk.file(offset: start + offset, byteCount: min(capacity, records.byteCount - offset))
    }
    self.init(chunks, spill)
  }
}
