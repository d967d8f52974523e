internal import FuseDBCompact
internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem

extension CompactWork {
  /// Items that are found by their numbers, as they go to the file.
  private struct NumberedItems {
    private static let widths = (usual: 4, wide: 6)

    let bodies: SpillStream
    /// Of each item, its length without its checksum.
    private var sizes: [UInt32] = []
    private var covered: [UInt8] = []

    init(_ spill: Spill) { bodies = SpillStream(spill) }

    /// Adds the next item.
    mutating func add(_ first: RawSpan, _ second: RawSpan = RawSpan()) throws(FuseError) {
      covered.removeAll(keepingCapacity: true)
      covered.append(bigEndian: UInt32(sizes.count))
      covered.append(first)
      covered.append(second)
      try bodies.append(record: Checksum.of(covered.rawSpan).bigEndian)
      try bodies.append(covered.rawSpan.extracting(droppingFirst: MemoryLayout<UInt32>.size))
      try sizes.grow(by: UInt32(first.byteCount + second.byteCount))
    }

    /// Writes the section.
    mutating func write(_ kind: [UInt8], to sections: inout SectionWriter, _ spill: Spill) throws(FuseError) {
      bodies.finish()
      let width = bodies.byteCount < 1 << 32 ? Self.widths.usual : Self.widths.wide
      let offsets = SpillStream(spill)
      var offset: UInt64 = 0
      for number in 0...sizes.count {
        covered.removeAll(keepingCapacity: true)
        covered.append(bigEndian: offset)
        try offsets.append(covered.rawSpan.extracting(droppingFirst: covered.count - width))
        if number < sizes.count { offset += 4 + UInt64(sizes[number]) }
      }
      offsets.finish()
      var head: [UInt8] = []
      head.append(bigEndian: UInt32(sizes.count))
      head.append(UInt8(width))
      try sections.add(kind, head, [offsets, bodies])
    }
  }

  /// Writes the sections of shapes and of parts.
  func writeTables(_ sections: inout SectionWriter, _ tables: CompactTables) throws(FuseError) {
    var shapes = NumberedItems(spill)
    for number in tables.shapes.indices { try shapes.add(Array(tables.names(ofShape: number)).rawSpan) }
    try shapes.write(CompactForm.Section.shapes, to: &sections, spill)
    var parts = NumberedItems(spill)
    var writer = RowWriter(tables)
    var tape = ValueTape()
    var size: [UInt8] = []
    for number in tables.parts.indices {
      if number & 0xFFF == 0 { try Cancellation.check() }
      let range = tables.parts[number].range
      let mapping = reader.mapping
      try tape.read(range, in: mapping.bytes)
      writer.write(tape, in: mapping.bytes, isPart: true)
      size.removeAll(keepingCapacity: true)
      size.append(varint: UInt64(range.count))
      try parts.add(size.rawSpan, writer.out.rawSpan)
    }
    try parts.write(CompactForm.Section.parts, to: &sections, spill)
  }
}
