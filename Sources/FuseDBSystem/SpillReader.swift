public import FuseDBFormat

/// Reads a stream from its start.
@safe
@usableFromInline package struct SpillReader: ~Copyable {
  @usableFromInline static let tooShort = "a stream is shorter than what was written to it"

  private let contents: SpillContents
  private var number = 0
  /// What is left of the chunk that is being read.
  @usableFromInline var offset = 0
  @usableFromInline var end = 0
  @usableFromInline var memory: ZeroedMemory?
  /// Chunks of the file are read into this.
  private var buffer: ZeroedMemory?
  /// Where bytes stand together that begin in one chunk and end in another.
  @usableFromInline var joined: [UInt8] = []

  /// - Parameter buffer: memory for a chunk, from the reader before; nil when there is none.
  @usableFromInline package init(_ contents: SpillContents, buffer: ZeroedMemory? = nil) {
    self.contents = contents
    self.buffer = buffer
  }

  /// - Parameter stream: finished.
  package init(_ stream: SpillStream) { self.init(stream.contents) }

  /// Reads the next record, or returns nil at the end.
  @inlinable
  @inline(__always)
  package mutating func next<Record: BitwiseCopyable>(as type: Record.Type) throws(FuseError) -> Record? {
    if offset == end, try !nextChunk() { return nil }
    // SAFETY: chunks hold whole records.
    let record = unsafe memory!.start.loadUnaligned(fromByteOffset: offset, as: type)
    offset &+= MemoryLayout<Record>.size
    return record
  }

  /// Calls `body` with the next `count` bytes, which must be there.
  @inlinable
  @inline(__always)
  package mutating func withNext<Result>(
    _ count: Int, _ body: (RawSpan) throws(FuseError) -> Result
  ) throws(FuseError) -> Result {
    guard count > 0 else { return try body(RawSpan()) }
    if offset == end, try !nextChunk() { preconditionFailure(Self.tooShort) }
    if count <= end &- offset {
      // SAFETY: so many bytes are left of the chunk.
      let chunk = memory!
      let bytes = unsafe RawSpan(_unsafeStart: chunk.start + offset, byteCount: count)
      offset &+= count
      return try body(bytes)
    }
    joined.removeAll(keepingCapacity: true)
    try joined.reserve(count)
    while joined.count < count {
      if offset == end, try !nextChunk() { preconditionFailure(Self.tooShort) }
      let part = min(count - joined.count, end - offset)
      // SAFETY: the array copies what is left of the chunk.
      unsafe joined.append(contentsOf: UnsafeRawBufferPointer(start: memory!.start + offset, count: part))
      offset += part
    }
    return try body(joined.rawSpan)
  }

  /// Calls `body` with what is left of a chunk, as long as there is one.
  mutating func forEachChunk(_ body: (RawSpan) throws(FuseError) -> Void) throws(FuseError) {
    while try !isAtEnd() { try withNext(end - offset, body) }
  }

  /// Whether all was read.
  mutating func isAtEnd() throws(FuseError) -> Bool {
    guard offset == end else { return false }
    return try !nextChunk()
  }

  @inline(never)
  @usableFromInline mutating func nextChunk() throws(FuseError) -> Bool {
    repeat {
      guard number < contents.chunks.count else { return false }
      switch contents.chunks[number] {
      case .memory(let chunk, let byteCount):
        memory = chunk
        end = byteCount
      case .file(let start, let byteCount):
        let spill = contents.spill
        if buffer == nil { buffer = try ZeroedMemory(byteCount: spill.chunkByteCount, inLargePages: false) }
        // SAFETY: the buffer has room for a chunk.
        unsafe try spill.temporaryFile().read(
          into: UnsafeMutableRawBufferPointer(start: buffer!.start, count: byteCount), at: start)
        memory = buffer
        end = byteCount
      }
      offset = 0
      number += 1
    } while end == 0
    return true
  }
}
