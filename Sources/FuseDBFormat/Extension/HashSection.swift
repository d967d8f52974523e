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
    seed = section.loadInside(at: Field.seed, as: UInt64.self)
    pilotLineCount = section.loadInside(at: Field.pilotLineCount, as: UInt64.self)
    partCount = section.loadInside(at: Field.partCount, as: UInt64.self)
    linesPerPart = section.loadInside(at: Field.linesPerPart, as: UInt64.self)
    partShift = section.loadInside(at: Field.partShift, as: UInt8.self)
    let lineCount = UInt64(section.byteCount / Self.lineByteCount) - 1
    let (slotLineCount, overflow) = partCount.multipliedReportingOverflow(by: linesPerPart)
    guard let slotsPerLine = SlotsPerLine(rawValue: section.loadInside(at: Field.slotsPerLine, as: UInt8.self)),
      partShift <= 32,
      pilotLineCount >= 1, partCount >= 1, linesPerPart >= 1, (pilotLineCount - 1) >> UInt64(partShift) < partCount,
      !overflow, pilotLineCount <= lineCount, slotLineCount == lineCount - pilotLineCount,
      section.byteCount % Self.lineByteCount == 0
    else { throw .corrupted("the fields of the hash section's header do not fit the section", at: offset) }
    self.slotsPerLine = slotsPerLine
  }

  /// The 64 bytes of the header.
  package var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(bigEndian: seed)
    out.append(bigEndian: pilotLineCount)
    out.append(bigEndian: partCount)
    out.append(bigEndian: linesPerPart)
    out.append(partShift)
    out.append(slotsPerLine.rawValue)
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
