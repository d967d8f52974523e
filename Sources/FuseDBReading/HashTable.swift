public import CFuseIntrinsics
public import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// The exact-match index of a file, used in place. See spec/extension.md §5.
///
/// Three cache lines lead to an object: the pilots' (small enough to stay in the cache), the slots', and then, both at
/// once because the slot names both places, the key's entry and the object.
@safe
@usableFromInline struct HashTable: Sendable {
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
  @usableFromInline struct Way: Sendable {
    @usableFromInline var pilotLine: UInt64
    @usableFromInline var place: HashSection.Place

    @inlinable init(pilotLine: UInt64, place: HashSection.Place) {
      self.pilotLine = pilotLine
      self.place = place
    }
  }

  /// Asks for the line that holds a hash's pilot.
  @inline(__always)
  func prefetchPilot(of hash: UInt64) {
    unsafe fuse_prefetch(pilotLine(section.pilotPlace(of: hash).line))
  }

  /// The way of a hash to its slot: the pilot is read, the slot is not.
  @inline(__always)
  @inlinable func way(of hash: UInt64) -> Way {
    let (line, place) = section.pilotPlace(of: hash)
    let pilot = unsafe HashLine.pilot(place, of: pilotLine(line))
    return Way(pilotLine: line, place: section.place(of: hash, pilotLine: line, pilot: pilot))
  }

  /// Asks for the slot at the end of a way.
  @inline(__always)
  func prefetchSlot(_ way: Way) {
    unsafe fuse_prefetch(slotLine(way.place.line))
  }

  /// The slot at the end of a way.
  @inline(__always)
  @inlinable func slot(_ way: Way) -> HashLine.Slot {
    unsafe HashLine.slot(way.place.lane, of: slotLine(way.place.line), section.lanes)
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

  /// Whether the two lines of a way are what was written. [X16]
  @inline(__always)
  @inlinable func isSound(_ way: Way) -> Bool {
    unsafe HashLine.isSoundPilotLine(pilotLine(way.pilotLine), number: way.pilotLine)
      && HashLine.isSoundSlotLine(slotLine(way.place.line), number: way.place.line)
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
    let free = HashLine.Slot.free(section.lanes)
    var taken = 0
    for line in lines {
      guard line >= section.pilotLineCount else {
        guard isSoundPilotLine(line) else { return nil }
        continue
      }
      let number = line - section.pilotLineCount
      guard isSoundSlotLine(number) else { return nil }
      for lane in 0..<UInt64(section.lanes.rawValue)
      where unsafe HashLine.slot(lane, of: slotLine(number), section.lanes) != free {
        taken += 1
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
