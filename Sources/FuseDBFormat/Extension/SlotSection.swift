/// The section `HASH` of a compact file: pilots as in version 2, and lines of 15 or 12 slots, each with the place of a key (its block, and
/// where its entry stands in it) and as much of its hash as there is room for. See spec/extension.md §5.
@usableFromInline package struct SlotSection: Sendable {
  /// Fewer bits of the hash than this, and slots have 40 bits instead of 32.
  private static let leastTagBits = 4
  /// How many bits of a place say where in its block an entry stands.
  @inlinable package static var offsetBits: UInt64 { 8 }

  /// Leads to the pilots; what it says of slots is not used.
  @usableFromInline package let pilots: HashSection
  @usableFromInline package let slotsPerLine: UInt64
  @usableFromInline package let slotByteCount: Int
  /// How many bits of the hash a slot has.
  @usableFromInline package let tagBits: UInt64

  /// The canonical section for so many keys in so many blocks. [X11]
  package init(keyCount: Int, blockCount: Int, seed: UInt64) {
    let slot = Self.slot(blockCount: blockCount)!
    pilots = HashSection(keyCount: keyCount, slotCountPerLine: Int(slot.perLine), seed: seed)
    (slotByteCount, slotsPerLine, tagBits) = (slot.byteCount, slot.perLine, slot.tagBits)
  }

  /// Reads the head of a section, and checks that lines fill the rest of it. [X9]
  package init(parsing section: RawSpan, at offset: Int, blockCount: Int) throws(FuseError) {
    let (pilots, count) = try HashSection.read(section, at: offset)
    guard let slot = Self.slot(blockCount: blockCount), slot.perLine == UInt64(count) else {
      throw HashSection.misfit(offset)
    }
    self.pilots = pilots
    (slotByteCount, slotsPerLine, tagBits) = (slot.byteCount, slot.perLine, slot.tagBits)
  }

  /// What follows from the number of blocks; nil for more than there can be.
  private static func slot(blockCount: Int) -> (byteCount: Int, perLine: UInt64, tagBits: UInt64)? {
    let placeBits = Int(offsetBits) + max(1, Int.bitWidth - max(0, blockCount - 1).leadingZeroBitCount)
    if 32 - placeBits >= leastTagBits { return (4, 15, UInt64(32 - placeBits)) }
    return placeBits <= 40 ? (5, 12, UInt64(40 - placeBits)) : nil
  }

  /// The section's length.
  package var sectionByteCount: Int { pilots.sectionByteCount }
  /// The 64 bytes of the head.
  package var bytes: [UInt8] { pilots.bytes(slotsPerLine: UInt8(slotsPerLine)) }
  /// Whether slots have 40 bits.
  @inlinable package var isWide: Bool { slotByteCount == 5 }
  /// What a slot holds that no key has. No place is like this: an entry has two bytes at least, and ends in its block.
  @inlinable package var free: UInt64 { isWide ? 0xFF_FFFF_FFFF : 0xFFFF_FFFF }

  /// The slot of a hash inside its part, given its pilot.
  @inlinable
  @inline(__always)
  package func slotPositionInPart(of hash: UInt64, pilot: UInt64) -> HashSection.SlotPosition {
    let mixed = (hash ^ pilot) &* 0x9E37_79B9_7F4A_7C15
    let product = mixed.multipliedFullWidth(by: pilots.linesPerPart)
    return HashSection.SlotPosition(line: product.high, slot: product.low.multipliedFullWidth(by: slotsPerLine).high)
  }

  /// What a slot has of a hash.
  @inlinable
  @inline(__always)
  package func tag(of hash: UInt64) -> UInt64 { hash & (1 &<< tagBits &- 1) }

  /// What the slot of a key holds.
  @inlinable
  @inline(__always)
  package func content(place: UInt64, hash: UInt64) -> UInt64 { place &<< tagBits | tag(of: hash) }
}
