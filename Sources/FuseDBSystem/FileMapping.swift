public import CFuseFaults
public import CFuseIntrinsics
public import FuseDBFormat
internal import FuseDBLibc

/// A file's bytes in memory, read-only for as long as this object lives: mapped, or a copy.
///
/// A file that is truncated while it is mapped reads as zeros where it was cut, an overwritten one has the new
/// bytes. `shrunkAt` tells both: check it after bytes were read from the mapping. See
/// spec/decisions/0003-truncation-while-mapped.md. A copy never changes; its check reads a region that has no faults,
/// so that the path of a look-up is one and the same.
@safe
@usableFromInline package final class FileMapping: Sendable {
  /// The file's path, or words for what has none.
  package let path: String
  @usableFromInline package let byteCount: Int
  /// Of the file, when it was opened; nil for bytes without one.
  package let stamp: FileStamp?
  // SAFETY: both point at memory that this object owns until deinit; the region's one mutable field is read atomically.
  @usableFromInline nonisolated(unsafe) let base: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let region: UnsafeMutablePointer<fuse_region>
  /// The owner of a copy's memory; nil when the file is mapped.
  private let copy: ZeroedMemory?
  private let advice: FuseAccess.Advice
  private let prefault: BackgroundPrefault?

  /// Maps `byteCount` bytes, more than none, of an open file; the descriptor may be closed afterwards.
  package init(
    mapping descriptor: Int32, byteCount: Int, path: String, access: FuseAccess, stamp: FileStamp? = nil
  ) throws(FuseError) {
    // SAFETY: what is mapped has `byteCount` bytes and stays until deinit, which ends the work in the background first.
    let mapped = unsafe MemoryRoom.map(byteCount) {
      unsafe mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0)
    }
    guard let mapped = unsafe mapped else {
      throw .system("map the file (access '.copied' reads it into memory instead)", path: path)
    }
    guard let region = unsafe fuse_region_watch(mapped, byteCount, Header.Field.checksum, descriptor) else {
      unsafe munmap(mapped, byteCount)
      throw .system("watch the mapping", path: path)
    }
    self.path = path
    self.byteCount = byteCount
    self.stamp = stamp
    unsafe base = UnsafeRawPointer(mapped)
    unsafe self.region = region
    copy = nil
    advice = access.advice
    let isAllWanted = access.prefault != .none || access.isLocked
    // Large pages would have the system read two megabytes around each random access.
    if isAllWanted, access.advice == .normal { unsafe madvise(mapped, byteCount, MADV_HUGEPAGE) }
    prefault =
      unsafe access.prefault == .background && !access.isLocked
      ? BackgroundPrefault(Prefault(mapped, byteCount: byteCount, region: region)) : nil
    // From here on, deinit undoes what was done. Locking comes first, because it may fail, and brings everything in.
    if access.isLocked { try lock() } else if access.prefault == .atOpen { bringIn() }
    didReadInOrder()
    if isAllWanted { try checkNotShrunk() }
  }

  /// Memory of its own for `byteCount` bytes, more than none, which `fill` writes.
  init(
    copying byteCount: Int, path: String, isLocked: Bool, stamp: FileStamp? = nil,
    fill: (UnsafeMutableRawPointer) throws(FuseError) -> Void
  ) throws(FuseError) {
    let memory: ZeroedMemory
    do { memory = try ZeroedMemory(byteCount: byteCount) } catch { throw error.at(path: path) }
    self.path = path
    self.byteCount = byteCount
    self.stamp = stamp
    unsafe base = UnsafeRawPointer(memory.start)
    unsafe region = fuse_region_still()
    copy = memory
    advice = .normal
    prefault = nil
    // First, because it may fail and the rest may take long.
    if isLocked { try lock() }
    // SAFETY: nothing else has the memory yet.
    unsafe try fill(memory.start)
    memory.makeReadOnly()
  }

  deinit {
    guard copy == nil else { return }
    // SAFETY: code that has an address keeps this object, and the work in the background ends here: nothing reads now.
    prefault?.stop()
    unsafe fuse_region_release(region)
    unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount)
  }

  /// The file's bytes.
  @inlinable package var bytes: RawSpan {
    @_lifetime(borrow self)
    @inline(__always)
    get {
      // SAFETY: the memory has exactly `byteCount` bytes and outlives the borrow of self.
      unsafe _overrideLifetime(RawSpan(_unsafeStart: base, byteCount: byteCount), borrowing: self)
    }
  }

  // SAFETY: the caller knows that the part lies inside the file, and the memory outlives the borrow of self.
  /// A part of the file's bytes that is known to lie inside it.
  @inlinable
  @inline(__always)
  @unsafe
  @_lifetime(borrow self)
  package func bytes(from offset: Int, count: Int) -> RawSpan {
    unsafe _overrideLifetime(RawSpan(_unsafeStart: base + offset, byteCount: count), borrowing: self)
  }

  // SAFETY: the caller knows that the byte lies inside the file.
  /// Where a byte that is known to lie inside the file is in memory.
  @inlinable
  @inline(__always)
  @unsafe
  package func address(of offset: Int) -> UnsafeRawPointer { unsafe base + offset }

  /// Asks for cache lines from an offset on, which may be any number.
  @inlinable
  @inline(__always)
  package func prefetch(at offset: UInt64, lineCount: UInt) {
    // SAFETY: a prefetch of any address is harmless; nothing is read.
    let address = unsafe UInt(bitPattern: base) &+ UInt(truncatingIfNeeded: offset)
    for line in 0..<lineCount { fuse_prefetch_address(address &+ 64 &* line) }
  }

  /// Where the first byte was found missing or changed, or nil while all that was read came from the file.
  @inline(__always)
  @inlinable package var shrunkAt: Int? {
    // SAFETY: the region is watched until deinit, and its mark is read atomically.
    let fault = unsafe fuse_region_fault(region)
    return fault < 0 ? nil : Int(fault)
  }

  // SAFETY: the region is watched until deinit, and its mark is read atomically.
  /// Whether none was found missing yet; where that takes more than a look, false, and ``shrunkAt`` tells.
  @inlinable
  @inline(__always)
  package var isPlainlyWhole: Bool { unsafe fuse_region_is_whole(region) }

  /// Throws once a byte was found missing or changed.
  @inlinable
  @inline(__always)
  package func checkNotShrunk() throws(FuseError) {
    if let offset = shrunkAt { throw shrunk(at: offset) }
  }

  @inline(never)
  @usableFromInline func shrunk(at offset: Int) -> FuseError {
    FuseError(
      .truncated,
      """
      the file was overwritten or became shorter while it was open (or cannot be read); replace files by renaming and open \
      this one again
      """,
      offset: UInt64(offset), path: path)
  }

  /// Tells the kernel that all bytes from `start` on are about to be read once, in order, until ``didReadInOrder()``.
  package func willReadInOrder(from start: Int = 0) {
    guard copy == nil else { return }
    let page = start & ~(Int(getpagesize()) - 1)
    // SAFETY: advice on pages of the mapping changes no byte.
    let first = unsafe UnsafeMutableRawPointer(mutating: base + page)
    let length = byteCount - page
    switch advice {
    // A file that is wanted whole is read faster in large pages, and look-ups then miss fewer translations.
    case .normal: if start == 0 { unsafe madvise(first, length, MADV_HUGEPAGE) }
    case .random: unsafe madvise(first, length, MADV_NORMAL)
    }
    unsafe madvise(first, length, MADV_WILLNEED)
  }

  /// Goes back to the advice that the reader was opened with.
  package func didReadInOrder() {
    guard copy == nil, advice == .random else { return }
    // SAFETY: the mapping has so many bytes, and advice changes none of them.
    unsafe madvise(UnsafeMutableRawPointer(mutating: base), byteCount, MADV_RANDOM)
  }

  /// Has the kernel read a mapped file's pages in `range`, without waiting for them.
  /// - Precondition: the range lies inside the file.
  package func willRead(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "the range lies inside the file")
    guard copy == nil else { return }
    let start = range.lowerBound & ~(Int(getpagesize()) - 1)
    // SAFETY: advice on pages of the mapping changes no byte.
    unsafe madvise(UnsafeMutableRawPointer(mutating: base + start), range.upperBound - start, MADV_WILLNEED)
  }

  /// Lets go of a mapped file's pages in `range`: they count as this process's memory no more, and come back when they
  /// are read.
  /// - Precondition: the range lies inside the file.
  package func dropPages(in range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "the range lies inside the file")
    guard copy == nil else { return }
    let start = range.lowerBound & ~(Int(getpagesize()) - 1)
    // SAFETY: these pages are the file's own, and read-only: they come back with its bytes. The copy of the last would not.
    let end = unsafe min(range.upperBound, fuse_region_shared_length(region))
    guard start < end else { return }
    unsafe madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
  }

  /// Brings all pages of a mapped file in; see ``Prefault``.
  func bringIn(unless isStopped: () -> Bool = { false }, asksKernel: Bool = true) {
    // SAFETY: the mapping lives as long as self. The pointer loses its `const` for madvise, which writes nothing.
    let start = unsafe UnsafeMutableRawPointer(mutating: base)
    unsafe Prefault(start, byteCount: byteCount, region: region, asksKernel: asksKernel).run(unless: isStopped)
  }

  private func lock() throws(FuseError) {
    // SAFETY: the memory has so many bytes, and locking changes none of them.
    guard unsafe mlock(base, byteCount) != 0 else { return }
    let number = errno
    // Pages that are gone cannot be locked either.
    try checkNotShrunk()
    throw .cannotLock(byteCount, errno: number, path: path)
  }
}
