internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// The slots that the keys of an index must have under the pilots of a table. [X10]
struct ExpectedSlots {
  private let lanes: HashSection.Lanes
  private let lines: ZeroedMemory
  /// Lines of which two keys want the same slot.
  private var contested: Set<UInt64> = []

  /// - Parameter keyCount: so many entries are there from the start of the index on.
  init(of table: HashTable, index: Range<Int>, keyCount: Int, in file: RawSpan) throws(FuseError) {
    lanes = table.section.lanes
    lines = try ZeroedMemory(byteCount: Int(table.section.slotLineCount) * HashSection.lineByteCount)
    let free = HashLine.Slot.free(lanes)
    for line in 0..<table.section.slotLineCount {
      for lane in 0..<Int(lanes.rawValue) { unsafe HashLine.set(free, lane: lane, of: place(of: line), lanes) }
    }
    let entries = file.extracting(first: index.upperBound)
    var offset = index.lowerBound
    for _ in 0..<keyCount {
      guard let entry = IndexEntry(at: offset, in: entries) else { break }
      let hash = entries.extracting(entry.keyRange).hash(seed: table.section.seed)
      let way = table.way(of: hash).place
      let wanted = HashLine.Slot(
        tag: HashLine.tag(of: hash), entry: UInt64(offset - index.lowerBound), object: entry.objectOffset)
      if slot(way.lane, line: way.line) == free {
        unsafe HashLine.set(wanted, lane: Int(way.lane), of: place(of: way.line), lanes)
      } else {
        contested.insert(way.line)
      }
      // What does not fit into a slot cannot stand there.
      if slot(way.lane, line: way.line) != wanted { contested.insert(way.line) }
      offset = entry.end
    }
  }

  /// Whether a line of the table has the slots that it must have.
  func agree(with table: HashTable, line: UInt64) -> Bool {
    guard !contested.contains(line) else { return false }
    return (0..<UInt64(lanes.rawValue)).allSatisfy { lane in
      table.slot(HashTable.Way(pilotLine: 0, place: HashSection.Place(line: line, lane: lane)))
        == slot(lane, line: line)
    }
  }

  private func slot(_ lane: UInt64, line: UInt64) -> HashLine.Slot {
    unsafe HashLine.slot(lane, of: place(of: line), lanes)
  }

  @unsafe
  private func place(of line: UInt64) -> UnsafeMutableRawPointer {
    // SAFETY: lines are below the table's count, for which there is room.
    unsafe lines.start + Int(line) * HashSection.lineByteCount
  }
}
