internal import FuseDBFormat

/// The section `HASH` of the compact form: pilots and checks as in version 2, and slots that hold a place and a tag. See
/// spec/extension.md §5.
struct CompactSlots: Sendable {
  /// The offset of each field.
  private enum Field {
    static let seed = 0
    static let pilotLineCount = 8
    static let partCount = 16
    static let linesPerPart = 24
    static let partShift = 32
    static let slotsPerLine = 33
    static let checksum = 60
  }

  /// What is left of a slot of 32 bits for the tag, at least; where it were less, slots have 40 bits.
  private static let leastTagBits = 4
  private static let lineByteCount = HashSection.lineByteCount

  let seed: UInt64
  let pilotLineCount: UInt64
  let partCount: UInt64
  let linesPerPart: UInt64
  let partShift: UInt64
  let slotsPerLine: UInt64
  /// Whether slots have 40 bits.
  let isWide: Bool
  let tagBits: UInt64
  /// Where the lines of pilots begin, and those of slots.
  let pilots: Int
  let slots: Int

  var slotLineCount: UInt64 { partCount &* linesPerPart }
  /// What a slot holds that no key has. No place is like this: an entry has two bytes at least, and ends in its block.
  var free: UInt64 { isWide ? 0xFF_FFFF_FFFF : 0xFFFF_FFFF }

  /// Reads the head and checks that lines fill the rest of the section. [X9]
  init(in range: Range<Int>, blockCount: Int, of file: RawSpan) throws(FuseError) {
    let section = file.extracting(range)
    let offset = range.lowerBound
    guard section.byteCount >= HashSection.byteCount else {
      throw .corrupted("the section HASH is too short for its head", at: offset)
    }
    guard
      Checksum.of(section.extracting(first: Field.checksum)) == section.loadInside(at: Field.checksum, as: UInt32.self)
    else { throw .corrupted("the head of HASH differs from its checksum", at: offset) }
    seed = section.loadInside(at: Field.seed, as: UInt64.self)
    pilotLineCount = section.loadInside(at: Field.pilotLineCount, as: UInt64.self)
    partCount = section.loadInside(at: Field.partCount, as: UInt64.self)
    linesPerPart = section.loadInside(at: Field.linesPerPart, as: UInt64.self)
    partShift = UInt64(section.loadInside(at: Field.partShift, as: UInt8.self))
    slotsPerLine = UInt64(section.loadInside(at: Field.slotsPerLine, as: UInt8.self))
    // How many bits a place has: those of the block's number, and eight of the offset in it.
    let blockBits = max(1, Int.bitWidth - max(0, blockCount - 1).leadingZeroBitCount)
    let placeBits = 8 + blockBits
    isWide = 32 - placeBits < Self.leastTagBits
    let lineCount = UInt64(section.byteCount / Self.lineByteCount) - 1
    let (slotLineCount, overflow) = partCount.multipliedReportingOverflow(by: linesPerPart)
    guard placeBits <= 40, slotsPerLine == (isWide ? 12 : 15), partShift <= 32, pilotLineCount >= 1, partCount >= 1,
      linesPerPart >= 1, (pilotLineCount - 1) >> partShift < partCount, !overflow, pilotLineCount <= lineCount,
      slotLineCount == lineCount - pilotLineCount, section.byteCount % Self.lineByteCount == 0
    else { throw .corrupted("the fields of the head of HASH do not fit the section", at: offset) }
    tagBits = UInt64((isWide ? 40 : 32) - placeBits)
    pilots = offset + HashSection.byteCount
    slots = pilots + Int(pilotLineCount) * Self.lineByteCount
  }

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

  @inline(__always)
  func pilotPosition(of hash: UInt64) -> (line: UInt64, position: UInt64) {
    let product = hash.multipliedFullWidth(by: pilotLineCount)
    return (product.high, product.low.multipliedFullWidth(by: UInt64(HashSection.pilotsPerLine)).high)
  }

  /// The probe of a hash: its pilot is read, its slot is not.
  @inline(__always)
  func probe(of hash: UInt64, in file: RawSpan) -> Probe {
    let (line, position) = pilotPosition(of: hash)
    let pilot = file.loadInside(
      at: offset(ofPilotLine: line) &+ 2 &* Int(truncatingIfNeeded: position), as: UInt16.self)
    let mixed = (hash ^ UInt64(pilot)) &* 0x9E37_79B9_7F4A_7C15
    let product = mixed.multipliedFullWidth(by: linesPerPart)
    return Probe(
      pilotLine: line, slotLine: (line &>> partShift) &* linesPerPart &+ product.high,
      slot: product.low.multipliedFullWidth(by: slotsPerLine).high)
  }

  /// What a slot holds.
  @inline(__always)
  func slot(_ number: UInt64, ofLine line: UInt64, in file: RawSpan) -> UInt64 {
    let (at, number) = (offset(ofSlotLine: line), Int(truncatingIfNeeded: number))
    guard isWide else { return UInt64(file.loadInside(at: at &+ 4 &* number, as: UInt32.self)) }
    // The eight bytes that end with the slot's; the head stands before the first line.
    return file.loadInside(at: at &+ 5 &* number &- 3, as: UInt64.self) & 0xFF_FFFF_FFFF
  }

  /// What a slot at a place holds for a key of this hash.
  @inline(__always)
  func slot(place: UInt64, hash: UInt64) -> UInt64 { place &<< tagBits | tag(of: hash) }

  @inline(__always)
  func tag(of hash: UInt64) -> UInt64 { hash & (1 &<< tagBits &- 1) }

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

  func isSoundPilotLine(_ line: UInt64, in file: RawSpan) -> Bool {
    isSound(at: offset(ofPilotLine: line), number: line, checkBits: 16, in: file)
  }

  func isSoundSlotLine(_ line: UInt64, in file: RawSpan) -> Bool {
    isSound(at: offset(ofSlotLine: line), number: line, checkBits: 32, in: file)
  }

  /// Whether the lowest bits of the last word are the highest ones of the line's sum.
  private func isSound(at offset: Int, number: UInt64, checkBits: UInt64, in file: RawSpan) -> Bool {
    let line = file.extracting(offset..<offset &+ Self.lineByteCount)
    let mask: UInt64 = 1 << checkBits - 1
    let check = line.loadInside(at: Self.lineByteCount - 8, as: UInt64.self) & mask
    // SAFETY: the line has 64 bytes.
    return unsafe line.withUnsafeBytes { bytes in
      unsafe HashLine.sum(of: bytes.baseAddress!, without: mask, in: 7, number: number) >> (64 - checkBits) == check
    }
  }
}
