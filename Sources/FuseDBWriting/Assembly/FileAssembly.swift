internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// The file that a build writes: data and key index at the same time, each by a stream of its own, then the block.
final class FileAssembly {
  /// A thread of its own that writes the index has two megabytes to write from.
  private static let leastMemoryForWritingBehind = 16 << 20

  let file: AtomicFile
  /// What becomes of the file, which itself has no name then; nil where it is published as it is.
  private let compact: CompactTarget?
  private let index: FileStream
  private let collector: BlockCollector?
  private(set) var keyCount = 0

  /// - Parameters:
  ///   - file: what is to be written.
  ///   - layout: whether there is to be a block.
  ///   - keyCount: how many keys may come.
  ///   - dataByteCount: how long the data section is going to be, at most; the index is written after that, and moved
  ///     where the data is shorter.
  ///   - indexByteCount: how long the index is going to be, at most.
  ///   - sections: which sections the block gets beside those that every block has.
  ///   - limits: what the making of the block may use.
  ///   - compact: the compact file that is to be made of it.
  init(
    _ file: AtomicFile, _ layout: FuseWriter.Layout, keyCountAtMost keyCount: Int,
    dataByteCountAtMost dataByteCount: Int, indexByteCountAtMost indexByteCount: Int, sections: SectionRequest,
    limits: BlockLimits, compact: CompactTarget? = nil
  ) throws(FuseError) {
    self.file = file
    self.compact = compact
    let indexStart = Header.byteCount + dataByteCount
    index = try file.stream(
      at: indexStart, behind: limits.threadCount > 1 && limits.memory >= Self.leastMemoryForWritingBehind)
    collector =
      layout == .plain || compact != nil
      ? nil
      : try BlockCollector(
        keyCountAtMost: keyCount, indexEndAtMost: indexStart + indexByteCount, sections: sections,
        limits: limits)
  }

  /// Where the next object record is going to stand.
  var dataEnd: UInt64 { file.byteCount }

  /// Appends an object record.
  @inline(__always)
  func add(object: RawSpan) throws(FuseError) {
    try file.body.write(record: object)
  }

  /// Appends an entry of the key index.
  @inline(__always)
  func add(key: RawSpan, object: UInt64) throws(FuseError) {
    try index.write(entry: key, object: object)
    try collector?.add(key: key, object: object)
    keyCount &+= 1
  }

  /// What was published.
  struct Published {
    var byteCount: Int
    /// Of this: what follows the key index.
    var extensionByteCount = 0
    /// Keys of the database that it replaced; nil where there was none.
    var replacedKeyCount: Int?
    var networks: NetworkCounts?
  }

  /// Completes data and key index, and returns the header and where they end.
  func finishPlain(objectCount: Int) throws(FuseError) -> (header: Header, end: Int) {
    try file.flush()
    try index.flush()
    let indexStart = Int(dataEnd)
    try file.move(index.start..<index.position, to: indexStart)
    var checksum = file.checksum
    checksum.append(index.checksum.value, byteCount: index.byteCount)
    let header = Header(
      keyCount: UInt32(keyCount), objectCount: UInt32(objectCount), indexOffset: UInt64(indexStart),
      checksum: checksum.value)
    return (header, indexStart + index.byteCount)
  }

  /// Completes the file and lets it appear.
  func publish(
    objectCount: Int, metadata: [UInt8]?, _ progress: (BuildPhase, Double) -> Void
  ) throws(FuseError) -> Published {
    var (header, end) = try finishPlain(objectCount: objectCount)
    let indexEnd = end
    var networks: NetworkCounts?
    if let compact {
      progress(.indexing, 0)
      let mapping = try file.mapped(header: header.bytes, byteCount: end)
      let report = try compact.write(mapping, metadata: metadata) { progress(.indexing, $0) }
      return Published(
        byteCount: report.byteCount, replacedKeyCount: report.replacedKeyCount, networks: report.networks)
    }
    if let collector {
      progress(.indexing, 0)
      var block = ExtensionWriter(
        to: file, index: Int(header.indexOffset)..<end, checksum: Checksum(continuing: header.checksum))
      header = try block.write(header: header, metadata: metadata, from: collector)
      end = block.end
      networks = block.networks
    }
    progress(.syncing, 0)
    let replaced = try file.publish(header: header.bytes, keyCount: keyCount)
    return Published(
      byteCount: end, extensionByteCount: end - indexEnd, replacedKeyCount: replaced?.keyCount, networks: networks)
  }
}

/// Writes a file whose objects are all in memory, in one pass over the keys.
struct ResidentAssembly {
  private static let objectsAhead = 8

  let storage: WriterStorage
  let pipeline: KeyPipeline
  let order: FuseWriter.Order
  private let partitions: [ObjectPartition]

  init(_ storage: WriterStorage, _ pipeline: KeyPipeline, order: FuseWriter.Order) throws(FuseError) {
    self.storage = storage
    self.pipeline = pipeline
    self.order = order
    partitions = try storage.store.partitions()
  }

  /// The length of all records, at most.
  var dataByteCount: Int { partitions.reduce(0) { $0 + $1.byteCount + $1.count * ObjectRecord.overhead } }

  /// Writes data and index. [C2] [C3]
  func run(
    _ assembly: FileAssembly, _ report: inout BuildReport, _ progress: (Int) -> Void
  ) throws(FuseError) -> KeyPipeline.Outcome {
    let offsets = try ObjectOffsets(counts: partitions.map { $0.count })
    if order == .insertion { try addAll(to: assembly, offsets, &report) }
    var saved = 0
    var reachedCount = 0
    let outcome = try pipeline.forEachBatch { batch throws(FuseError) in
      let rows = batch.rows
      for i in rows.indices {
        if i + Self.objectsAhead < rows.count { offsets.prefetch(rows[i + Self.objectsAhead].object) }
        let row = rows[i]
        let object = row.object
        var location = offsets[object]
        if location.offset == 0 {
          let stored = partitions[object.partition].table.objects[object.number]
          location.offset = assembly.dataEnd
          location.byteCount = UInt32(truncatingIfNeeded: stored.byteCount)
          try assembly.add(object: stored.bytes)
        }
        if location.isReached == 0 {
          location.isReached = 1
          reachedCount += 1
          offsets[object] = location
        } else {
          saved += Int(location.byteCount) + ObjectRecord.overhead
        }
        let offset = location.offset
        try batch.withKey(of: row) { key throws(FuseError) in try assembly.add(key: key, object: offset) }
      }
      progress(assembly.keyCount)
      try Cancellation.check()
    }
    let storedCount = partitions.reduce(0) { $0 + $1.count }
    report.bytesSavedBySharing = saved
    report.unreachedObjectCount = storedCount - reachedCount
    report.objectCount = order == .insertion ? storedCount : reachedCount
    report.sharedObjectCount = partitions.reduce(0) { $0 + $1.foundCount }
    return outcome
  }

  /// Writes all objects as they were added. [C5]
  private func addAll(
    to assembly: FileAssembly, _ offsets: ObjectOffsets, _ report: inout BuildReport
  ) throws(FuseError) {
    for (partition, contents) in partitions.enumerated() {
      for (number, object) in contents.table.objects.enumerated() {
        offsets[ObjectNumber(partition: partition, number: number)] = .init(
          offset: assembly.dataEnd, byteCount: UInt32(truncatingIfNeeded: object.byteCount), isReached: 0)
        try assembly.add(object: object.bytes)
      }
    }
  }
}
