package import FuseDBCompact
package import FuseDBFormat
package import FuseDBReading
package import FuseDBSystem

/// The keys and objects of a compact file, as data and key index of version 2: for all that reads records in place.
package struct CompactExpansion {
  private let reader: FuseReader
  private let compact: CompactReader
  /// Of each object: where its row begins, and where its record is going to.
  private var rows: [UInt64] = []
  private var records: [UInt64] = []
  private var dataByteCount = 0

  /// Measures the objects, each of which is expanded for that.
  init(_ reader: FuseReader, _ compact: CompactReader) throws(FuseError) {
    self.reader = reader
    self.compact = compact
    try rows.reserve(Int(reader.header.objectCount))
    try records.reserve(Int(reader.header.objectCount))
    try forEachObject { row, object throws(FuseError) in
      try rows.grow(by: row)
      try records.grow(by: UInt64(Header.byteCount + dataByteCount))
      dataByteCount += ObjectRecord.overhead + object.byteCount
    }
  }

  private func forEachObject(_ body: (UInt64, RawSpan) throws(FuseError) -> Void) throws(FuseError) {
    var object: [UInt8] = []
    var row = UInt64(Header.byteCount)
    var count = 0
    while row < UInt64(compact.rowsEnd) {
      if count & 0xFF == 0 { try Cancellation.check() }
      try compact.expand(rowAt: row, into: &object)
      try body(row, object.rawSpan)
      row = try compact.end(ofRowAt: row)
      count += 1
    }
  }

  /// Begins an assembly in which all of this has room.
  func assembly(
    _ file: AtomicFile, _ layout: FuseWriter.Layout, _ sections: SectionRequest, _ limits: BlockLimits
  ) throws(FuseError) -> FileAssembly {
    // No entry is longer than its key in a block of keys could be, but for symbols, eight bytes each.
    try FileAssembly(
      file, layout, keyCountAtMost: reader.keyCount, dataByteCountAtMost: dataByteCount,
      indexByteCountAtMost: 8 * reader.byteCount + reader.keyCount * IndexEntry.overhead, sections: sections,
      limits: limits)
  }

  /// Writes all objects and keys, in their order.
  func write(to assembly: FileAssembly, _ progress: (Double) -> Void) throws(FuseError) {
    var number = 0
    try forEachObject { _, object throws(FuseError) in
      // What is measured is what is written, whatever becomes of the file.
      guard number < records.count, assembly.dataEnd == records[number] else { throw reader.changed(at: 0) }
      try assembly.add(object: object)
      number += 1
    }
    var walk = CompactWalk(compact)
    var isThere = reader.keyCount > 0 ? try walk.seekFirst() : false
    var last = 0
    var count = 0
    while isThere {
      if count & 0xFFFF == 0 {
        try Cancellation.check()
        progress(Double(count) / Double(reader.keyCount))
      }
      let row = compact.rowOffset(ofReference: walk.reference)
      // Mostly that of the key before, or the next one.
      if rows[last] != row {
        if last + 1 < rows.count, rows[last + 1] == row {
          last += 1
        } else {
          last = rows.place(ofFirstNotBelow: row)
          guard last < rows.count, rows[last] == row else {
            throw FuseError.corrupted("a key refers to a place where no row begins", at: row).at(path: reader.path)
          }
        }
      }
      try assembly.add(key: walk.keyBytes, object: records[last])
      count += 1
      isThere = try walk.next()
    }
  }

  /// The same of a compact file, to be read by its descriptor; nil for a file that is none.
  ///
  /// - Parameter folder: where it is written.
  static func input(of reader: FuseReader, in folder: String) throws(FuseError) -> InputDescriptor? {
    guard let compact = reader.compact else { return nil }
    // The name is one for errors.
    let place = try OutputPlace(PinnedPath(folder + "/expanded.fsdb"))
    return try plainFile(of: reader, compact, beside: place).file.input()
  }

  /// A plain file with the same keys and objects, which has no name and is gone with what is returned.
  package static func plainFile(
    of reader: FuseReader, _ compact: CompactReader, beside place: OutputPlace
  ) throws(FuseError) -> (file: AtomicFile, mapping: FileMapping) {
    let expansion = try CompactExpansion(reader, compact)
    let file = try AtomicFile(scratchBeside: place)
    let assembly = try expansion.assembly(
      file, .plain, SectionRequest(networks: .never), BlockLimits(temporaryFolder: file.folder, threadCount: 1))
    try expansion.write(to: assembly) { _ in }
    let (header, end) = try assembly.finishPlain(objectCount: Int(reader.header.objectCount))
    return (file, try file.mapped(header: header.bytes, byteCount: end))
  }
}

extension [UInt64] {
  /// The first place in rising numbers where one is that is not below another.
  fileprivate func place(ofFirstNotBelow number: UInt64) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
