internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import Synchronization

/// The objects of a file that is being built: each once as far as memory reaches, in partitions by their hashes, so
/// that several threads can add and no step needs more than a partition at a time.
final class ObjectStore: Sendable {
  /// Enough for any number of objects that fit a disk: the largest partition has to be taken apart in memory.
  private static let partitionCountShift: UInt64 = 6

  let sharesObjects: Bool
  let seed = UInt64.random(in: 0 ... .max)
  private let cells: [Cell]
  /// Additions that found the same bytes in memory are no objects of their own.
  private let added = Atomic(0)

  private final class Cell: Sendable {
    private let lock = Mutex(())
    // SAFETY: used under the lock alone.
    private nonisolated(unsafe) let partition: ObjectPartition

    // SAFETY: nothing else has the cell, and nothing keeps the partition.
    init(_ partition: sending ObjectPartition) { unsafe self.partition = partition }

    func withPartition<Result>(
      _ body: (ObjectPartition) throws(FuseError) -> Result
    ) throws(FuseError) -> Result {
      lock._unsafeLock()
      defer { lock._unsafeUnlock() }
      // SAFETY: the lock is held until `body` has returned.
      return try body(unsafe partition)
    }
  }

  var partitionCount: Int { cells.count }

  /// How many objects were added that were not in memory already.
  var count: Int { added.load(ordering: .relaxed) }

  /// - Parameters:
  ///   - sharesObjects: whether equal objects are stored once; otherwise there is one partition, which has the objects
  ///     in the order in which they were added.
  ///   - keepsOrder: whether there is to be one partition all the same.
  ///   - isLookedUp: whether objects are to be found by their numbers, wherever they are.
  ///   - memory: how many bytes the objects may take.
  ///   - spill: where they go beyond that.
  init(
    sharesObjects: Bool, keepsOrder: Bool, isLookedUp: Bool = false, memory: Int, spill: Spill
  ) throws(FuseError) {
    self.sharesObjects = sharesObjects
    let count = sharesObjects && !keepsOrder ? 1 << Int(Self.partitionCountShift) : 1
    let allowance = MemoryAllowance(memory - count * ObjectTable.leastByteCount)
    let blockByteCount = min(1 << 20, max(1 << 12, memory / (8 * count)) & ~4095)
    var cells: [Cell] = []
    for _ in 0..<count {
      let table = try ObjectTable(allowance, seed: seed, blockByteCount: blockByteCount)
      cells.append(Cell(ObjectPartition(table, spill: spill, keepsOffsets: isLookedUp)))
    }
    self.cells = cells
  }

  /// Adds one object.
  func add(_ bytes: RawSpan) throws(FuseError) -> ObjectNumber {
    let hash = sharesObjects ? bytes.hash(seed: seed) : 0
    let partition = partition(of: hash)
    return try withPartition(partition) { cell throws(FuseError) in
      let before = cell.count
      let number = sharesObjects ? try cell.insert(bytes, hash: hash) : try cell.append(bytes)
      countAdded(cell.count - before)
      return ObjectNumber(partition: partition, number: Int(number))
    }
  }

  func countAdded(_ count: Int) { added.wrappingAdd(count, ordering: .relaxed) }

  /// Whether the same bytes are in memory already, and one object is to serve for both.
  func contains(_ bytes: RawSpan) throws(FuseError) -> Bool {
    guard sharesObjects else { return false }
    let hash = bytes.hash(seed: seed)
    return try withPartition(partition(of: hash)) { cell in
      if case .object = cell.table.find(bytes, hash: hash) { true } else { false }
    }
  }

  /// Ends the adding for now, and says whether all objects are in memory.
  func finish() throws(FuseError) -> Bool {
    var isResident = true
    for number in 0..<partitionCount {
      try withPartition(number) { partition throws(FuseError) in
        try partition.finish()
        isResident = isResident && partition.streamedCount == 0
      }
    }
    return isResident
  }

  /// All partitions, once the adding has ended for now.
  func partitions() throws(FuseError) -> [ObjectPartition] {
    var all: [ObjectPartition] = []
    for number in 0..<partitionCount { try withPartition(number) { all.append($0) } }
    return all
  }

  /// Calls `body` with a partition, while no other thread has it.
  func withPartition<Result>(
    _ number: Int, _ body: (ObjectPartition) throws(FuseError) -> Result
  ) throws(FuseError) -> Result {
    try cells[number].withPartition(body)
  }

  @inline(__always)
  func partition(of hash: UInt64) -> Int {
    cells.count == 1 ? 0 : Int(truncatingIfNeeded: hash >> (64 - Self.partitionCountShift))
  }
}

/// What an object is called while a file is being built: the partition that it belongs to by its hash, and its number there.
struct ObjectNumber: Hashable, BitwiseCopyable, Sendable {
  let rawValue: UInt64

  var partition: Int { Int(truncatingIfNeeded: rawValue >> 32) }
  var number: Int { Int(truncatingIfNeeded: rawValue & 0xFFFF_FFFF) }

  init(partition: Int, number: Int) { rawValue = UInt64(partition) << 32 | UInt64(number) }
  init(rawValue: UInt64) { self.rawValue = rawValue }
}
