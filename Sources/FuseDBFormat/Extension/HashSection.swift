/// The header of the section `HASH`, and the rule that leads from a key's hash to its slot. See spec/extension.md §5.
@usableFromInline package struct HashSection: Equatable, Sendable {
  @inlinable package static var byteCount: Int { 64 }
  @inlinable package static var lineByteCount: Int { 64 }
  @inlinable package static var pilotsPerLine: Int { 31 }

  /// The offset of each field.
  enum Field {
    static let seed = 0
    static let pilotLineCount = 8
    static let partCount = 16
    static let linesPerPart = 24
    static let partShift = 32
    static let slotsPerLine = 33
    static let checksum = 60
  }

  /// How many slots a line has: 7 while the key index ends below 2^32, otherwise 5 with wider fields.
  @usableFromInline package enum SlotsPerLine: UInt8, Sendable {
    case seven = 7
    case five = 5
  }

  @usableFromInline package var seed: UInt64
  @usableFromInline package var pilotLineCount: UInt64
  @usableFromInline package var partCount: UInt64
  @usableFromInline package var linesPerPart: UInt64
  @usableFromInline package var partShift: UInt8
  @usableFromInline package var slotsPerLine: SlotsPerLine

  @inlinable package var slotLineCount: UInt64 { partCount &* linesPerPart }

  /// Lines of both tables.
  @inlinable package var lineCount: Int { Int(pilotLineCount &+ slotLineCount) }

  /// The section's length.
  package var sectionByteCount: Int {
    Self.byteCount + lineCount * Self.lineByteCount
  }

  package init(
    seed: UInt64, pilotLineCount: UInt64, partCount: UInt64, linesPerPart: UInt64, partShift: UInt8,
    slotsPerLine: SlotsPerLine
  ) {
    self.seed = seed
    self.pilotLineCount = pilotLineCount
    self.partCount = partCount
    self.linesPerPart = linesPerPart
    self.partShift = partShift
    self.slotsPerLine = slotsPerLine
  }

  /// Reads the header of a section and checks that the tables fill the rest of it. [X9]
  package init(parsing section: RawSpan, at offset: Int) throws(FuseError) {
    let (read, count) = try Self.read(section, at: offset)
    guard let slotsPerLine = SlotsPerLine(rawValue: count) else { throw Self.misfit(offset) }
    self = read
    self.slotsPerLine = slotsPerLine
  }

  /// The same of a section of any form, and how many slots its lines have; those of the result say nothing.
  static func read(_ section: RawSpan, at offset: Int) throws(FuseError) -> (HashSection, slotsPerLine: UInt8) {
    guard section.byteCount >= Self.byteCount else {
      throw .corrupted(
        "the hash section has \(counted(section.byteCount, "byte")) and its header \(Self.byteCount)", at: offset)
    }
    let checksum = Checksum.of(section.extracting(first: Field.checksum))
    let stored = section.loadInside(at: Field.checksum, as: UInt32.self)
    guard checksum == stored else {
      throw .corrupted(
        "the checksum of the hash section's header is \(checksum.hexadecimal) and it says \(stored.hexadecimal)",
        at: offset)
    }
    let read = HashSection(
      seed: section.loadInside(at: Field.seed, as: UInt64.self),
      pilotLineCount: section.loadInside(at: Field.pilotLineCount, as: UInt64.self),
      partCount: section.loadInside(at: Field.partCount, as: UInt64.self),
      linesPerPart: section.loadInside(at: Field.linesPerPart, as: UInt64.self),
      partShift: section.loadInside(at: Field.partShift, as: UInt8.self), slotsPerLine: .seven)
    let lineCount = UInt64(section.byteCount / Self.lineByteCount) - 1
    let (slotLineCount, overflow) = read.partCount.multipliedReportingOverflow(by: read.linesPerPart)
    guard read.partShift <= 32, read.pilotLineCount >= 1, read.partCount >= 1, read.linesPerPart >= 1,
      (read.pilotLineCount - 1) >> UInt64(read.partShift) < read.partCount, !overflow,
      read.pilotLineCount <= lineCount, slotLineCount == lineCount - read.pilotLineCount,
      section.byteCount % Self.lineByteCount == 0
    else { throw misfit(offset) }
    return (read, section.loadInside(at: Field.slotsPerLine, as: UInt8.self))
  }

  static func misfit(_ offset: Int) -> FuseError {
    .corrupted("the fields of the hash section's header do not fit the section", at: offset)
  }

  /// The 64 bytes of the header.
  package var bytes: [UInt8] { bytes(slotsPerLine: slotsPerLine.rawValue) }

  /// The same with lines of another form.
  func bytes(slotsPerLine: UInt8) -> [UInt8] {
    var out: [UInt8] = []
    out.append(bigEndian: seed)
    out.append(bigEndian: pilotLineCount)
    out.append(bigEndian: partCount)
    out.append(bigEndian: linesPerPart)
    out.append(partShift)
    out.append(slotsPerLine)
    out += [UInt8](repeating: 0, count: Field.checksum - out.count)
    out.append(bigEndian: Checksum.of(out.rawSpan))
    return out
  }

  /// Where the pilot of a hash is: its line, below `pilotLineCount`, and its position there, below 31.
  @inlinable
  @inline(__always)
  package func pilotPosition(of hash: UInt64) -> (line: UInt64, position: UInt64) {
    let product = hash.multipliedFullWidth(by: pilotLineCount)
    return (product.high, product.low.multipliedFullWidth(by: UInt64(Self.pilotsPerLine)).high)
  }

  /// Where a slot stands: its line, counted over all parts, and its number in the line.
  @usableFromInline package struct SlotPosition: Equatable, Sendable {
    @usableFromInline package var line: UInt64
    @usableFromInline package var slot: UInt64

    @inlinable
    package init(line: UInt64, slot: UInt64) {
      self.line = line
      self.slot = slot
    }
  }

  /// The slot of a hash inside its part, given its pilot.
  @inlinable
  @inline(__always)
  package func slotPositionInPart(of hash: UInt64, pilot: UInt64) -> SlotPosition {
    let mixed = (hash ^ pilot) &* 0x9E37_79B9_7F4A_7C15
    let product = mixed.multipliedFullWidth(by: linesPerPart)
    // A constant factor is two shifts and an addition; so the choice of one costs less than the factor from memory.
    let slot = product.low.multipliedFullWidth(by: UInt64(slotsPerLine.rawValue)).high
    return SlotPosition(line: product.high, slot: slot)
  }

  /// The slot of a hash: its line below `slotLineCount`, its number in the line below `slotsPerLine`.
  @inlinable
  @inline(__always)
  package func slotPosition(of hash: UInt64, pilotLine: UInt64, pilot: UInt64) -> SlotPosition {
    var position = slotPositionInPart(of: hash, pilot: pilot)
    position.line &+= (pilotLine &>> UInt64(partShift)) &* linesPerPart
    return position
  }
}

extension HashSection {
  /// The number of a hash's bucket: that of its pilot.
  @inlinable
  @inline(__always)
  package func bucket(of hash: UInt64) -> Int {
    let (line, position) = pilotPosition(of: hash)
    return Int(truncatingIfNeeded: line) &* Self.pilotsPerLine &+ Int(truncatingIfNeeded: position)
  }

  /// The lines of the pilots of some parts.
  package func pilotLines(ofParts parts: Range<Int>) -> Range<Int> {
    parts.lowerBound << Int(partShift)..<min(parts.upperBound << Int(partShift), Int(pilotLineCount))
  }

  /// The hashes whose pilots stand in some lines, at least one.
  package func hashes(ofPilotLines lines: Range<Int>) -> ClosedRange<UInt64> {
    firstHash(ofPilotLine: UInt64(lines.lowerBound))...(firstHash(ofPilotLine: UInt64(lines.upperBound)) &- 1)
  }

  /// The smallest hash that leads to a line or to one after it; for the line after the last, 0, as if it were 2^64.
  private func firstHash(ofPilotLine line: UInt64) -> UInt64 {
    guard line < pilotLineCount else { return 0 }
    let (quotient, remainder) = pilotLineCount.dividingFullWidth((line, 0))
    return remainder == 0 ? quotient : quotient + 1
  }
}

extension HashSection {
  /// Keys that share a pilot, on average: more of them make the pilots' table smaller and the search for pilots longer.
  private static let keysPerPilot = 5
  private static let partShiftOfBuilder: UInt8 = 5
  /// Pilot lines of a part in a section of more than one.
  static let pilotLinesPerPart = 1 << Int(partShiftOfBuilder)
  /// Keys of a part, on average: few enough for its table of taken slots to fit into the first-level cache and for a
  /// last part that is not full to waste little, enough for parts to differ little in size.
  package static let keysPerPart = pilotLinesPerPart * pilotsPerLine * keysPerPilot

  /// The canonical section for so many keys. [X11]
  package init(keyCount: Int, slotsPerLine: SlotsPerLine, seed: UInt64) {
    self.init(keyCount: keyCount, slotCountPerLine: Int(slotsPerLine.rawValue), seed: seed)
    self.slotsPerLine = slotsPerLine
  }

  /// The same with lines of any form; what the result says of slots is then not used. [X11]
  init(keyCount: Int, slotCountPerLine: Int, seed: UInt64) {
    let isOnePart = keyCount <= Self.keysPerPart
    let partCount = isOnePart ? 1 : keyCount.dividedRoundingUp(by: Self.keysPerPart)
    let pilotLineCount =
      isOnePart
      ? max(1, keyCount.dividedRoundingUp(by: Self.pilotsPerLine * Self.keysPerPilot))
      : partCount * Self.pilotLinesPerPart
    // Nine of ten slots are taken.
    let linesPerPart = max(1, (10 * keyCount).dividedRoundingUp(by: 9 * partCount * slotCountPerLine))
    self.init(
      seed: seed, pilotLineCount: UInt64(pilotLineCount), partCount: UInt64(partCount),
      linesPerPart: UInt64(linesPerPart), partShift: Self.partShiftOfBuilder, slotsPerLine: .seven)
  }
}

extension Int {
  fileprivate func dividedRoundingUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
}

/// One row of the section `ORDR`: where a stride of index entries begins, and its checksum. See spec/extension.md §6.
@usableFromInline package enum StrideRow {
  @inlinable package static var byteCount: Int { 12 }
  /// How many entries a stride has; the last may have fewer.
  @inlinable package static var entryCount: Int { 32 }

  /// How many strides so many keys make. [X12]
  package static func count(keyCount: Int) -> Int { (keyCount + entryCount - 1) / entryCount }

  /// The checksum of a stride's entries under its number.
  @inlinable
  @inline(__always)
  package static func checksum(of entries: RawSpan, number: Int) -> UInt32 {
    var checksum = Checksum(continuing: Checksum.ofNumber(UInt64(number)))
    checksum.update(entries)
    return checksum.value
  }
}

extension Checksum {
  /// The checksum of a number's eight bytes.
  @inline(__always)
  @inlinable static func ofNumber(_ number: UInt64) -> UInt32 {
    unsafe withUnsafeBytes(of: number.bigEndian) { bytes in
      // SAFETY: the span ends before the closure does.
      of(unsafe RawSpan(_unsafeBytes: bytes))
    }
  }

  /// The checksum of the eight bytes of each of two numbers.
  static func of(_ first: UInt64, _ second: UInt64) -> UInt32 {
    unsafe withUnsafeBytes(of: (first.bigEndian, second.bigEndian)) { bytes in
      // SAFETY: the span ends before the closure does.
      of(unsafe RawSpan(_unsafeBytes: bytes))
    }
  }
}
