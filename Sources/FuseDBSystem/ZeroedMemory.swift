package import FuseDBFormat
internal import FuseDBLibc

/// A block of memory that begins as zeros, aligned to a page, and goes back to the system when this object ends.
@safe
@usableFromInline package final class ZeroedMemory: Sendable {
  package let byteCount: Int
  // SAFETY: owned until deinit; who writes does so before the object is shared.
  @usableFromInline package nonisolated(unsafe) let start: UnsafeMutableRawPointer

  /// - Parameter inLargePages: whether the system should take large pages where it has them: a random access then
  ///   seldom waits for an address translation, and a first access takes two megabytes at once.
  package init(byteCount: Int, inLargePages: Bool = true) throws(FuseError) {
    let mapped = unsafe MemoryRoom.map(byteCount) {
      unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    }
    guard let mapped = unsafe mapped else { throw MemoryRoom.refusal(byteCount) }
    unsafe madvise(mapped, byteCount, inLargePages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)
    self.byteCount = byteCount
    unsafe start = mapped
  }

  /// From now on, writing here ends the process.
  func makeReadOnly() { unsafe mprotect(start, byteCount, PROT_READ) }

  deinit { unsafe munmap(start, byteCount) }
}
