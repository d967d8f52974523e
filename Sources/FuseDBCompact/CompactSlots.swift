internal import FuseDBFormat

/// The section `HASH` of the compact form: pilots and checks as in version 2, and slots that hold a place and a tag. See
/// spec/extension.md §5.
struct CompactSlots: Sendable {
  private static let lineByteCount = HashSection.lineByteCount

  let section: SlotSection
  /// Where the lines of pilots begin, and those of slots.
  let pilots: Int
  let slots: Int

  /// Reads the head and checks that lines fill the rest of the section. [X9]
  init(in range: Range<Int>, blockCount: Int, of file: RawSpan) throws(FuseError) {
    section = try SlotSection(
      parsing: file.extracting(range), at: range.lowerBound, blockCount: blockCount)
    pilots = range.lowerBound + HashSection.byteCount
    slots = pilots + Int(section.pilots.pilotLineCount) * Self.lineByteCount
  }

  /// Those of a file that has none, which nobody asks.
  init() { (section, pilots, slots) = (SlotSection(keyCount: 0, blockCount: 0, seed: 0), 0, 0) }

  /// Where the search for a hash ends.
  struct Probe: Equatable {
    var pilotLine: UInt64
    var slotLine: UInt64
    var slot: UInt64
  }

  /// Where a line of pilots begins.
  @inline(__always)
  func offset(ofPilotLine line: UInt64) -> Int { pilots &+ Int(truncatingIfNeeded: line) &* Self.lineByteCount }

  /// Where a line of slots begins.
  @inline(__always)
  func offset(ofSlotLine line: UInt64) -> Int { slots &+ Int(truncatingIfNeeded: line) &* Self.lineByteCount }

  /// The probe of a hash: its pilot is read, its slot is not.
  @inline(__always)
  func probe(of hash: UInt64, in file: RawSpan) -> Probe {
    let (line, position) = section.pilots.pilotPosition(of: hash)
    let pilot = file.loadInside(
      at: offset(ofPilotLine: line) &+ 2 &* Int(truncatingIfNeeded: position), as: UInt16.self)
    let slot = section.slotPositionInPart(of: hash, pilot: UInt64(pilot))
    let part = line &>> UInt64(section.pilots.partShift)
    return Probe(pilotLine: line, slotLine: part &* section.pilots.linesPerPart &+ slot.line, slot: slot.slot)
  }

  /// What a slot holds.
  @inline(__always)
  func slot(_ number: UInt64, ofLine line: UInt64, in file: RawSpan) -> UInt64 {
    let (at, number) = (offset(ofSlotLine: line), Int(truncatingIfNeeded: number))
    guard section.isWide else { return UInt64(file.loadInside(at: at &+ 4 &* number, as: UInt32.self)) }
    // The eight bytes that end with the slot's; the head stands before the first line.
    return file.loadInside(at: at &+ 5 &* number &- 3, as: UInt64.self) & 0xFF_FFFF_FFFF
  }

  // MARK: Checks

  /// Throws unless both lines of a probe are what was written. [X16]
  func check(_ probe: Probe, in file: RawSpan) throws(FuseError) {
    guard isSoundPilotLine(probe.pilotLine, in: file) else {
      throw .corrupted("a line of pilots differs from its check", at: offset(ofPilotLine: probe.pilotLine))
    }
    guard isSoundSlotLine(probe.slotLine, in: file) else {
      throw .corrupted("a line of slots differs from its check", at: offset(ofSlotLine: probe.slotLine))
    }
  }

  /// Whether both are.
  @inline(__always)
  func isSound(_ probe: Probe, in file: RawSpan) -> Bool {
    isSoundPilotLine(probe.pilotLine, in: file) && isSoundSlotLine(probe.slotLine, in: file)
  }

  @inline(__always)
  func isSoundPilotLine(_ line: UInt64, in file: RawSpan) -> Bool {
    // SAFETY: the line has 64 bytes.
    unsafe self.line(at: offset(ofPilotLine: line), in: file).withUnsafeBytes { bytes in
      unsafe HashLine.isSoundPilotLine(bytes.baseAddress!, number: line)
    }
  }

  @inline(__always)
  func isSoundSlotLine(_ line: UInt64, in file: RawSpan) -> Bool {
    // SAFETY: the line has 64 bytes.
    unsafe self.line(at: offset(ofSlotLine: line), in: file).withUnsafeBytes { bytes in
      unsafe HashLine.isSoundWideSlotLine(bytes.baseAddress!, number: line)
    }
  }

  @inline(__always)
  @_lifetime(copy file)
  private func line(at offset: Int, in file: RawSpan) -> RawSpan {
    file.extracting(offset..<offset &+ Self.lineByteCount)
  }
}
