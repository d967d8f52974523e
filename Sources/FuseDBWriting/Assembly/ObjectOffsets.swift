internal import CFuseIntrinsics
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Where the objects of a build stand in the file, by their numbers; and whether a key points at them.
@safe
final class ObjectOffsets {
  /// What is known of an object.
  struct Location: BitwiseCopyable {
    /// Where its record begins, or 0.
    var offset: UInt64
    /// The length of the object. It stands here, because at the object itself every key would wait for memory.
    var byteCount: UInt32
    var isReached: UInt32
  }

  // SAFETY: one location for each object of each partition, those of partition `p` from `starts[p]` on.
  private let memory: ZeroedMemory
  private let starts: [Int]

  /// - Parameter counts: how many objects each partition has.
  init(counts: [Int]) throws(FuseError) {
    var total = 0
    starts = counts.map { count in
      defer { total += count }
      return total
    }
    memory = try ZeroedMemory(byteCount: max(1, total) * MemoryLayout<Location>.stride, inLargePages: total > 1 << 19)
  }

  // SAFETY: an object's number is below the count of its partition, and each has its location in the memory, aligned.
  /// What is known of an object; offset 0 when it has none yet.
  @inline(__always)
  subscript(object: ObjectNumber) -> Location {
    get { unsafe memory.start.load(fromByteOffset: position(of: object), as: Location.self) }
    set { unsafe memory.start.storeBytes(of: newValue, toByteOffset: position(of: object), as: Location.self) }
  }

  // SAFETY: nothing is read, and an object's number is below the count of its partition.
  /// Asks for what is known of an object.
  @inline(__always)
  func prefetch(_ object: ObjectNumber) { unsafe fuse_prefetch(memory.start + position(of: object)) }

  @inline(__always)
  private func position(of object: ObjectNumber) -> Int {
    (starts[object.partition] &+ object.number) &* MemoryLayout<Location>.stride
  }
}

/// Which objects of a partition are the same, when not all of them fit into memory.
///
/// The stream is read as often as it has memories full of different objects: each time, objects that are not settled go
/// into a table until it is full, and the rest is compared with these.
struct EqualObjects {
  private static let unsettled = UInt32.max

  private let residentCount: Int
  /// Of each object of the stream: the number of the first one with the same bytes.
  private var first: [UInt32]
  /// How many objects were found again.
  private(set) var repeatedCount = 0

  /// - Parameters:
  ///   - isShared: whether equal objects are one.
  ///   - memory: how many bytes the table may take.
  init(in partition: ObjectPartition, isShared: Bool, seed: UInt64, memory: Int) throws(FuseError) {
    residentCount = partition.residentCount
    guard isShared else {
      first = []
      try first.reserve(partition.streamedCount)
      first.append(contentsOf: UInt32(partition.residentCount)..<UInt32(partition.count))
      return
    }
    first = try [UInt32](partition.streamedCount, of: Self.unsettled)
    var settledCount = 0
    while settledCount < first.count {
      settledCount += try settle(partition, seed: seed, memory: memory)
    }
  }

  /// One pass. Returns how many objects it settled.
  private mutating func settle(_ partition: ObjectPartition, seed: UInt64, memory: Int) throws(FuseError) -> Int {
    let table = try ObjectTable(
      MemoryAllowance(memory), seed: seed, blockByteCount: max(4096, min(1 << 20, memory / 8)) & ~4095)
    // The number in the partition of each object in the table.
    var numbers: [UInt32] = []
    var (next, settledCount, foundCount) = (0, 0, 0)
    var first: [UInt32] = []
    swap(&first, &self.first)
    let residentCount = residentCount
    try partition.forEachStreamed { bytes throws(FuseError) in
      let index = next
      next += 1
      guard first[index] == Self.unsettled else { return }
      let number = UInt32(index + residentCount)
      let hash = bytes.hash(seed: seed)
      switch table.find(bytes, hash: hash) {
      case .object(let object):
        first[index] = numbers[Int(object.number)]
        foundCount += 1
      case .freeSlot(let slot):
        // Each pass gets on by one object at least.
        let added = try table.add(bytes, hash: hash, slot: slot, isAlwaysTaken: numbers.isEmpty)
        guard added != nil else { return }
        try numbers.grow(by: number)
        first[index] = number
      }
      settledCount += 1
    }
    swap(&first, &self.first)
    repeatedCount += foundCount
    return settledCount
  }

  /// The number of the first object with the same bytes.
  @inline(__always)
  func first(of number: Int) -> Int {
    number < residentCount ? number : Int(first[number - residentCount])
  }
}
