internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What a partition's objects and the keys that point at them learn of each other.
struct PartitionJoin {
  /// A key in the file and the object in the partition.
  private struct Pair: BitwiseCopyable {
    var key: UInt32
    var object: UInt32
  }

  /// An object that is to be in the file, by its first key.
  struct First: BitwiseCopyable {
    var position: UInt32
    var byteCount: UInt32
  }

  private static let none = UInt32.max

  private let partition: ObjectPartition
  private let spill: Spill
  /// In key order.
  private let pairs: SpillStream
  /// Of each object its rank, or none.
  private let ranks: SpillStream
  /// By rank.
  let firsts: SpillStream
  /// By rank, where the objects are going to stand.
  let offsets: SpillStream
  /// In key order, where their objects are going to stand.
  let keyOffsets: SpillStream

  /// Objects in the file,
  private(set) var objectCount = 0
  /// those that keys point at,
  private(set) var reachedCount = 0
  /// and all different ones.
  private(set) var distinctCount = 0
  private(set) var repeatedCount = 0
  /// The length of records that further keys would have had of their own.
  private(set) var savedByteCount = 0

  init(_ partition: ObjectPartition, _ spill: Spill) {
    self.partition = partition
    self.spill = spill
    pairs = SpillStream(spill, recordByteCount: MemoryLayout<Pair>.size)
    ranks = SpillStream(spill, recordByteCount: 4)
    firsts = SpillStream(spill, recordByteCount: MemoryLayout<First>.size)
    offsets = SpillStream(spill, recordByteCount: 8)
    keyOffsets = SpillStream(spill, recordByteCount: 8)
  }

  /// Adds the next key that points at an object of the partition.
  func add(key: UInt32, object: UInt32) throws(FuseError) { try pairs.append(record: Pair(key: key, object: object)) }

  /// Finds equal objects, and ranks the different ones by their first key; in insertion order, by their number.
  mutating func rank(
    sharesObjects: Bool, seed: UInt64, memory: Int, _ order: FuseWriter.Order
  ) throws(FuseError) {
    pairs.finish()
    let equal = try EqualObjects(in: partition, isShared: sharesObjects, seed: seed, memory: memory)
    repeatedCount = partition.foundCount + equal.repeatedCount
    distinctCount = partition.count - equal.repeatedCount
    let byteCounts = try byteCounts()
    var ranks = try [UInt32](partition.count, of: Self.none)
    if order == .insertion {
      for number in ranks.indices where equal.first(of: number) == number {
        ranks[number] = UInt32(objectCount)
        try firsts.append(record: First(position: UInt32(number), byteCount: byteCounts[number]))
        objectCount += 1
      }
    }
    var isReached = try [Bool](partition.count, of: false)
    var reader = SpillReader(pairs)
    while let pair = try reader.next(as: Pair.self) {
      let object = equal.first(of: Int(pair.object))
      if isReached[object] {
        savedByteCount += Int(byteCounts[object]) + ObjectRecord.overhead
        continue
      }
      isReached[object] = true
      reachedCount += 1
      if order == .key {
        ranks[object] = UInt32(objectCount)
        try firsts.append(record: First(position: pair.key, byteCount: byteCounts[object]))
        objectCount += 1
      }
    }
    for number in ranks.indices { try self.ranks.append(record: ranks[equal.first(of: number)]) }
    self.ranks.finish()
    firsts.finish()
  }

  /// Gives the keys their offsets, and the objects to the windows of the file.
  func place(_ windows: inout DataWindows) throws(FuseError) {
    offsets.finish()
    let ranks = try Self.contents(of: ranks, count: partition.count, as: UInt32.self, spill)
    let offsets = try Self.contents(of: offsets, count: objectCount, as: UInt64.self, spill)
    var reader = SpillReader(pairs)
    while let pair = try reader.next(as: Pair.self) {
      try keyOffsets.append(record: offsets[Int(ranks[Int(pair.object)])])
    }
    keyOffsets.finish()

    for (number, object) in partition.table.objects.enumerated() where ranks[number] != Self.none {
      try windows.add(object.bytes, at: offsets[Int(ranks[number])])
    }
    // Of equal objects the first is the one: its rank comes before it was used.
    var isPlaced = try [Bool](objectCount, of: false)
    var number = partition.residentCount
    try partition.forEachStreamed { bytes throws(FuseError) in
      let rank = ranks[number]
      number += 1
      guard rank != Self.none, !isPlaced[Int(rank)] else { return }
      isPlaced[Int(rank)] = true
      try windows.add(bytes, at: offsets[Int(rank)])
    }
  }

  /// The length of each object.
  private func byteCounts() throws(FuseError) -> [UInt32] {
    var counts: [UInt32] = []
    try counts.reserve(partition.count)
    for object in partition.table.objects { counts.append(UInt32(object.byteCount)) }
    try partition.forEachStreamed { bytes in counts.append(UInt32(bytes.byteCount)) }
    return counts
  }

  private static func contents<Record: BitwiseCopyable>(
    of stream: SpillStream, count: Int, as type: Record.Type, _ spill: Spill
  ) throws(FuseError) -> [Record] {
    var all: [Record] = []
    try all.reserve(count)
    var reader = SpillReader(stream)
    while let record = try reader.next(as: type) { all.append(record) }
    return all
  }
}
