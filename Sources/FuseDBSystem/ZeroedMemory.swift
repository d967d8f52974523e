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
    // SAFETY: what is mapped has `byteCount` bytes, and belongs to this object alone.
    let mapped = unsafe MemoryRoom.map(byteCount) {
      unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    }
    guard let mapped = unsafe mapped else { throw MemoryRoom.refusal(byteCount) }
    unsafe madvise(mapped, byteCount, inLargePages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)
    self.byteCount = byteCount
    unsafe start = mapped
  }

  // SAFETY: the pages are whole and this object's own; no byte of them changes.
  /// From now on, writing here ends the process.
  func makeReadOnly() { unsafe mprotect(start, byteCount, PROT_READ) }

  // SAFETY: code that has an address in this memory keeps the object, so none has one now.
  deinit { unsafe munmap(start, byteCount) }
}

/// Memory that begins at a multiple of its alignment, for callers that can do without it where memory is short.
@unsafe
package enum AlignedMemory {
  /// Returns nil where memory is short.
  ///
  /// - Parameter alignment: a power of two, and of the size of a pointer at least.
  package static func make(byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer? {
    var memory: UnsafeMutableRawPointer?
    // SAFETY: the system sets the pointer where it returns 0, and only then is it handed out.
    return unsafe posix_memalign(&memory, alignment, byteCount) == 0 ? memory : nil
  }

  // SAFETY: the caller hands over what `make` gave, once, and does not use it any more.
  /// Gives back what `make` gave.
  package static func free(_ memory: UnsafeMutableRawPointer) { unsafe FuseDBLibc.free(memory) }
}
