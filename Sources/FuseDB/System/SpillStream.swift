/// Bytes that are appended, and later read in their order; what does not fit into memory waits in a temporary file.
///
/// One thread writes; then any number of readers read, each by one thread.
@safe
final class SpillStream {
  fileprivate enum Chunk {
    case memory(ZeroedMemory, byteCount: Int)
    case file(place: Int, byteCount: Int)
  }

  private let spill: Spill
  /// How many bytes of a chunk are used: no record begins in one chunk and ends in another.
  private let capacity: Int
  fileprivate private(set) var chunks: [Chunk] = []
  // SAFETY: the chunk that is being filled has `capacity` bytes, of which `filled` are used.
  private var current: ZeroedMemory?
  private var filled = 0
  private(set) var byteCount = 0

  /// - Parameter recordByteCount: what is appended has this length, each time; or 1 for any length.
  init(_ spill: Spill, recordByteCount: Int = 1) {
    self.spill = spill
    capacity = spill.chunkByteCount / recordByteCount * recordByteCount
    precondition(capacity > 0, "a record is longer than a chunk")
  }

  /// Appends one record of a type without padding.
  @inline(__always)
  func append<Record: BitwiseCopyable>(record: Record) throws(FuseError) {
    let size = MemoryLayout<Record>.size
    if current == nil || filled &+ size > capacity { try nextChunk() }
    // SAFETY: the chunk has room for the record, by the check above.
    unsafe current!.start.storeBytes(of: record, toByteOffset: filled, as: Record.self)
    filled &+= size
  }

  /// Appends bytes.
  func append(_ bytes: RawSpan) throws(FuseError) {
    var done = 0
    while done < bytes.byteCount {
      if current == nil || filled == capacity { try nextChunk() }
      let count = min(capacity - filled, bytes.byteCount - done)
      let chunk = current!
      let place = filled
      unsafe bytes.extracting(done..<done + count).withUnsafeBytes { part in
        // SAFETY: the chunk has so many bytes left.
        unsafe (chunk.start + place).copyMemory(from: part.baseAddress!, byteCount: count)
      }
      filled += count
      done += count
    }
  }

  /// Puts the full chunk away, and begins another.
  @inline(never)
  private func nextChunk() throws(FuseError) {
    if let full = current {
      if spill.allowance.reserve(spill.chunkByteCount) {
        chunks.append(.memory(full, byteCount: filled))
        current = nil
      } else {
        // SAFETY: so many bytes of the chunk are filled.
        let bytes = unsafe RawSpan(_unsafeStart: full.start, byteCount: filled)
        let file = try spill.temporaryFile()
        chunks.append(.file(place: try file.append(bytes), byteCount: filled))
      }
      byteCount += filled
      filled = 0
    }
    if current == nil { current = try ZeroedMemory(byteCount: spill.chunkByteCount, inLargePages: false) }
  }

  /// Ends the writing.
  func finish() {
    if let current { chunks.append(.memory(current, byteCount: filled)) }
    byteCount += filled
    current = nil
    filled = 0
  }

  /// Gives back the memory. Readers that exist keep what they have.
  func removeAll() {
    for case .memory in chunks { spill.allowance.release(spill.chunkByteCount) }
    chunks = []
  }
}

/// Reads a stream from its start.
@safe
struct SpillReader: ~Copyable {
  private static let tooShort = "a stream is shorter than what was written to it"

  private let chunks: [SpillStream.Chunk]
  private let spill: Spill
  private var number = 0
  /// What is left of the chunk that is being read.
  private var place = 0
  private var end = 0
  private var memory: ZeroedMemory?
  /// Chunks of the file are read into this.
  private var buffer: ZeroedMemory?
  /// Where bytes stand together that begin in one chunk and end in another.
  private var joined: [UInt8] = []

  /// - Parameter stream: finished.
  init(_ stream: SpillStream, _ spill: Spill) {
    chunks = stream.chunks
    self.spill = spill
  }

  /// Reads the next record, or returns nil at the end.
  @inline(__always)
  mutating func next<Record: BitwiseCopyable>(as type: Record.Type) throws(FuseError) -> Record? {
    if place == end, try !nextChunk() { return nil }
    // SAFETY: chunks hold whole records.
    let record = unsafe memory!.start.loadUnaligned(fromByteOffset: place, as: type)
    place &+= MemoryLayout<Record>.size
    return record
  }

  /// Calls `body` with the next `count` bytes, at least one, which must be there.
  @inline(__always)
  mutating func withNext<Result>(
    _ count: Int, _ body: (RawSpan) throws(FuseError) -> Result
  ) throws(FuseError) -> Result {
    if place == end, try !nextChunk() { preconditionFailure(Self.tooShort) }
    if count <= end &- place {
      // SAFETY: so many bytes are left of the chunk.
      let chunk = memory!
      let bytes = unsafe RawSpan(_unsafeStart: chunk.start + place, byteCount: count)
      place &+= count
      return try body(bytes)
    }
    joined.removeAll(keepingCapacity: true)
    while joined.count < count {
      if place == end, try !nextChunk() { preconditionFailure(Self.tooShort) }
      let part = min(count - joined.count, end - place)
      // SAFETY: the array copies what is left of the chunk.
      unsafe joined.append(contentsOf: UnsafeRawBufferPointer(start: memory!.start + place, count: part))
      place += part
    }
    return try body(joined.rawSpan)
  }

  /// Whether all was read.
  mutating func isAtEnd() throws(FuseError) -> Bool {
    guard place == end else { return false }
    return try !nextChunk()
  }

  @inline(never)
  private mutating func nextChunk() throws(FuseError) -> Bool {
    repeat {
      guard number < chunks.count else { return false }
      switch chunks[number] {
      case .memory(let chunk, let byteCount):
        memory = chunk
        end = byteCount
      case .file(let start, let byteCount):
        if buffer == nil { buffer = try ZeroedMemory(byteCount: spill.chunkByteCount, inLargePages: false) }
        // SAFETY: the buffer has room for a chunk.
        unsafe try spill.temporaryFile().read(
          into: UnsafeMutableRawBufferPointer(start: buffer!.start, count: byteCount), at: start)
        memory = buffer
        end = byteCount
      }
      place = 0
      number += 1
    } while end == 0
    return true
  }
}
