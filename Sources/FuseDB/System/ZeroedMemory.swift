internal import Glibc

/// A block of memory that begins as zeros, aligned to a page, in large pages where the system has them: a random
/// access then seldom waits for an address translation.
@safe
final class ZeroedMemory: Sendable {
  let byteCount: Int
  // SAFETY: owned until deinit; who writes does so before the object is shared.
  nonisolated(unsafe) let start: UnsafeMutableRawPointer

  init(byteCount: Int) throws(FuseError) {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      throw .system("allocate \(byteCount) bytes", path: nil)
    }
    unsafe madvise(mapped, byteCount, MADV_HUGEPAGE)
    self.byteCount = byteCount
    unsafe start = mapped
  }

  /// From now on, writing here ends the process.
  func makeReadOnly() { unsafe mprotect(start, byteCount, PROT_READ) }

  deinit { unsafe munmap(start, byteCount) }
}
