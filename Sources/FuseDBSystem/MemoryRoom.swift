internal import CFuseSystem
public import FuseDBFormat
internal import FuseDBLibc
internal import Synchronization

/// Room for large pieces of memory, which is asked for before they are taken: Swift's own containers end the process
/// where there is none.
///
/// Under a limit of the process (`ulimit -v`, `ulimit -d`) a piece is refused unless ``reserve`` stays free beside it. That
/// is for all that is too small to be asked for: texts, errors, the growing stack.
@usableFromInline package enum MemoryRoom {
  /// How many bytes stay free for small pieces.
  static let reserve = 3 << 20
  /// What is smaller is taken without asking.
  @inlinable package static var leastByteCount: Int { 1 << 16 }

  // Asking and taking is one step: two threads must not be promised the same room.
  private static let lock = Mutex(())

  /// Takes a piece of memory that cannot be refused, if there is room for it.
  @usableFromInline package static func take(_ byteCount: Int, _ take: () -> Void) throws(FuseError) {
    let isLimited = isLimited
    lock._unsafeLock()
    defer { lock._unsafeUnlock() }
    guard isFree(byteCount, beside: isLimited ? reserve : 0) else { throw refusal(byteCount) }
    take()
  }

  /// Takes a piece of memory that the system may refuse. Returns nil, and `errno` says why, also where it leaves too little.
  ///
  /// - Parameter map: gives `MAP_FAILED` where the system refuses.
  @unsafe
  package static func map(_ byteCount: Int, by map: () -> UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let isLimited = isLimited
    if isLimited { lock._unsafeLock() }
    defer { if isLimited { lock._unsafeUnlock() } }
    // SAFETY: `map` has given `byteCount` bytes, and nothing else uses them when they are given back.
    guard let mapped = unsafe map(), unsafe mapped != MAP_FAILED else { return nil }
    if isLimited, !isFree(0, beside: reserve) {
      unsafe munmap(mapped, byteCount)
      errno = ENOMEM
      return nil
    }
    return unsafe mapped
  }

  /// Throws unless there is room for a piece of memory that is taken next.
  @usableFromInline package static func check(_ byteCount: Int) throws(FuseError) {
    guard byteCount >= leastByteCount else { return }
    try take(byteCount) {}
  }

  /// Whether there is room for a thread. What it is going to take itself is a matter of the reserve.
  static var hasRoomForThread: Bool {
    !isLimited || isFree(fuse_stack_size(), beside: reserve)
  }

  /// The error of a piece that there is no room for.
  package static func refusal(_ byteCount: Int) -> FuseError {
    let error = FuseError.outOfMemory("allocate \(counted(byteCount, "byte"))")
    guard isLimited else { return error }
    return FuseError(
      error.code, "\(error.message); raise the limit of the process ('ulimit -v' or 'ulimit -d')", errno: error.errno)
  }

  /// Whether this process may have so much memory and no more.
  private static var isLimited: Bool {
    [FUSE_LIMITED_ADDRESSES, FUSE_LIMITED_DATA].contains { fuse_limit($0) < UInt64(Int.max) }
  }

  private static func isFree(_ byteCount: Int, beside reserve: Int) -> Bool {
    let (byteCount, overflows) = byteCount.addingReportingOverflow(reserve)
    guard !overflows else { return false }
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    // SAFETY: the system chooses where, beside all that is mapped; nothing reads it before it is given back.
    let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { return false }
    unsafe munmap(mapped, byteCount)
    return true
  }
}

extension Array {
  /// Makes room for `count` elements in all, or throws where memory is short.
  @inlinable
  package mutating func reserve(_ count: Int) throws(FuseError) {
    guard count > capacity else { return }
    let (byteCount, overflows) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard !overflows else { throw .outOfMemory("allocate room for \(count) elements") }
    guard byteCount >= MemoryRoom.leastByteCount else { return reserveCapacity(count) }
    try MemoryRoom.take(byteCount) { reserveCapacity(count) }
  }

  /// Makes room for `count` elements after those that there are, and for some more, so that elements which come piece by
  /// piece are moved seldom.
  @inlinable
  package mutating func makeRoom(for count: Int) throws(FuseError) {
    if capacity - self.count < count { try reserve(Swift.max(self.count + count, 2 * capacity)) }
  }

  /// Throws unless there is room for what sorting takes: half as much again.
  @inlinable
  package func checkRoomForSorting() throws(FuseError) {
    try MemoryRoom.check(count / 2 * MemoryLayout<Element>.stride)
  }

  /// Appends an element, or throws where memory is too short for twice as many as there are.
  @inlinable
  @inline(__always)
  package mutating func grow(by element: Element) throws(FuseError) {
    if count == capacity { try makeRoom(for: 1) }
    append(element)
  }

  /// An array of equal elements, or an error where memory is short.
  @inlinable
  package init(_ count: Int, of element: Element) throws(FuseError) {
    self = []
    try reserve(count)
    append(contentsOf: repeatElement(element, count: count))
  }
}
