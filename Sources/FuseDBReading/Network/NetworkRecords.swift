package import FuseDBFormat
package import FuseDBSystem

/// Blocks and the places of their objects, in any order, sorted by address. What does not fit into the memory waits in a temporary file, in
/// runs that are sorted.
package final class NetworkRecords {
  /// A block in 24 bytes, without padding.
  struct Record: BitwiseCopyable, Comparable {
    var high: UInt64
    var low: UInt64
    /// The object's offset of 40 bits, 8 bits of family, 8 of prefix length.
    var rest: UInt64

    init(_ network: FuseNetwork, object: UInt64) {
      high = UInt64(truncatingIfNeeded: network.address.bits >> 64)
      low = UInt64(truncatingIfNeeded: network.address.bits)
      rest = object << 16 | UInt64(network.family.rawValue) << 8 | UInt64(network.prefixLength)
    }

    var network: FuseNetwork {
      let family: FuseAddress.Family = rest & 0xFF00 == 0x400 ? .ipv4 : .ipv6
      return FuseNetwork(
        unchecked: FuseAddress(family: family, bits: UInt128(high) << 64 | UInt128(low)),
        prefixLength: Int(rest & 0xFF))
    }

    var object: UInt64 { rest >> 16 }

    /// By family, address, length, object.
    static func < (left: Record, right: Record) -> Bool {
      let (leftFamily, rightFamily) = (left.rest & 0xFF00, right.rest & 0xFF00)
      if leftFamily != rightFamily { return leftFamily < rightFamily }
      if left.high != right.high { return left.high < right.high }
      if left.low != right.low { return left.low < right.low }
      let (leftLength, rightLength) = (left.rest & 0xFF, right.rest & 0xFF)
      return leftLength == rightLength ? left.rest < right.rest : leftLength < rightLength
    }
  }

  private static let recordByteCount = 24
  /// However little memory there is.
  private static let fewestAtOnce = 1024

  private let spill: Spill
  private let capacity: Int
  private var current: [Record] = []
  private var runs: [SpillStream] = []
  package private(set) var count = 0

  /// - Parameter memory: for the records that are being sorted, in bytes.
  package init(_ spill: Spill, memory: Int) {
    self.spill = spill
    capacity = max(Self.fewestAtOnce, memory / Self.recordByteCount)
  }

  /// Adds a block.
  ///
  /// - Parameter object: below 2^40.
  package func add(_ network: FuseNetwork, object: UInt64) throws(FuseError) {
    precondition(object < 1 << 40, "the object's offset has 40 bits")
    if current.count == capacity { try endRun() }
    current.append(Record(network, object: object))
    count += 1
  }

  private func endRun() throws(FuseError) {
    current.sort()
    let run = SpillStream(spill, recordByteCount: Self.recordByteCount)
    for record in current { try run.append(record: record) }
    run.finish()
    runs.append(run)
    current.removeAll(keepingCapacity: true)
  }

  /// Calls `body` with each block in ascending order, once.
  package func forEach(_ body: (FuseNetwork, _ object: UInt64) throws(FuseError) -> Void) throws(FuseError) {
    if runs.isEmpty {
      current.sort()
      for record in current { try body(record.network, record.object) }
      return
    }
    if !current.isEmpty { try endRun() }
    current = []
    var merge = try NetworkMerge(runs)
    while let record = try merge.next() { try body(record.network, record.object) }
  }
}

/// Merges sorted runs of records: a heap of the runs' next ones.
private struct NetworkMerge {
  private final class Source {
    var reader: SpillReader
    var head: NetworkRecords.Record

    init?(_ run: SpillStream) throws(FuseError) {
      reader = SpillReader(run)
      guard let head = try reader.next(as: NetworkRecords.Record.self) else { return nil }
      self.head = head
    }
  }

  private var heap: [Source] = []

  init(_ runs: [SpillStream]) throws(FuseError) {
    for run in runs { if let source = try Source(run) { heap.append(source) } }
    for i in (0..<heap.count / 2).reversed() { sink(i) }
  }

  mutating func next() throws(FuseError) -> NetworkRecords.Record? {
    guard let top = heap.first else { return nil }
    let record = top.head
    if let following = try top.reader.next(as: NetworkRecords.Record.self) {
      top.head = following
    } else {
      heap[0] = heap[heap.count - 1]
      heap.removeLast()
    }
    sink(0)
    return record
  }

  private mutating func sink(_ start: Int) {
    var parent = start
    while 2 * parent + 1 < heap.count {
      var child = 2 * parent + 1
      if child + 1 < heap.count, heap[child + 1].head < heap[child].head { child += 1 }
      guard heap[child].head < heap[parent].head else { return }
      heap.swapAt(child, parent)
      parent = child
    }
  }
}
