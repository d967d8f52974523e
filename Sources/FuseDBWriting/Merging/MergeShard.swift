internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Brings the keys and objects of files, one file after the other, into a writer.
struct MergeShard {
  /// How many keys, and how many bytes of objects, are collected before the store is asked for the objects' numbers.
  private static let batchKeyCount = 2048
  private static let batchByteCount = 1 << 18
  /// What is remembered of a record whose object is still to be asked for.
  private static let isPending: UInt64 = 1 << 63

  private static let mostRecordBytes = 16 << 20
  /// Of how many entries what is remembered of their records is asked for before it is needed.
  private static let entriesAhead = 32

  private struct Row {
    var keyRange: Range<Int>
    var offset: UInt64
    /// The object's number, or its index among those that are asked for.
    var object: UInt64
  }

  private let storage: WriterStorage
  private let shard: WriterShard
  private let number: Int
  /// How much memory may be used to remember records.
  private let recordByteCount: Int
  private var rows: [Row] = []
  private var objectBytes: [UInt8] = []
  private var objectEnds: [Int] = []
  private var objectOffsets: [UInt64] = []
  private var scratch = ObjectBatchScratch()
  private var window = RecordWindow()

  /// How many keys came, and how many of them were taken away.
  private(set) var keyCount = 0
  private(set) var subtractedCount = 0

  init(_ shard: WriterShard, _ storage: WriterStorage, number: Int) {
    self.storage = storage
    self.shard = shard
    self.number = number
    // The block is made later, and runs are read later: their memory is free while files are read.
    let plan = storage.plan
    recordByteCount = min(Self.mostRecordBytes, (plan.extensionBlock + plan.runWindows) / plan.shardCount)
  }

  /// Adds the keys of a file that lie in `ranges` and are in none of the others.
  mutating func add(
    _ input: MergeInput, number: Int, _ ranges: [KeyRange], subtracting others: [MergeFile]
  ) throws(FuseError) {
    let (input, objects) = try input.open()
    try input.checkWhole()
    try shard.beginOrder()
    try rows.reserve(Self.batchKeyCount)
    try objectBytes.reserve(2 * Self.batchByteCount)
    window = RecordWindow()
    let reader = input.reader
    var records = try RecordNumbers(objectCount: Int(reader.header.objectCount), limit: recordByteCount)
    var walk = try IndexWalk(input)
    var walks: [IndexWalk] = []
    for other in others { walks.append(try IndexWalk(other)) }
    var waiting = InlineArray<32, IndexEntry>(repeating: IndexEntry(offset: 0, keyByteCount: 0, objectOffset: 0))
    var waitingCount = 0
    for range in ranges {
      try walk.seek(range.lower)
      for i in walks.indices { try walks[i].seek(range.lower) }
      while let entry = walk.entry {
        let mapping = reader.mapping
        let key = mapping.bytes.extracting(entry.keyRange)
        if let upper = range.upper, key.compare(upper.rawSpan) >= 0 { break }
        keyCount &+= 1
        let isSubtracted = walks.isEmpty ? false : try Self.isFound(key, &walks, others)
        if isSubtracted {
          subtractedCount += 1
        } else {
          records.prefetch(entry.objectOffset)
          waiting[waitingCount] = entry
          waitingCount += 1
          if waitingCount == Self.entriesAhead {
            for i in 0..<waitingCount { try add(waiting[i], of: objects, reader, number, &records) }
            waitingCount = 0
          }
        }
        try walk.advance()
      }
    }
    for i in 0..<waitingCount { try add(waiting[i], of: objects, reader, number, &records) }
    try walk.checkRest()
    try flush(reader, number, &records)
    for file in [input] + others {
      try file.reader.checkNotShrunk()
      file.dropPages()
    }
  }

  /// Whether one of the walks comes across `key`, which they all go on to.
  private static func isFound(
    _ key: RawSpan, _ walks: inout [IndexWalk], _ inputs: [MergeFile]
  ) throws(FuseError) -> Bool {
    var isFound = false
    for i in walks.indices {
      let mapping = inputs[i].reader.mapping
      while let entry = walks[i].entry {
        let order = mapping.bytes.extracting(entry.keyRange).compare(key)
        if order == 0 { isFound = true }
        guard order < 0 else { break }
        try walks[i].advance()
      }
    }
    return isFound
  }

  @inline(__always)
  private mutating func add(
    _ entry: IndexEntry, of objects: MergeRecords, _ reader: FuseReader, _ number: Int, _ records: inout RecordNumbers
  ) throws(FuseError) {
    let offset = entry.objectOffset
    let object: UInt64
    if let known = records[offset] {
      object = known
    } else {
      try take(offset, of: objects)
      object = Self.isPending | UInt64(objectEnds.count - 1)
      records.set(object, of: offset)
    }
    rows.append(Row(keyRange: entry.keyRange, offset: offset, object: object))
    if rows.count >= Self.batchKeyCount || objectBytes.count >= Self.batchByteCount {
      try flush(reader, number, &records)
    }
  }

  /// Reads an object, so that the store is asked for it with many others. Every byte of it is checked.
  private mutating func take(_ offset: UInt64, of objects: MergeRecords) throws(FuseError) {
    let start = objectBytes.count
    try objects.append(objectAt: offset, to: &objectBytes, &window)
    do throws(FuseError) {
      try MessagePackCursor.validate(objectBytes.rawSpan.extracting(start...))
    } catch {
      throw FuseError.corrupted(
        "the object here is not MessagePack: \(error.message); 'fusedb verify' lists the damage", at: offset
      ).at(path: objects.path)
    }
    objectEnds.append(objectBytes.count)
    objectOffsets.append(offset)
  }

  /// Asks for the numbers of the objects, and hands the keys over.
  private mutating func flush(
    _ reader: FuseReader, _ input: Int, _ records: inout RecordNumbers
  ) throws(FuseError) {
    try Cancellation.check()
    let first = number * storage.store.partitionCount / storage.plan.shardCount
    do {
      // A copy of the reference: the span of the property itself would keep the scratch from being changed.
      let bytes = objectBytes
      try storage.store.add(bytes.rawSpan, ends: objectEnds, first: first, &scratch)
    }
    let numbers = scratch.numbers
    for (offset, number) in zip(objectOffsets, numbers) { records.set(number.rawValue, of: offset) }
    let mapping = reader.mapping
    for row in rows {
      let isPending = row.object & Self.isPending != 0
      let object =
        isPending ? numbers[Int(row.object & ~Self.isPending)] : ObjectNumber(rawValue: row.object)
      try shard.add(
        mapping.bytes.extracting(row.keyRange), object: object,
        position: MergePosition(input: input, offset: row.offset).rawValue)
    }
    rows.removeAll(keepingCapacity: true)
    objectBytes.removeAll(keepingCapacity: true)
    objectEnds.removeAll(keepingCapacity: true)
    objectOffsets.removeAll(keepingCapacity: true)
    // Zeros where the file was cut are neither keys nor objects.
    try mapping.checkNotShrunk()
  }
}
