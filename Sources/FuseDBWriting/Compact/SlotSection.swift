internal import FuseDBFormat

/// The head of the section `HASH` of a compact file, and the rule that leads from a key's hash to its slot: that of spec/extension.md §5,
/// with slots of 32 or 40 bits.
struct SlotSection: Sendable {
  static let lineByteCount = HashSection.lineByteCount
  private static let partShift: UInt8 = 5
  /// Fewer bits of the hash than this, and slots are wider.
  private static let leastTagBits = 4

  /// Leads to the pilots; what it says of slots is not used.
  let pilots: HashSection
  let slotsPerLine: UInt64
  let slotByteCount: Int
  /// How many bits of the hash a slot has.
  let tagBits: UInt64

  init(keyCount: Int, blockCount: Int, seed: UInt64) {
    let numberBits = max(1, Int.bitWidth - max(0, blockCount - 1).leadingZeroBitCount)
    let placeBits = 8 + numberBits
    (slotByteCount, slotsPerLine) = 32 - placeBits >= Self.leastTagBits ? (4, 15) : (5, 12)
    tagBits = UInt64(8 * slotByteCount - placeBits)
    let canonical = HashSection(keyCount: keyCount, slotsPerLine: .seven, seed: seed)
    let divisor = 9 * Int(canonical.partCount) * Int(slotsPerLine)
    let linesPerPart = max(1, (10 * keyCount + divisor - 1) / divisor)
    pilots = HashSection(
      seed: seed, pilotLineCount: canonical.pilotLineCount, partCount: canonical.partCount,
      linesPerPart: UInt64(linesPerPart), partShift: Self.partShift, slotsPerLine: .seven)
  }

  var linesPerPart: Int { Int(pilots.linesPerPart) }

  /// The section's length.
  var sectionByteCount: Int { pilots.sectionByteCount }

  /// The 64 bytes of the head.
  var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(bigEndian: pilots.seed)
    out.append(bigEndian: pilots.pilotLineCount)
    out.append(bigEndian: pilots.partCount)
    out.append(bigEndian: pilots.linesPerPart)
    out.append(pilots.partShift)
    out.append(UInt8(slotsPerLine))
    out += [UInt8](repeating: 0, count: Self.lineByteCount - 4 - out.count)
    out.append(bigEndian: Checksum.of(out.rawSpan))
    return out
  }

  /// The slot of a hash inside its part, given its pilot.
  @inline(__always)
  func slotPositionInPart(of hash: UInt64, pilot: UInt64) -> HashSection.SlotPosition {
    let mixed = (hash ^ pilot) &* 0x9E37_79B9_7F4A_7C15
    let product = mixed.multipliedFullWidth(by: pilots.linesPerPart)
    return .init(line: product.high, slot: product.low.multipliedFullWidth(by: slotsPerLine).high)
  }

  // SAFETY: the caller's line has 64 bytes, and the slots of a line end before its check.
  /// Writes a slot; the check comes when the line is complete.
  @inline(__always)
  @unsafe
  func set(_ slot: UInt64, place: UInt64, hash: UInt64, of line: UnsafeMutableRawPointer) {
    let content = place &<< tagBits | hash & ~(~0 &<< tagBits)
    let start = Int(truncatingIfNeeded: slot) &* slotByteCount
    unsafe HashLine.put(content, at: start, byteCount: slotByteCount, of: line)
  }

  // SAFETY: the caller's line has 64 bytes, of which these are the last four.
  /// Completes a line of slots: 32 bits of the sum at its end.
  @inline(__always)
  @unsafe
  static func seal(_ line: UnsafeMutableRawPointer, number: UInt64) {
    let sum = unsafe HashLine.sum(of: line, without: 0xFFFF_FFFF, in: 7, number: number)
    unsafe HashLine.put(sum >> 32, at: lineByteCount - 4, byteCount: 4, of: line)
  }
}
