internal import FuseDBFormat

/// What pilots lead to: lines of slots, in one of the forms of the section `HASH`. Pilots and seeds are the same for all. See
/// spec/extension.md §5.
protocol SlotTable: Sendable {
  /// A bit for each slot of a line.
  associatedtype TakenSlots: FixedWidthInteger & UnsignedInteger & BitwiseCopyable

  /// What leads from hashes to pilots, and how many lines there are.
  var pilots: HashSection { get }
  /// How many slots a line has.
  var slotCountPerLine: Int { get }
  /// The 64 bytes of the section's head.
  var bytes: [UInt8] { get }
  /// The slot of a hash inside its part, given its pilot.
  func slotPositionInPart(of hash: UInt64, pilot: UInt64) -> HashSection.SlotPosition
  /// Puts a key into a slot of a line; the check comes when the line is complete.
  @unsafe func set(_ record: HashRecord, slot: UInt64, of line: UnsafeMutableRawPointer)
  /// Makes all slots of some lines free, at least one line.
  @unsafe func clear(_ lines: UnsafeMutableRawPointer, lineCount: Int)
  /// Completes a line of slots.
  @unsafe static func sealSlotLine(_ line: UnsafeMutableRawPointer, number: UInt64)
}

extension SlotTable {
  /// More keys share no pilot. [X11]
  static var mostKeysInBucket: Int { 255 }
  var linesPerPart: Int { Int(pilots.linesPerPart) }
}

extension HashSection: SlotTable {
  typealias TakenSlots = UInt8
  var pilots: HashSection { self }
  var slotCountPerLine: Int { Int(slotsPerLine.rawValue) }

  // SAFETY: the caller's lines have 64 bytes each, and are as many as it says.
  @inline(__always)
  @unsafe
  func set(_ record: HashRecord, slot: UInt64, of line: UnsafeMutableRawPointer) {
    unsafe HashLine.set(
      .init(tag: HashLine.tag(of: record.hash), entry: record.entry, object: record.object),
      slotNumber: Int(truncatingIfNeeded: slot), of: line, slotsPerLine)
  }

  // SAFETY: the caller's lines have 64 bytes each, and are as many as it says.
  @unsafe
  func clear(_ lines: UnsafeMutableRawPointer, lineCount: Int) {
    unsafe lines.initializeMemory(as: UInt8.self, repeating: 0, count: Self.lineByteCount)
    let free = HashLine.Slot.free(slotsPerLine)
    for number in 0..<slotCountPerLine { unsafe HashLine.set(free, slotNumber: number, of: lines, slotsPerLine) }
    for line in 1..<max(1, lineCount) {
      unsafe (lines + line * Self.lineByteCount).copyMemory(from: lines, byteCount: Self.lineByteCount)
    }
  }

  // SAFETY: the caller's lines have 64 bytes each, and are as many as it says.
  @unsafe
  static func sealSlotLine(_ line: UnsafeMutableRawPointer, number: UInt64) {
    unsafe HashLine.sealSlotLine(line, number: number)
  }
}

extension SlotSection: SlotTable {
  typealias TakenSlots = UInt16
  var slotCountPerLine: Int { Int(slotsPerLine) }

  // SAFETY: the caller's lines have 64 bytes each, and are as many as it says.
  @inline(__always)
  @unsafe
  func set(_ record: HashRecord, slot: UInt64, of line: UnsafeMutableRawPointer) {
    unsafe HashLine.put(
      content(place: record.entry, hash: record.hash), at: Int(truncatingIfNeeded: slot) &* slotByteCount,
      byteCount: slotByteCount, of: line)
  }

  // SAFETY: the caller's lines have 64 bytes each, and are as many as it says.
  @unsafe
  func clear(_ lines: UnsafeMutableRawPointer, lineCount: Int) {
    // All ones are a free slot. The checks come to stand in bytes of their own.
    unsafe lines.initializeMemory(as: UInt8.self, repeating: 0xFF, count: lineCount * HashSection.lineByteCount)
  }

  // SAFETY: the caller's lines have 64 bytes each, and are as many as it says.
  @unsafe
  static func sealSlotLine(_ line: UnsafeMutableRawPointer, number: UInt64) {
    unsafe HashLine.sealWideSlotLine(line, number: number)
  }
}
