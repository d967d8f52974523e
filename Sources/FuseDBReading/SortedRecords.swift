internal import FuseDBFormat
internal import FuseDBSystem

/// Records that are added in any order and handed out sorted. What does not fit into the memory waits in a temporary file, in runs that
/// are sorted.
final class SortedRecords<Record: BitwiseCopyable & Comparable> {
  private static var recordByteCount: Int { MemoryLayout<Record>.size }
  /// However little memory there is.
  private static var fewestAtOnce: Int { 1024 }

  private let spill: Spill
  private let capacity: Int
  private var current: [Record] = []
  private var runs: [SpillStream] = []
  private(set) var count = 0

  /// - Parameter memory: for the records that are being sorted, in bytes; sorting takes half as much as they do.
  init(_ spill: Spill, memory: Int) {
    precondition(MemoryLayout<Record>.stride == Self.recordByteCount, "records have no padding")
    self.spill = spill
    capacity = max(Self.fewestAtOnce, memory / (Self.recordByteCount + Self.recordByteCount / 2))
  }

  @inline(__always)
  func add(_ record: Record) throws(FuseError) {
    if current.count == current.capacity { try makeRoom() }
    current.append(record)
    count &+= 1
  }

  @inline(never)
  private func makeRoom() throws(FuseError) {
    if current.count >= capacity { return try endRun() }
    current.reserveCapacity(min(capacity, max(Self.fewestAtOnce, 2 * current.count)))
  }

  private func endRun() throws(FuseError) {
    current.sort()
    let run = SpillStream(spill, recordByteCount: Self.recordByteCount)
    for record in current { try run.append(record: record) }
    run.finish()
    runs.append(run)
    current.removeAll(keepingCapacity: true)
  }

  /// Calls `body` with each record in ascending order, once.
  func forEach(_ body: (Record) throws(FuseError) -> Void) throws(FuseError) {
    if runs.isEmpty {
      current.sort()
      for record in current { try body(record) }
      return
    }
    if !current.isEmpty { try endRun() }
    current = []
    var merge = try RunMerge<Record>(runs)
    while let record = try merge.next() { try body(record) }
  }
}

/// Merges sorted runs of records: a heap of the runs' next ones.
private struct RunMerge<Record: BitwiseCopyable & Comparable> {
  private final class Source {
    var reader: SpillReader
    var head: Record

    init?(_ run: SpillStream) throws(FuseError) {
      reader = SpillReader(run)
      guard let head = try reader.next(as: Record.self) else { return nil }
      self.head = head
    }
  }

  private var heap: [Source] = []

  init(_ runs: [SpillStream]) throws(FuseError) {
    for run in runs { if let source = try Source(run) { heap.append(source) } }
    for i in (0..<heap.count / 2).reversed() { sink(i) }
  }

  mutating func next() throws(FuseError) -> Record? {
    guard let top = heap.first else { return nil }
    let record = top.head
    if let following = try top.reader.next(as: Record.self) {
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
