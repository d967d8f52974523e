// SAFETY: callers pass a line of 64 bytes, slot numbers below `slotsPerLine` and positions of pilots below 31. All
// fields of such numbers end inside the line, and words are eight.
/// A line of 64 bytes of the section `HASH`: fields and check. See spec/extension.md §5.
///
/// All functions take a pointer to 64 readable (where they write, writable) bytes.
@usableFromInline package enum HashLine {
  /// What a slot says.
  @usableFromInline package struct Slot: Equatable, Sendable {
    /// The lowest bits of its key's hash.
    @usableFromInline package var tag: UInt64
    /// Where its key's entry begins, from the start of the key index.
    @usableFromInline package var entry: UInt64
    /// The object offset of that entry.
    @usableFromInline package var object: UInt64

    @inlinable
    package init(tag: UInt64, entry: UInt64, object: UInt64) {
      self.tag = tag
      self.entry = entry
      self.object = object
    }

    /// A slot that no key has.
    @inlinable package static func free(_ slotsPerLine: HashSection.SlotsPerLine) -> Slot {
      Slot(tag: 0, entry: freeEntry(slotsPerLine), object: 0)
    }
  }

  @inlinable static var tagBits: UInt64 { 6 }
  @inlinable static var tagMask: UInt64 { 1 << tagBits - 1 }
  @inlinable static var checkShift: UInt64 { 42 }
  @inlinable static var entries: Int { 8 }
  @inlinable static var objectsOfSeven: Int { 36 }
  @inlinable static var objectsOfFive: Int { 33 }

  /// The tag of a hash.
  @inlinable
  @inline(__always)
  package static func tag(of hash: UInt64) -> UInt64 { hash & tagMask }

  /// The entry of a free slot.
  @inlinable package static func freeEntry(_ slotsPerLine: HashSection.SlotsPerLine) -> UInt64 {
    slotsPerLine == .seven ? 0xFFFF_FFFF : 0xFF_FFFF_FFFF
  }

  /// Reads a slot.
  /// - Parameter slotNumber: below `slotsPerLine`.
  @inlinable
  @inline(__always)
  @unsafe
  package static func slot(_ slotNumber: UInt64, of line: UnsafeRawPointer, _ slotsPerLine: HashSection.SlotsPerLine)
    -> Slot
  {
    let slotNumber = Int(truncatingIfNeeded: slotNumber)
    let tag = unsafe number(at: 0, of: line, as: UInt64.self) &>> (tagBits &* UInt64(slotNumber)) & tagMask
    guard slotsPerLine == .seven else {
      // The eight bytes that end with the field's: inside the line for every slot.
      let entry = unsafe number(at: entries &+ 5 &* slotNumber &- 3, of: line, as: UInt64.self) & 0xFF_FFFF_FFFF
      let object =
        unsafe number(at: objectsOfFive &+ 6 &* slotNumber &- 2, of: line, as: UInt64.self) & 0xFFFF_FFFF_FFFF
      return Slot(tag: tag, entry: entry, object: object)
    }
    return Slot(
      tag: tag, entry: UInt64(unsafe number(at: entries &+ 4 &* slotNumber, of: line, as: UInt32.self)),
      object: UInt64(unsafe number(at: objectsOfSeven &+ 4 &* slotNumber, of: line, as: UInt32.self)))
  }

  /// Reads a pilot.
  /// - Parameter position: below 31.
  @inlinable
  @inline(__always)
  @unsafe
  package static func pilot(_ position: UInt64, of line: UnsafeRawPointer) -> UInt64 {
    UInt64(unsafe number(at: 2 &* Int(truncatingIfNeeded: position), of: line, as: UInt16.self))
  }

  /// Whether the check of a line of slots is right.
  @inlinable
  @inline(__always)
  @unsafe
  package static func isSoundSlotLine(_ line: UnsafeRawPointer, number lineNumber: UInt64) -> Bool {
    let word = unsafe number(at: 0, of: line, as: UInt64.self)
    return unsafe sum(of: line, without: ~0 << checkShift, in: 0, number: lineNumber) &>> checkShift
      == word &>> checkShift
  }

  /// Whether the check of a line of pilots is right.
  @inlinable
  @inline(__always)
  @unsafe
  package static func isSoundPilotLine(_ line: UnsafeRawPointer, number lineNumber: UInt64) -> Bool {
    let word = unsafe number(at: 56, of: line, as: UInt64.self)
    return unsafe sum(of: line, without: 0xFFFF, in: 7, number: lineNumber) &>> 48 == word & 0xFFFF
  }

  // MARK: Writing

  /// Writes a slot; the check comes when the line is complete.
  @inlinable
  @unsafe
  package static func set(
    _ slot: Slot, slotNumber: Int, of line: UnsafeMutableRawPointer, _ slotsPerLine: HashSection.SlotsPerLine
  ) {
    let shift = tagBits * UInt64(slotNumber)
    let word = unsafe number(at: 0, of: line, as: UInt64.self)
    unsafe put(word & ~(tagMask << shift) | slot.tag << shift, at: 0, byteCount: 8, of: line)
    let (width, objects, objectWidth) = slotsPerLine == .seven ? (4, objectsOfSeven, 4) : (5, objectsOfFive, 6)
    unsafe put(slot.entry, at: entries + width * slotNumber, byteCount: width, of: line)
    unsafe put(slot.object, at: objects + objectWidth * slotNumber, byteCount: objectWidth, of: line)
  }

  /// Writes a pilot; the check comes when the line is complete.
  @inlinable
  @unsafe
  package static func set(pilot: UInt16, position: Int, of line: UnsafeMutableRawPointer) {
    unsafe put(UInt64(pilot), at: 2 * position, byteCount: 2, of: line)
  }

  /// Completes a line of slots.
  @inlinable
  @unsafe
  package static func sealSlotLine(_ line: UnsafeMutableRawPointer, number lineNumber: UInt64) {
    let word = unsafe number(at: 0, of: line, as: UInt64.self) & ~(~0 << checkShift)
    let sum = unsafe sum(of: line, without: ~0 << checkShift, in: 0, number: lineNumber)
    unsafe put(word | sum & ~0 << checkShift, at: 0, byteCount: 8, of: line)
  }

  /// Completes a line of pilots.
  @inlinable
  @unsafe
  package static func sealPilotLine(_ line: UnsafeMutableRawPointer, number lineNumber: UInt64) {
    let sum = unsafe sum(of: line, without: 0xFFFF, in: 7, number: lineNumber)
    unsafe put(sum >> 48, at: 62, byteCount: 2, of: line)
  }

  /// Completes a line of slots of a compact file, whose check are its last four bytes.
  @inlinable
  @unsafe
  package static func sealWideSlotLine(_ line: UnsafeMutableRawPointer, number lineNumber: UInt64) {
    let sum = unsafe sum(of: line, without: 0xFFFF_FFFF, in: 7, number: lineNumber)
    unsafe put(sum >> 32, at: 60, byteCount: 4, of: line)
  }

  /// Whether the check of such a line is right.
  @inlinable
  @inline(__always)
  @unsafe
  package static func isSoundWideSlotLine(_ line: UnsafeRawPointer, number lineNumber: UInt64) -> Bool {
    let word = unsafe number(at: 56, of: line, as: UInt64.self)
    return unsafe sum(of: line, without: 0xFFFF_FFFF, in: 7, number: lineNumber) &>> 32 == word & 0xFFFF_FFFF
  }

  // MARK: Numbers

  /// The number whose upper bits are the check, without the check's own bits, which `mask` names in a `word`.
  @inlinable
  @inline(__always)
  @unsafe
  package static func sum(
    of line: UnsafeRawPointer, without mask: UInt64, in word: Int, number lineNumber: UInt64
  ) -> UInt64 {
    var sum = (lineNumber &+ 1) &* 0x1F72_BC49
    unsafe sum &+= (little(0, of: line) & (word == 0 ? ~mask.byteSwapped : ~0)) &* 0x7110_541D
    unsafe sum &+= little(1, of: line) &* 0x373C_4F35
    unsafe sum &+= little(2, of: line) &* 0x0362_2E8D
    unsafe sum &+= little(3, of: line) &* 0x7C45_DC55
    unsafe sum &+= little(4, of: line) &* 0x0D9C_C4B5
    unsafe sum &+= little(5, of: line) &* 0x29E5_CF87
    unsafe sum &+= little(6, of: line) &* 0x1641_4D5F
    unsafe sum &+= (little(7, of: line) & (word == 7 ? ~mask.byteSwapped : ~0)) &* 0x62C2_099D
    return sum &* 0x9E37_79B9_7F4A_7C15
  }

  @inlinable
  @inline(__always)
  @unsafe
  package static func little(_ word: Int, of line: UnsafeRawPointer) -> UInt64 {
    UInt64(littleEndian: unsafe line.loadUnaligned(fromByteOffset: 8 &* word, as: UInt64.self))
  }

  @inlinable
  @inline(__always)
  @unsafe
  package static func number<T: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, of line: UnsafeRawPointer, as type: T.Type
  ) -> T {
    T(bigEndian: unsafe line.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  @inlinable
  @unsafe
  @inline(__always)
  package static func put(_ value: UInt64, at offset: Int, byteCount: Int, of line: UnsafeMutableRawPointer) {
    if byteCount == 8 { return unsafe line.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt64.self) }
    if byteCount == 4 {
      let value = UInt32(truncatingIfNeeded: value).bigEndian
      return unsafe line.storeBytes(of: value, toByteOffset: offset, as: UInt32.self)
    }
    for i in 0..<byteCount {
      let byte = UInt8(truncatingIfNeeded: value >> UInt64(8 * (byteCount - 1 - i)))
      unsafe line.storeBytes(of: byte, toByteOffset: offset + i, as: UInt8.self)
    }
  }
}
