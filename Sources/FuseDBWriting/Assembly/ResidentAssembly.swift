internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

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
