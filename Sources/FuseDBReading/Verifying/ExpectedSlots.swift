internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// The slots that the keys of an index must have under the pilots of a table. [X10]
struct ExpectedSlots {
  private let slotsPerLine: HashSection.SlotsPerLine
  private let lines: ZeroedMemory
  /// Lines of which two keys want the same slot.
  private var contested: Set<UInt64> = []

  /// - Parameter keyCount: so many entries are there from the start of the index on.
  init(of table: HashSectionTable, index: Range<Int>, keyCount: Int, in file: RawSpan) throws(FuseError) {
    slotsPerLine = table.section.slotsPerLine
    lines = try ZeroedMemory(byteCount: Int(table.section.slotLineCount) * HashSection.lineByteCount)
    // SAFETY: there is room for all lines of the table; lines and slots, those of a probe too, are below its counts.
    let free = HashLine.Slot.free(slotsPerLine)
    for line in 0..<table.section.slotLineCount {
      for slotNumber in 0..<Int(slotsPerLine.rawValue) {
        unsafe HashLine.set(free, slotNumber: slotNumber, of: start(of: line), slotsPerLine)
      }
    }
    let entries = file.extracting(first: index.upperBound)
    var offset = index.lowerBound
    for _ in 0..<keyCount {
      guard let entry = IndexEntry(at: offset, in: entries) else { break }
      let hash = entries.extracting(entry.keyRange).hash(seed: table.section.seed)
      let position = table.probe(of: hash).position
      let wanted = HashLine.Slot(
        tag: HashLine.tag(of: hash), entry: UInt64(offset - index.lowerBound), object: entry.objectOffset)
      if slot(position.slot, line: position.line) == free {
        unsafe HashLine.set(wanted, slotNumber: Int(position.slot), of: start(of: position.line), slotsPerLine)
      } else {
        contested.insert(position.line)
      }
      // What does not fit into a slot cannot stand there.
      if slot(position.slot, line: position.line) != wanted { contested.insert(position.line) }
      offset = entry.end
    }
  }

  /// Whether a line of the table has the slots that it must have.
  func agree(with table: HashSectionTable, line: UInt64) -> Bool {
    guard !contested.contains(line) else { return false }
    return (0..<UInt64(slotsPerLine.rawValue)).allSatisfy { slotNumber in
      table.slot(HashSectionTable.Probe(pilotLine: 0, position: HashSection.SlotPosition(line: line, slot: slotNumber)))
        == slot(slotNumber, line: line)
    }
  }

  private func slot(_ slotNumber: UInt64, line: UInt64) -> HashLine.Slot {
    // SAFETY: `start` gives a line of 64 bytes, and slot numbers are below `slotsPerLine`.
    unsafe HashLine.slot(slotNumber, of: start(of: line), slotsPerLine)
  }

  @unsafe
  private func start(of line: UInt64) -> UnsafeMutableRawPointer {
    // SAFETY: lines are below the table's count, for which there is room.
    unsafe lines.start + Int(line) * HashSection.lineByteCount
  }
}
