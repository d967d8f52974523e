internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Writes a file whose objects are not all in memory. See spec/decisions/0009-external-build.md.
///
/// Each step reads and writes streams from their start to their end, and holds no more than one partition:
///
/// 1. The keys are merged. Their objects' numbers go, with the key's position, to the stream of the object's partition.
/// 2. Of each partition, equal objects are found, and ranked by the position of their first key.
/// 3. The partitions' ranks are merged by position: that is the order of the objects in the file, and gives each its
///    offset.
/// 4. Of each partition, the keys get their offsets, and the objects go to the part of the file where they belong.
/// 5. The index is written, then the data, part by part.
struct PartitionedAssembly {
  let storage: WriterStorage
  let pipeline: KeyPipeline
  let order: FuseWriter.Order
  private let spill: Spill
  private let partitions: [ObjectPartition]
  private let keys: SpillStream
  private var joins: [PartitionJoin] = []

  init(
    _ storage: WriterStorage, _ pipeline: KeyPipeline, order: FuseWriter.Order
  ) throws(FuseError) {
    self.storage = storage
    self.pipeline = pipeline
    self.order = order
    spill = storage.spill
    partitions = try storage.store.partitions()
    keys = SpillStream(spill)
    for partition in partitions { joins.append(PartitionJoin(partition, spill)) }
  }

  /// Merges the keys, so that the length of the data is known afterwards.
  mutating func prepare(
    _ report: inout BuildReport, _ progress: (Int) -> Void
  ) throws(FuseError) -> (outcome: KeyPipeline.Outcome, dataByteCount: Int) {
    var keyCount = 0
    let outcome = try pipeline.forEachBatch { batch throws(FuseError) in
      for i in batch.rows.indices {
        let row = batch.rows[i]
        try keys.append(record: UInt16(truncatingIfNeeded: row.keyByteCount))
        try keys.append(record: row.object.rawValue)
        try batch.withKey(of: row) { key throws(FuseError) in try keys.append(key) }
        try joins[row.object.partition].add(key: UInt32(keyCount), object: UInt32(row.object.number))
        keyCount += 1
      }
      progress(keyCount)
      try Cancellation.check()
    }
    keys.finish()
    for number in joins.indices {
      try joins[number].rank(
        sharesObjects: storage.store.sharesObjects, seed: storage.store.seed, memory: storage.plan.keys, order)
    }
    let dataByteCount = try placeObjects()
    for join in joins {
      report.objectCount += join.objectCount
      report.unreachedObjectCount += join.distinctCount - join.reachedCount
      report.sharedObjectCount += join.repeatedCount
      report.bytesSavedBySharing += join.savedByteCount
    }
    return (outcome, dataByteCount)
  }

  /// Gives all objects their offsets. Returns the length of all.
  private mutating func placeObjects() throws(FuseError) -> Int {
    var readers: [FirstReader] = []
    for join in joins { readers.append(try FirstReader(join.firsts, spill)) }
    var offset = UInt64(Header.byteCount)
    // Few partitions: looking at each of them costs less than keeping a heap in order.
    var positions = readers.map { $0.position }
    while let position = positions.min(), position < UInt64.max {
      let least = positions.firstIndex(of: position)!
      try joins[least].offsets.append(record: offset)
      offset += UInt64(readers[least].byteCount + ObjectRecord.overhead)
      try readers[least].advance()
      positions[least] = readers[least].position
    }
    return Int(offset) - Header.byteCount
  }

  /// Writes data and index.
  func write(to assembly: FileAssembly, dataByteCount: Int, _ progress: (Int) -> Void) throws(FuseError) {
    var windows = DataWindows(spill, dataByteCount: dataByteCount, windowByteCount: storage.plan.keys)
    for join in joins { try join.place(&windows) }
    try windows.write(to: assembly)
    try writeIndex(to: assembly, progress)
  }

  private func writeIndex(to assembly: FileAssembly, _ progress: (Int) -> Void) throws(FuseError) {
    let readers = joins.map { join in OffsetReader(SpillReader(join.keyOffsets)) }
    var reader = SpillReader(keys)
    while let keyByteCount = try reader.next(as: UInt16.self) {
      guard let object = try reader.next(as: UInt64.self),
        let offset = try readers[ObjectNumber(rawValue: object).partition].next()
      else { preconditionFailure("each key was written with its object") }
      try reader.withNext(Int(keyByteCount)) { key throws(FuseError) in try assembly.add(key: key, object: offset) }
      if assembly.keyCount % 65536 == 0 { progress(assembly.keyCount) }
    }
  }

  private final class OffsetReader {
    private var reader: SpillReader

    init(_ reader: consuming SpillReader) { self.reader = reader }

    func next() throws(FuseError) -> UInt64? { try reader.next(as: UInt64.self) }
  }

  private final class FirstReader {
    private var reader: SpillReader
    private(set) var position = UInt64.max
    private(set) var byteCount = 0

    init(_ stream: SpillStream, _ spill: Spill) throws(FuseError) {
      reader = SpillReader(stream)
      try advance()
    }

    func advance() throws(FuseError) {
      guard let next = try reader.next(as: PartitionJoin.First.self) else {
        position = .max
        return
      }
      position = UInt64(next.position)
      byteCount = Int(next.byteCount)
    }
  }
}

/// The data section in parts that fit into memory: objects come in any order, and each waits with the part in which its
/// record begins.
struct DataWindows {
  private let spill: Spill
  private let windowByteCount: Int
  private var windows: [Window]

  private struct Window {
    let stream: SpillStream
    var start = Int.max
    var end = 0
  }

  init(_ spill: Spill, dataByteCount: Int, windowByteCount: Int) {
    self.spill = spill
    self.windowByteCount = max(1 << 16, windowByteCount)
    windows = (0...dataByteCount / self.windowByteCount).map { _ in Window(stream: SpillStream(spill)) }
  }

  /// Adds an object whose record is to begin at `offset`.
  mutating func add(_ object: RawSpan, at offset: UInt64) throws(FuseError) {
    let start = Int(offset)
    let number = (start - Header.byteCount) / windowByteCount
    windows[number].start = min(windows[number].start, start)
    windows[number].end = max(windows[number].end, start + ObjectRecord.overhead + object.byteCount)
    let stream = windows[number].stream
    try stream.append(record: offset)
    try stream.append(record: UInt32(object.byteCount))
    try stream.append(object)
  }

  /// Writes the data section.
  func write(to assembly: FileAssembly) throws(FuseError) {
    for window in windows where window.end > 0 {
      precondition(window.start == Int(assembly.dataEnd), "the records fill the data section without a gap")
      window.stream.finish()
      let memory = try ZeroedMemory(byteCount: window.end - window.start)
      var reader = SpillReader(window.stream)
      while let offset = try reader.next(as: UInt64.self), let byteCount = try reader.next(as: UInt32.self) {
        let windowOffset = Int(offset) - window.start
        try reader.withNext(Int(byteCount)) { object in
          let checksum = Checksum.of(object)
          // SAFETY: the window reaches from the first record that begins in it to the end of the last.
          unsafe memory.start.storeBytes(of: byteCount.bigEndian, toByteOffset: windowOffset, as: UInt32.self)
          unsafe memory.start.storeBytes(of: checksum.bigEndian, toByteOffset: windowOffset + 4, as: UInt32.self)
          unsafe object.withUnsafeBytes { bytes in
            unsafe (memory.start + windowOffset + ObjectRecord.overhead).copyMemory(
              from: bytes.baseAddress!, byteCount: bytes.count)
          }
        }
      }
      // SAFETY: the memory has so many bytes.
      let bytes = unsafe RawSpan(_unsafeStart: memory.start, byteCount: memory.byteCount)
      try assembly.file.write(bytes)
    }
  }
}
