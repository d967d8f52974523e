internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What a thread needs to add many objects at once, kept so that the memory is.
struct ObjectBatchScratch {
  fileprivate var hashes: [UInt64] = []
  /// Objects sorted by their partition.
  fileprivate var order: [UInt32] = []
  /// Where the objects of each partition begin in `order`.
  fileprivate var starts: [Int] = []
  /// What the objects are called.
  fileprivate(set) var numbers: [ObjectNumber] = []
}

extension ObjectStore {
  /// How far ahead memory is asked for: a slot, and then the object that it names.
  private static let slotsAhead = 12
  private static let objectsAhead = 6

  /// Adds objects, partition by partition: a lock for many of them.
  ///
  /// - Parameters:
  ///   - bytes: the objects, one after the other.
  ///   - ends: where each ends.
  ///   - first: the partition to begin with; threads that begin at different ones seldom meet.
  func add(
    _ bytes: RawSpan, ends: [Int], first: Int, _ scratch: inout ObjectBatchScratch
  ) throws(FuseError) {
    guard sharesObjects else { return try append(bytes, ends: ends, &scratch) }
    try sort(bytes, ends, &scratch)
    try scratch.numbers.reserve(ends.count)
    scratch.numbers.removeAll(keepingCapacity: true)
    scratch.numbers.append(contentsOf: repeatElement(ObjectNumber(rawValue: 0), count: ends.count))
    for step in 0..<partitionCount {
      let number = (first + step) % partitionCount
      let range = scratch.starts[number]..<scratch.starts[number + 1]
      if range.isEmpty { continue }
      try withPartition(number) { partition throws(FuseError) in
        let before = partition.count
        let hashes = scratch.hashes
        let order = scratch.order
        for i in range {
          if i + Self.slotsAhead < range.upperBound {
            partition.table.prefetchSlot(hashes[Int(order[i + Self.slotsAhead])])
          }
          if i + Self.objectsAhead < range.upperBound {
            partition.table.prefetchObject(hashes[Int(order[i + Self.objectsAhead])])
          }
          let object = Int(order[i])
          let start = object == 0 ? 0 : ends[object - 1]
          let found = try partition.insert(bytes.extracting(start..<ends[object]), hash: hashes[object])
          scratch.numbers[object] = ObjectNumber(partition: number, number: Int(found))
        }
        countAdded(partition.count - before)
      }
    }
  }

  /// The same where every object is kept, in the order in which it came.
  private func append(_ bytes: RawSpan, ends: [Int], _ scratch: inout ObjectBatchScratch) throws(FuseError) {
    try scratch.numbers.reserve(ends.count)
    scratch.numbers.removeAll(keepingCapacity: true)
    try withPartition(0) { partition throws(FuseError) in
      var start = 0
      for end in ends {
        let number = try partition.append(bytes.extracting(start..<end))
        scratch.numbers.append(ObjectNumber(partition: 0, number: Int(number)))
        start = end
      }
      countAdded(ends.count)
    }
  }

  /// Hashes the objects and sorts them by their partition, equal ones in their order.
  private func sort(_ bytes: RawSpan, _ ends: [Int], _ scratch: inout ObjectBatchScratch) throws(FuseError) {
    try scratch.hashes.reserve(ends.count)
    try scratch.order.reserve(ends.count)
    scratch.hashes.removeAll(keepingCapacity: true)
    scratch.starts.removeAll(keepingCapacity: true)
    scratch.starts.append(contentsOf: repeatElement(0, count: partitionCount + 2))
    var start = 0
    for end in ends {
      let hash = bytes.extracting(start..<end).hash(seed: seed)
      scratch.hashes.append(hash)
      scratch.starts[partition(of: hash) + 2] += 1
      start = end
    }
    for number in 2..<partitionCount + 2 { scratch.starts[number] += scratch.starts[number - 1] }
    scratch.order.removeAll(keepingCapacity: true)
    scratch.order.append(contentsOf: repeatElement(0, count: ends.count))
    for object in 0..<ends.count {
      let number = partition(of: scratch.hashes[object]) + 1
      scratch.order[scratch.starts[number]] = UInt32(object)
      scratch.starts[number] += 1
    }
  }
}
