public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import Synchronization

/// Counts look-ups without contention: each thread counts in a cell of its own.
///
/// Cells are found by the number of the thread, without a lock: they are made when they are needed, in blocks each twice as
/// large as the one before, and stay where they are. Eight kilobytes do for 64 threads.
@safe
final class LookupCounters: Sendable {
  private typealias Block = UnsafeMutableRawPointer
  private static var firstBlockCount: Int { 64 }
  /// Enough for every number that a thread can have.
  private static var blockCount: Int { 27 }

  // SAFETY: allocated in init, with its elements, and freed in deinit; blocks stay where they are until then.
  private nonisolated(unsafe) let blocks: UnsafeMutablePointer<Atomic<UnsafeMutableRawPointer?>>

  init() {
    // SAFETY: each element of the new memory gets a value before anybody reads one.
    unsafe blocks = .allocate(capacity: Self.blockCount)
    for number in 0..<Self.blockCount { unsafe (blocks + number).initialize(to: Atomic(nil)) }
  }

  deinit {
    // SAFETY: no thread counts any more. The blocks came from `AlignedMemory`, and their cells are only numbers.
    for number in 0..<Self.blockCount {
      if let block = unsafe blocks[number].load(ordering: .relaxed) { unsafe AlignedMemory.free(block) }
    }
    unsafe blocks.deinitialize(count: Self.blockCount)
    unsafe blocks.deallocate()
  }

  /// Adds to the counts of the thread that asks. A call, so that look-ups that are not counted don't save registers for it.
  @inline(never)
  func count(hits: Int, misses: Int, failures: Int) {
    count(onThread: ThreadNumber.own, hits: hits, misses: misses, failures: failures)
  }

  /// Adds to the counts of the thread that has this number; nothing where memory for them is short.
  @inline(__always)
  func count(onThread thread: Int, hits: Int, misses: Int, failures: Int) {
    let (block, cell) = Self.position(ofThread: thread)
    // SAFETY: the number is one of 32 bits, so there is such a block.
    guard let cells = unsafe blocks[block].load(ordering: .acquiring) ?? makeBlock(block) else { return }
    unsafe Self.cell(cell, in: cells).pointee.add(hits: hits, misses: misses, failures: failures)
  }

  /// What all threads have counted. It may lack what is being counted now.
  var sums: LookupSums {
    // SAFETY: a thread publishes a block after it has made all of its cells, `firstBlockCount << number`.
    var sums = LookupSums()
    for number in 0..<Self.blockCount {
      guard let block = unsafe blocks[number].load(ordering: .acquiring) else { continue }
      for cell in 0..<Self.firstBlockCount << number { unsafe sums = sums + Self.cell(cell, in: block).pointee.sums }
    }
    return sums
  }

  /// Block 0 holds the first 64 cells, block 1 the next 128, and so on.
  @inline(__always)
  static func position(ofThread thread: Int) -> (block: Int, cell: Int) {
    let shifted = UInt(bitPattern: thread) &+ UInt(firstBlockCount)
    let block = UInt.bitWidth - 1 - shifted.leadingZeroBitCount - firstBlockCount.trailingZeroBitCount
    return (block, Int(shifted) - firstBlockCount << block)
  }

  @inline(__always)
  @unsafe
  private static func cell(_ number: Int, in block: Block) -> UnsafeMutablePointer<LookupCell> {
    // SAFETY: makeBlock made a cell there.
    unsafe (block + number * LookupCell.stride).assumingMemoryBound(to: LookupCell.self)
  }

  /// Makes a block, unless another thread was quicker. Returns nil where memory is short.
  @inline(never)
  @unsafe
  private func makeBlock(_ number: Int) -> Block? {
    // SAFETY: the memory has room for so many cells, and no other thread sees it before the exchange publishes it.
    let cellCount = Self.firstBlockCount << number
    let byteCount = cellCount * LookupCell.stride
    guard let made = unsafe AlignedMemory.make(byteCount: byteCount, alignment: LookupCell.stride) else { return nil }
    for cell in 0..<cellCount {
      unsafe (made + cell * LookupCell.stride).initializeMemory(as: LookupCell.self, to: LookupCell())
    }
    let (isOurs, other) = unsafe blocks[number].compareExchange(
      expected: nil, desired: made, ordering: .acquiringAndReleasing)
    if isOurs { return unsafe made }
    unsafe AlignedMemory.free(made)
    return unsafe other
  }
}

/// What one thread has counted. No other thread writes to it.
///
/// It is longer than a cache line, and than the two that processors fetch as a pair, so that no thread's counting disturbs
/// that of another.
struct LookupCell: ~Copyable {
  /// The memory of a cell, in bytes.
  static var stride: Int { 128 }

  private let hits = Atomic(0)
  private let misses = Atomic(0)
  private let failures = Atomic(0)

  /// Adds, for the thread that the cell belongs to.
  @inline(__always)
  func add(hits: Int, misses: Int, failures: Int) {
    Self.add(hits, to: self.hits)
    Self.add(misses, to: self.misses)
    Self.add(failures, to: self.failures)
  }

  /// A load and a store: an addition that other threads could take part in would cost ten times as much.
  @inline(__always)
  private static func add(_ count: Int, to sum: borrowing Atomic<Int>) {
    guard count != 0 else { return }
    sum.store(sum.load(ordering: .relaxed) &+ count, ordering: .relaxed)
  }

  /// What was counted so far.
  var sums: LookupSums {
    LookupSums(
      hits: hits.load(ordering: .relaxed), misses: misses.load(ordering: .relaxed),
      failures: failures.load(ordering: .relaxed))
  }
}

/// Numbers of look-ups, by what they came to.
struct LookupSums: Sendable, Equatable {
  var hits = 0
  var misses = 0
  var failures = 0

  static func + (left: LookupSums, right: LookupSums) -> LookupSums {
    LookupSums(
      hits: left.hits &+ right.hits, misses: left.misses &+ right.misses, failures: left.failures &+ right.failures)
  }
}

/// What happened to a ``ReloadableReader`` or a ``FusePool`` so far. Times are in seconds since the beginning of 1970, UTC.
public struct ServingCounters: Sendable {
  /// The generation that serves.
  public var generation: Int
  /// How often a file replaced another, by reload, swap or rollback.
  public var reloadCount: Int
  /// How often a file was refused.
  public var refusalCount: Int
  /// Why the last refused file was refused; it stays when a later file is taken.
  public var lastError: FuseError?
  /// When the file that serves was taken.
  public var loadedAt: Double
  /// When the file's data were built, by its metadata `built`; nil if that is no time.
  ///
  /// A time by RFC 3339 is one, `fusedb build --meta built=2026-11-21T16:11:12Z`, a date alone, which is its midnight,
  /// and a number of seconds. See spec/extension.md §7.
  public var builtAt: Double?
  /// When these numbers were gathered.
  public var gatheredAt: Double

  /// How old the data are, in seconds, below 0 where the clocks disagree; nil where ``builtAt`` is.
  public var dataAge: Double? { builtAt.map { gatheredAt - $0 } }

  /// How many look-ups found their key; 0 unless ``ServingOptions/countsLookups`` is on, as for those below.
  public var hitCount: Int
  /// How many look-ups found that there is no such key.
  public var missCount: Int
  /// How many calls threw an error, including errors of the caller's own.
  public var failureCount: Int
  /// All look-ups.
  public var lookupCount: Int { hitCount &+ missCount &+ failureCount }
}
