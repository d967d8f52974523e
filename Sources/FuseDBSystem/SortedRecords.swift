public import FuseDBFormat

/// Records of one type, added in any order and handed out in ascending order. What does not fit into the memory waits in a temporary
/// file, in runs that are sorted.
///
/// One thread adds; ``take(_:)`` joins what several have.
@usableFromInline package final class SortedRecords<Record: BitwiseCopyable & Comparable> {
  /// However little memory there is.
  @inlinable static var fewestAtOnce: Int { 1024 }
  @inlinable static var fewestRunsAtOnce: Int { 16 }

  @usableFromInline let spill: Spill
  /// How many records are sorted at once,
  @usableFromInline let capacity: Int
  /// and how many runs are merged at once.
  @usableFromInline let fanIn: Int
  @usableFromInline var current: [Record] = []
  @usableFromInline var runs: [SpillContents] = []

  /// - Parameter memory: for the records that are being sorted, and later for those that are read, in bytes.
  @inlinable
  package init(_ spill: Spill, memory: Int) {
    precondition(MemoryLayout<Record>.size == MemoryLayout<Record>.stride, "records stand without gaps")
    self.spill = spill
    capacity = max(Self.fewestAtOnce, memory / MemoryLayout<Record>.size)
    fanIn = max(Self.fewestRunsAtOnce, memory / spill.chunkByteCount)
  }

  /// Adds a record.
  @inlinable
  package func add(_ record: Record) throws(FuseError) {
    if current.count == capacity { try endRun() }
    current.append(record)
  }

  /// Takes over the records of another, which has none then.
  @inlinable
  package func take(_ other: SortedRecords) throws(FuseError) {
    runs += other.runs
    for record in other.current { try add(record) }
    other.runs = []
    other.current = []
  }

  /// Calls `body` with each record in ascending order, once.
  @inlinable
  package func forEach(_ body: (Record) throws(FuseError) -> Void) throws(FuseError) {
    guard !runs.isEmpty else {
      current.sort()
      for record in current { try body(record) }
      current = []
      return
    }
    if !current.isEmpty { try endRun() }
    current = []
    while runs.count > fanIn {
      // As few as lead to the number that is wanted: each record is written again for nothing else.
      let count = min(fanIn, runs.count - fanIn + 1)
      let merged = SpillStream(spill, recordByteCount: MemoryLayout<Record>.size)
      try Self.merge(runs[..<count]) { record throws(FuseError) in try merged.append(record: record) }
      merged.finish()
      runs.removeFirst(count)
      runs.append(merged.contents)
    }
    try Self.merge(runs[...], body)
    runs = []
  }

  @inlinable
  func endRun() throws(FuseError) {
    current.sort()
    // SAFETY: a record has no gaps that could be read.
    runs.append(try unsafe SpillContents(current.span.bytes, recordByteCount: MemoryLayout<Record>.size, spill))
    current.removeAll(keepingCapacity: true)
  }

  /// Merges sorted runs: a heap of the runs' next records.
  @inlinable
  static func merge(
    _ runs: ArraySlice<SpillContents>, _ body: (Record) throws(FuseError) -> Void
  ) throws(FuseError) {
    var heap: [SortedRun<Record>] = []
    for run in runs { if let source = try SortedRun<Record>(run) { heap.append(source) } }
    for place in (0..<heap.count / 2).reversed() { sink(place, in: &heap) }
    while let least = heap.first {
      try body(least.head)
      if let following = try least.reader.next(as: Record.self) {
        least.head = following
      } else {
        heap[0] = heap[heap.count - 1]
        heap.removeLast()
      }
      sink(0, in: &heap)
    }
  }

  @inlinable
  static func sink(_ start: Int, in heap: inout [SortedRun<Record>]) {
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

/// Where a run of sorted records is being read.
@usableFromInline final class SortedRun<Record: BitwiseCopyable & Comparable> {
  @usableFromInline var reader: SpillReader
  @usableFromInline var head: Record

  /// Nil for a run without records.
  @inlinable
  init?(_ contents: SpillContents) throws(FuseError) {
    reader = SpillReader(contents)
    guard let head = try reader.next(as: Record.self) else { return nil }
    self.head = head
  }
}
