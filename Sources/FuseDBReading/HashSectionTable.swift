public import CFuseIntrinsics
public import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

// SAFETY: the numbers of lines come from the section's own rules, or are below its counts; its header was checked to
// fit the range. An entry is read after its end was compared with the index. The reader keeps the mapping.
/// The exact-match index of a file, used in place. See spec/extension.md §5.
///
/// Three cache lines lead to an object: the pilots' (small enough to stay in the cache), the slots', and then, both at
/// once because the slot gives both offsets, those of the key's entry and the object.
@safe
@usableFromInline struct HashSectionTable: Sendable {
  @usableFromInline let section: HashSection
  /// Where the section begins in the file.
  let offset: Int
  // SAFETY: all three point into the mapping that the reader keeps as long as this table: the lines of pilots and of
  // slots, whose numbers the section's header was checked to fit; and the key index, of `indexByteCount` bytes.
  @usableFromInline nonisolated(unsafe) let pilots: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let slots: UnsafeRawPointer
  @usableFromInline nonisolated(unsafe) let index: UnsafeRawPointer
  @usableFromInline let indexByteCount: UInt64

  /// The table in `range` of a file. [X9]
  init(in range: Range<Int>, of mapping: FileMapping, index: Range<Int>) throws(FuseError) {
    let file = mapping.bytes
    offset = range.lowerBound
    section = try HashSection(parsing: file.extracting(range), at: range.lowerBound)
    // SAFETY: both ranges lie inside the file, and the lines inside the section.
    let base = unsafe file.withUnsafeBytes { $0.baseAddress! }
    unsafe pilots = base + range.lowerBound + HashSection.byteCount
    unsafe slots = pilots + Int(section.pilotLineCount) * HashSection.lineByteCount
    unsafe self.index = base + index.lowerBound
    indexByteCount = UInt64(index.count)
  }

  /// Where the search for a hash ends.
  @usableFromInline struct Probe: Sendable {
    @usableFromInline var pilotLine: UInt64
    @usableFromInline var position: HashSection.SlotPosition

    @inlinable init(pilotLine: UInt64, position: HashSection.SlotPosition) {
      self.pilotLine = pilotLine
      self.position = position
    }
  }

  /// Asks for the line that holds a hash's pilot.
  @inlinable
  @inline(__always)
  func prefetchPilot(of hash: UInt64) {
    unsafe fuse_prefetch(pilotLine(section.pilotPosition(of: hash).line))
  }

  /// The probe of a hash: the pilot is read, the slot is not.
  @inline(__always)
  @inlinable func probe(of hash: UInt64) -> Probe {
    let (line, position) = section.pilotPosition(of: hash)
    let pilot = unsafe HashLine.pilot(position, of: pilotLine(line))
    return Probe(pilotLine: line, position: section.slotPosition(of: hash, pilotLine: line, pilot: pilot))
  }

  /// Asks for the slot at the end of a probe.
  @inline(__always)
  func prefetchSlot(_ probe: Probe) {
    unsafe fuse_prefetch(slotLine(probe.position.line))
  }

  /// The slot at the end of a probe.
  @inline(__always)
  @inlinable func slot(_ probe: Probe) -> HashLine.Slot {
    unsafe HashLine.slot(probe.position.slot, of: slotLine(probe.position.line), section.slotsPerLine)
  }

  /// Asks for the entry that a slot names.
  @inline(__always)
  func prefetchEntry(of slot: HashLine.Slot) {
    unsafe fuse_prefetch_address(UInt(bitPattern: index) &+ UInt(truncatingIfNeeded: slot.entry))
  }

  /// What the entry that a slot names says about a key.
  @usableFromInline enum Finding {
    /// The key is there, and both say where its object is.
    case found
    /// There is another key, or no entry.
    case other
    /// The key is there, with another object than the slot says.
    case contradiction
  }

  /// Compares a key with the entry that a slot names.
  ///
  /// - Parameter isFlat: whether many look-ups are on their way at once, so that a branch costs more than a few
  ///   instructions.
  @inline(__always)
  @inlinable func compare(_ key: RawSpan, with slot: HashLine.Slot, isFlat: Bool = false) -> Finding {
    let count = key.byteCount
    let end = slot.entry &+ UInt64(truncatingIfNeeded: count &+ IndexEntry.overhead)
    guard end <= indexByteCount else { return .other }
    // SAFETY: an entry with a key of `count` bytes lies inside the index, as was just checked; the number in the slot is
    // far from overflow.
    let entry = unsafe index + Int(truncatingIfNeeded: slot.entry)
    let stored = unsafe UInt16(bigEndian: entry.loadUnaligned(as: UInt16.self))
    let isEqual = unsafe key.withUnsafeBytes { key in
      unsafe isFlat
        ? fuse_equal_flat(key.baseAddress, entry + 2, count) : fuse_equal(key.baseAddress, entry + 2, count)
    }
    guard Int(stored) == count, isEqual else { return .other }
    let object = unsafe UInt64(bigEndian: entry.loadUnaligned(fromByteOffset: count &+ 2, as: UInt64.self))
    return object == slot.object ? .found : .contradiction
  }

  // MARK: Lines

  /// How much memory the pilots take.
  var pilotByteCount: Int { Int(section.pilotLineCount) * HashSection.lineByteCount }

  /// Whether the two lines of a probe are what was written. [X16]
  @inline(__always)
  @inlinable func isSound(_ probe: Probe) -> Bool {
    unsafe HashLine.isSoundPilotLine(pilotLine(probe.pilotLine), number: probe.pilotLine)
      && HashLine.isSoundSlotLine(slotLine(probe.position.line), number: probe.position.line)
  }

  /// Whether a line of pilots is what was written.
  func isSoundPilotLine(_ number: UInt64) -> Bool {
    unsafe HashLine.isSoundPilotLine(pilotLine(number), number: number)
  }

  /// Whether a line of slots is what was written.
  func isSoundSlotLine(_ number: UInt64) -> Bool { unsafe HashLine.isSoundSlotLine(slotLine(number), number: number) }

  /// Where a line of pilots begins in the file.
  func offset(ofPilotLine line: UInt64) -> Int {
    offset + HashSection.byteCount + Int(line) * HashSection.lineByteCount
  }

  /// Where a line of slots begins in the file.
  func offset(ofSlotLine line: UInt64) -> Int { offset(ofPilotLine: section.pilotLineCount + line) }

  /// How many slots of some lines, counted over both tables, are taken; nil when a line is not what was written.
  func takenSlots(inLines lines: Range<UInt64>) -> Int? {
    let free = HashLine.Slot.free(section.slotsPerLine)
    var taken = 0
    for line in lines {
      guard line >= section.pilotLineCount else {
        guard isSoundPilotLine(line) else { return nil }
        continue
      }
      let number = line - section.pilotLineCount
      guard isSoundSlotLine(number) else { return nil }
      for slotNumber in 0..<UInt64(section.slotsPerLine.rawValue) {
        let slot = unsafe HashLine.slot(slotNumber, of: slotLine(number), section.slotsPerLine)
        // Without a branch: which slots are free cannot be guessed.
        let difference = (slot.tag ^ free.tag) | (slot.entry ^ free.entry) | (slot.object ^ free.object)
        taken &+= difference == 0 ? 0 : 1
      }
    }
    return taken
  }

  @inline(__always)
  @unsafe
  @inlinable func pilotLine(_ number: UInt64) -> UnsafeRawPointer {
    // SAFETY: the rule gives numbers below pilotLineCount.
    unsafe pilots + Int(truncatingIfNeeded: number) &* HashSection.lineByteCount
  }

  @inline(__always)
  @unsafe
  @inlinable func slotLine(_ number: UInt64) -> UnsafeRawPointer {
    // SAFETY: the rule gives numbers below slotLineCount, because the last pilot line belongs to the last part.
    unsafe slots + Int(truncatingIfNeeded: number) &* HashSection.lineByteCount
  }
}
