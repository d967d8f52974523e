internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

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
