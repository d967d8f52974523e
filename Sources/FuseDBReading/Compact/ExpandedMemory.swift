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

  // SAFETY: all below are touched under the lock alone, and chunks are freed by deinit alone.
  private let lock = Mutex(())
  private nonisolated(unsafe) var chunks: [UnsafeMutableRawPointer]
  private nonisolated(unsafe) var next: UnsafeMutableRawPointer?
  private nonisolated(unsafe) var left = 0
  private nonisolated(unsafe) var chunkByteCount = ExpandedMemory.leastChunkByteCount
  private nonisolated(unsafe) var objects: [UInt64: UnsafeRawBufferPointer]

  init() {
    // SAFETY: both are empty.
    unsafe chunks = []
    unsafe objects = [:]
  }

  // SAFETY: nobody has this object, so nobody has what is in a chunk.
  deinit { unsafe chunks.forEach { unsafe $0.deallocate() } }

  // SAFETY: what is handed out lives as long as this object, which the caller has to keep.
  /// The object at an offset, if it was kept.
  @unsafe
  func object(at offset: UInt64) -> UnsafeRawBufferPointer? {
    lock._unsafeLock()
    defer { lock._unsafeUnlock() }
    return unsafe objects[offset]
  }

  // SAFETY: what is handed out lives as long as this object, which the caller has to keep.
  /// Keeps the object at an offset; of two threads that do, the first counts.
  @unsafe
  func keep(_ object: RawSpan, at offset: UInt64) throws(FuseError) -> UnsafeRawBufferPointer {
    lock._unsafeLock()
    defer { lock._unsafeUnlock() }
    if let known = unsafe objects[offset] { return unsafe known }
    let kept = try unsafe copy(object)
    unsafe objects[offset] = kept
    return unsafe kept
  }

  // SAFETY: what is handed out lives as long as this object, which the caller has to keep.
  /// Keeps other bytes.
  @unsafe
  func keep(_ bytes: RawSpan) throws(FuseError) -> UnsafeRawBufferPointer {
    lock._unsafeLock()
    defer { lock._unsafeUnlock() }
    return try unsafe copy(bytes)
  }

  // SAFETY: the caller has the lock. A chunk has room for what is copied into it.
  @unsafe
  private func copy(_ bytes: RawSpan) throws(FuseError) -> UnsafeRawBufferPointer {
    let count = bytes.byteCount
    if unsafe next == nil || count > left {
      let size = unsafe max(count, chunkByteCount)
      try MemoryRoom.check(size)
      let chunk = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
      unsafe chunks.append(chunk)
      unsafe next = chunk
      unsafe left = size
      unsafe chunkByteCount = min(2 * chunkByteCount, Self.mostChunkByteCount)
    }
    let start = unsafe next!
    unsafe bytes.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      unsafe start.copyMemory(from: source, byteCount: count)
    }
    unsafe next = start + count
    unsafe left -= count
    return unsafe UnsafeRawBufferPointer(start: start, count: count)
  }
}
