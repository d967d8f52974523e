internal import CFuseFaults
internal import FuseDBFormat
internal import FuseDBLibc
internal import Synchronization

/// Brings the pages of a watched mapping into memory.
@safe
struct Prefault: Sendable {
  /// How much is brought in between two looks at whether to stop: a fraction of a second on a slow disk.
  static let blockByteCount = 4 << 20

  // SAFETY: the maker of this keeps the mapping, and the watch over it, until `run` has returned.
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer
  private nonisolated(unsafe) let region: UnsafeMutablePointer<fuse_region>
  private let byteCount: Int
  private let asksKernel: Bool

  /// - Parameter asksKernel: whether to ask for whole blocks first; without, or where the kernel is too old for that,
  ///   each page is read.
  init(
    _ base: UnsafeMutableRawPointer, byteCount: Int, region: UnsafeMutablePointer<fuse_region>, asksKernel: Bool = true
  ) {
    // SAFETY: the pointers are only kept here; the caller of `run` keeps what they point to.
    unsafe self.base = base
    unsafe self.region = region
    self.byteCount = byteCount
    self.asksKernel = asksKernel
  }

  /// Goes through all pages, until `isStopped` or until the file is found to have shrunk.
  func run(unless isStopped: () -> Bool = { false }) {
    var offset = 0
    // SAFETY: the caller of `run` keeps the mapping watched; the mark is read atomically.
    while offset < byteCount, !isStopped(), unsafe fuse_region_fault(region) < 0 {
      let length = min(Self.blockByteCount, byteCount - offset)
      bringIn(offset, length)
      offset += length
    }
  }

  private func bringIn(_ offset: Int, _ length: Int) {
    // SAFETY: the block lies in the mapping, and blocks begin at a page as the mapping does. Advice changes no byte.
    let start = unsafe base + offset
    // Without this, a mapping with advice `random` would be read page by page.
    unsafe madvise(start, length, MADV_WILLNEED)
    if asksKernel, retrying({ unsafe madvise(start, length, MADV_POPULATE_READ) }) == 0 { return }
    // An old kernel, or a page that cannot be read: reading it leaves the mark that look-ups see.
    unsafe fuse_region_touch(region, offset, length)
  }
}

/// A ``Prefault`` on a thread of its own.
final class BackgroundPrefault: Sendable {
  private final class Flag: Sendable {
    let isSet = Atomic(false)
  }

  private let stopFlag: Flag
  private let work: BackgroundWork<Void>

  init(_ prefault: Prefault) {
    let flag = Flag()
    stopFlag = flag
    work = BackgroundWork(isWorthThread: true) {
      Cancellation.outlivingCall { prefault.run { flag.isSet.load(ordering: .relaxed) } }
    }
  }

  /// Ends the work and waits for that, one block at most. Call it once.
  func stop() {
    stopFlag.isSet.store(true, ordering: .relaxed)
    work.wait()
  }
}
