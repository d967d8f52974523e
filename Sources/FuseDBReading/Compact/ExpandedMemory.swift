internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBSystem
internal import Synchronization

/// What was expanded of a compact file: keys and objects, which stay where they are for as long as this object lives.
///
/// Whoever hands out bytes that outlive a call keeps them here: a reader, or the few entries that a scan read together.
@safe
final class ExpandedMemory: Sendable {
  private static let leastChunkByteCount = 1 << 11
  private static let mostChunkByteCount = 1 << 20
  /// How many objects are looked for one after the other.
  private static let fewCount = 16

  // SAFETY: all below are touched under the lock alone, and chunks are freed by deinit alone.
  private let lock = Mutex(())
  private nonisolated(unsafe) var chunks: [UnsafeMutableRawPointer]
  private nonisolated(unsafe) var next: UnsafeMutableRawPointer
  private nonisolated(unsafe) var left = 0
  private nonisolated(unsafe) var chunkByteCount: Int
  private nonisolated(unsafe) var taken = 0
  /// The first objects that were kept, and then all of them.
  private nonisolated(unsafe) var few: [(offset: UInt64, object: UnsafeRawBufferPointer)]
  private nonisolated(unsafe) var all: [UInt64: UnsafeRawBufferPointer]
  /// Keys that are kept once, by their hash.
  private nonisolated(unsafe) var keys: [UInt64: UnsafeRawBufferPointer]
  /// Of a set: the readers that keep what is expanded of its compact shards, by their numbers.
  private nonisolated(unsafe) var keepers: [Int: FuseReader] = [:]

  /// - Parameter byteCount: how much will be kept, as far as that is known.
  init(expecting byteCount: Int = 0) {
    // SAFETY: these are empty, and `next` is not used while nothing is left there.
    unsafe chunks = []
    unsafe few = []
    unsafe all = [:]
    unsafe keys = [:]
    unsafe next = UnsafeMutableRawPointer(bitPattern: 16)!
    unsafe chunkByteCount = min(max(byteCount, Self.leastChunkByteCount), Self.mostChunkByteCount)
  }

  // SAFETY: nobody has this object, so nobody has what is in a chunk.
  deinit { unsafe chunks.forEach { unsafe $0.deallocate() } }

  /// How many bytes were kept.
  var byteCount: Int {
    // SAFETY: whoever has the lock gives it back.
    lock._unsafeLock()
    defer { lock._unsafeUnlock() }
    return unsafe taken
  }

  // SAFETY: whoever has the lock gives it back.
  /// A reader of a shard that keeps what is expanded as long as this object.
  func keeper(of shard: FuseReader, _ number: Int) -> FuseReader {
    lock._unsafeLock()
    defer { lock._unsafeUnlock() }
    if let known = unsafe keepers[number] { return known }
    let keeper = shard.forEntries()
    unsafe keepers[number] = keeper
    return keeper
  }

  // SAFETY: what is handed out lives as long as this object, which the caller has to keep.
  /// What the row at an offset is expanded to, once for each offset.
  @unsafe
  func object(at offset: UInt64, of compact: CompactReader) throws(FuseError) -> UnsafeRawBufferPointer {
    lock._unsafeLock()
    defer { lock._unsafeUnlock() }
    if unsafe all.isEmpty {
      if let known = unsafe few.first(where: { unsafe $0.offset == offset }) { return unsafe known.object }
    } else if let known = unsafe all[offset] {
      return unsafe known
    }
    let object = unsafe try expand(rowAt: offset, of: compact)
    if unsafe few.count < Self.fewCount {
      unsafe few.append((offset, object))
    } else {
      if unsafe all.isEmpty { unsafe few.forEach { unsafe all[$0.offset] = unsafe $0.object } }
      unsafe all[offset] = object
    }
    return unsafe object
  }

  // SAFETY: what is handed out lives as long as this object, which the caller has to keep.
  /// Keeps other bytes.
  @unsafe
  func keep(_ bytes: RawSpan) throws(FuseError) -> UnsafeRawBufferPointer {
    lock._unsafeLock()
    defer { lock._unsafeUnlock() }
    return try unsafe copy(bytes)
  }

  // SAFETY: what is handed out lives as long as this object, which the caller has to keep.
  /// The same, once for the same bytes.
  @unsafe
  func keepOnce(_ bytes: RawSpan) throws(FuseError) -> UnsafeRawBufferPointer {
    let hash = bytes.hash(seed: 0)
    lock._unsafeLock()
    defer { lock._unsafeUnlock() }
    if let known = unsafe keys[hash], unsafe RawSpan(_unsafeBytes: known).equals(bytes) { return unsafe known }
    let kept = unsafe try copy(bytes)
    unsafe keys[hash] = kept
    return unsafe kept
  }

  // SAFETY: the caller has the lock. What is written is as much as is left.
  @unsafe
  private func expand(rowAt offset: UInt64, of compact: CompactReader) throws(FuseError) -> UnsafeRawBufferPointer {
    var wanted = CompactReader.leastRoom
    while true {
      if unsafe left < wanted { try unsafe grow(to: wanted) }
      switch unsafe compact.expand(rowAt: offset, to: next, room: left) {
      case .done(let count):
        try compact.mapping.checkNotShrunk()
        return unsafe take(count)
      case .full where unsafe left < FormatLimits.objectByteCount: wanted = unsafe 4 * left
      case .full, .other:
        var object: [UInt8] = []
        try compact.expand(rowAt: offset, into: &object)
        return try unsafe copy(object.rawSpan)
      }
    }
  }

  // SAFETY: the caller has the lock. A chunk has room for what is copied into it.
  @unsafe
  private func copy(_ bytes: RawSpan) throws(FuseError) -> UnsafeRawBufferPointer {
    if unsafe bytes.byteCount > left { try unsafe grow(to: bytes.byteCount) }
    unsafe bytes.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      unsafe next.copyMemory(from: source, byteCount: bytes.count)
    }
    return unsafe take(bytes.byteCount)
  }

  // SAFETY: the caller has the lock, and so many bytes are left.
  @unsafe
  private func take(_ count: Int) -> UnsafeRawBufferPointer {
    let start = unsafe next
    unsafe next += count
    unsafe left -= count
    unsafe taken += count
    return unsafe UnsafeRawBufferPointer(start: start, count: count)
  }

  // SAFETY: the caller has the lock. What was left of the last chunk is given up.
  @unsafe
  private func grow(to byteCount: Int) throws(FuseError) {
    let size = unsafe max(byteCount, chunkByteCount)
    try MemoryRoom.check(size)
    let chunk = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    unsafe chunks.append(chunk)
    unsafe next = chunk
    unsafe left = size
    unsafe chunkByteCount = min(2 * chunkByteCount, Self.mostChunkByteCount)
  }
}
