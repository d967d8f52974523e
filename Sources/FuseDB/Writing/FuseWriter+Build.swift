/// What ``FuseWriter/build(to:progress:)`` wrote.
public struct BuildReport: Sendable, Equatable {
  /// Keys in the file.
  public var keyCount = 0
  /// Objects in the file.
  public var objectCount = 0
  /// Additions of an object that found the same bytes stored already.
  public var sharedObjectCount = 0
  /// Objects at which no key points: kept in insertion order, left out in key order.
  public var unreachedObjectCount = 0
  /// Additions of a key that was there already.
  public var duplicateKeyCount = 0
  /// The file's length.
  public var byteCount = 0
  /// How many bytes longer the file would be if every key had its own copy of its object.
  public var bytesSavedBySharing = 0
  /// The first few keys, in key order, that were added again.
  package var duplicates: [DuplicateKey] = []
  /// How many bytes went to a temporary file.
  public var spilledByteCount = 0
}

extension FuseWriter {
  /// Writes all that was added as the file at `path`, which appears complete or not at all.
  ///
  /// A file that is there is replaced in one step; readers that have it open keep the old one. The new one has the
  /// permissions that the process gives to new files. When this returns, the file is durable. The writer may go on and
  /// build again.
  ///
  /// - Parameter progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` with code `duplicateKey` under ``DuplicatePolicy/error``, `inputOutput` when the file cannot
  ///   be written. Nothing is left behind then, and what stood at `path` stands there still; unless the very last step
  ///   failed, which makes the folder durable: then the new file is there, and the message says so.
  /// - Complexity: O(n log n) in keys; some 36 bytes of memory a key beside its own.
  @discardableResult
  public func build(to path: String, progress: ((Double) -> Void)? = nil) throws(FuseError) -> BuildReport {
    try takeWaiting()
    var report = BuildReport(sharedObjectCount: sharedObjectCount)
    let metadata = try MetadataSection.bytes(of: options.metadata)
    precondition(metadata == nil || options.layout == .indexed, "a plain file has no place for metadata")
    keys.sort()
    progress?(0.3)
    let chosen = try chosenRows(&report)
    let order = objectOrder(of: chosen, &report)
    progress?(0.4)

    let file = try AtomicFile(replacing: path)
    let total = Double(order.count + chosen.count)
    var offsets = [UInt64](repeating: 0, count: objects.count)
    for (done, object) in order.enumerated() {
      offsets[Int(object)] = file.byteCount
      try write(object, to: file)
      if done % 65536 == 0 { progress?(0.4 + 0.6 * Double(done) / total) }
    }
    let indexOffset = file.byteCount
    for (done, row) in chosen.enumerated() {
      let row = keys.rows[Int(row)]
      try file.write(bigEndian: UInt16(row.key.byteCount))
      try file.write(row.key.bytes)
      try file.write(bigEndian: offsets[Int(row.object)])
      if done % 65536 == 0 { progress?(0.4 + 0.6 * Double(order.count + done) / total) }
    }
    try file.flush()
    var header = Header(
      keyCount: UInt32(report.keyCount), objectCount: UInt32(report.objectCount), indexOffset: indexOffset,
      checksum: file.checksum.value)
    if options.layout == .indexed {
      var writer = ExtensionWriter(appendingTo: file, index: Int(indexOffset)..<Int(file.byteCount))
      header = try writer.write(header: header, metadata: metadata)
    }
    report.byteCount = Int(file.byteCount)
    try file.publish(header: header.bytes)
    progress?(1)
    return report
  }

  private func write(_ object: UInt32, to file: AtomicFile) throws(FuseError) {
    try objects.withBytes(of: object) { bytes throws(FuseError) in
      try file.write(bigEndian: UInt32(bytes.byteCount))
      try file.write(bigEndian: Checksum.of(bytes))
      try file.write(bytes)
    }
  }

  private func place(of row: KeyTable.Row) -> UInt64 {
    Int(row.ordinal) < places.count ? places[Int(row.ordinal)] : UInt64(row.ordinal)
  }

  /// The row that counts for each key, in key order; rows of the sorted key table.
  private func chosenRows(_ report: inout BuildReport) throws(FuseError) -> [UInt32] {
    var chosen: [UInt32] = []
    chosen.reserveCapacity(keys.count)
    for number in 0..<UInt32(keys.count) {
      let row = keys.rows[Int(number)]
      guard let last = chosen.last, keys.rows[Int(last)].key.bytes.equals(row.key.bytes) else {
        chosen.append(number)
        continue
      }
      report.duplicateKeyCount += 1
      let (earlier, later) = (place(of: keys.rows[Int(last)]), place(of: row))
      let isFirst: Bool = if case .last = options.onDuplicate { false } else { true }
      let duplicate = DuplicateKey(
        key: row.key.bytes.array(), kept: isFirst ? earlier : later, dropped: isFirst ? later : earlier)
      if report.duplicates.count < 5 { report.duplicates.append(duplicate) }
      switch options.onDuplicate {
      case .first: break
      case .last: chosen[chosen.count - 1] = number
      case .error:
        refusedDuplicate = duplicate
        throw FuseError(
          .duplicateKey,
          "the key \(quoted(row.key.bytes)) was added before; keep one of them, or let the first or the last count",
          offset: UInt64(row.ordinal))
      }
    }
    report.keyCount = chosen.count
    return chosen
  }

  /// The objects to write, in their order. [C2] [C3]
  private func objectOrder(of chosen: [UInt32], _ report: inout BuildReport) -> [UInt32] {
    var keysOfObject = [UInt32](repeating: 0, count: objects.count)
    var order: [UInt32] = []
    for row in chosen {
      let object = Int(keys.rows[Int(row)].object)
      if keysOfObject[object] == 0 {
        order.append(UInt32(object))
      } else {
        report.bytesSavedBySharing += objects.byteCount(of: UInt32(object)) + ObjectRecord.overhead
      }
      keysOfObject[object] += 1
    }
    report.unreachedObjectCount = objects.count - order.count
    if options.order == .insertion { order = [UInt32](0..<UInt32(objects.count)) }
    report.objectCount = order.count
    return order
  }
}
