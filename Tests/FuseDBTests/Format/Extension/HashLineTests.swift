import ProgramSupport
import Testing

import FuseDB

@safe
struct `A line of the hash section` {
  private static func isSound(slotLine line: [UInt8], number: UInt64) -> Bool {
    // SAFETY: the arrays of these tests have 64 bytes.
    unsafe line.withUnsafeBytes { unsafe HashLine.isSoundSlotLine($0.baseAddress!, number: number) }
  }

  private static func isSound(pilotLine line: [UInt8], number: UInt64) -> Bool {
    // SAFETY: as above.
    unsafe line.withUnsafeBytes { unsafe HashLine.isSoundPilotLine($0.baseAddress!, number: number) }
  }

  /// Random lines, and those of all zeros and all ones, where a careless check is blind.
  private static func lines(_ random: inout SeededRandom) -> [[UInt8]] {
    [[UInt8](repeating: 0, count: 64), [UInt8](repeating: 0xFF, count: 64)] + (0..<6).map { _ in random.bytes(64) }
  }

  private static let numbers = [0, 1, 30, 0xFFFF, 0x1234_5678, 1 << 40]

  @Test func `of slots with any bit flipped, or in the position of another, is found damaged [X16]`() {
    var random = SeededRandom.announced()
    for line in Self.lines(&random) {
      for number in Self.numbers {
        let sealed = ReferenceTable.sealed(slotLine: line, number: number)
        #expect(Self.isSound(slotLine: sealed, number: UInt64(number)))
        let missed = (0..<512).filter { Self.isSound(slotLine: sealed.flipping(bit: $0), number: UInt64(number)) }
        #expect(missed == [], "line \(number): \(line.hex)")
        let elsewhere = Self.numbers.filter { Self.isSound(slotLine: sealed, number: UInt64($0)) }
        #expect(elsewhere == [number])
      }
    }
  }

  @Test func `of pilots with any bit flipped, or in the position of another, is found damaged [X16]`() {
    var random = SeededRandom.announced()
    for line in Self.lines(&random) {
      for number in Self.numbers {
        let sealed = ReferenceTable.sealed(pilotLine: line, number: number)
        #expect(Self.isSound(pilotLine: sealed, number: UInt64(number)))
        let missed = (0..<512).filter { Self.isSound(pilotLine: sealed.flipping(bit: $0), number: UInt64(number)) }
        #expect(missed == [], "line \(number): \(line.hex)")
        let elsewhere = Self.numbers.filter { Self.isSound(pilotLine: sealed, number: UInt64($0)) }
        #expect(elsewhere == [number])
      }
    }
  }

  @Test func `is checked with the constants of the specification, whose products have no sixteen like bits in a row`() {
    var random = SeededRandom(seed: 0)
    #expect(ReferenceTable.constants == (0..<9).map { _ in random.next() >> 33 | 1 })
    for constant in ReferenceTable.constants {
      let product = constant &* ReferenceTable.golden
      let rows = (0...48).map { product >> UInt64($0) & 0xFFFF }
      #expect(!rows.contains(0) && !rows.contains(0xFFFF), "\(constant.hexadecimal)")
      // What follows from it: whichever bit of a word is flipped, the upper 16 bits of its share change.
      for bit in 0..<UInt64(64) { #expect((product << bit) >> 48 != 0, "\(constant.hexadecimal), bit \(bit)") }
    }
  }

  @Test(arguments: [HashSection.SlotsPerLine.seven, .five])
  func `is written and read slot by slot as the model does`(slotsPerLine: HashSection.SlotsPerLine) {
    var random = SeededRandom.announced()
    let slotCount = Int(slotsPerLine.rawValue)
    for _ in 0..<50 {
      var table = ReferenceTable(
        ReferenceFile.big(0, 8) + ReferenceFile.big(0, 8) + ReferenceFile.big(1, 8) + ReferenceFile.big(1, 8)
          + [8, slotsPerLine.rawValue] + [UInt8](repeating: 0, count: 30) + [UInt8](repeating: 0, count: 64))
      var line = [UInt8](repeating: 0, count: 64)
      let widths: (UInt64, UInt64) =
        slotsPerLine == .seven ? (0xFFFF_FFFF, 0xFFFF_FFFF) : (0xFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF)
      for slotNumber in (0..<slotCount).shuffled(using: &random) {
        let entry = random.element([0, 1, widths.0, random.next() & widths.0])
        let object = random.element([0, 1, widths.1, random.next() & widths.1])
        let tag = random.next() & 63
        table.set(.init(tag: tag, entry: entry, object: object), 0, slotNumber)
        // SAFETY: the array has 64 bytes.
        unsafe line.withUnsafeMutableBytes {
          unsafe HashLine.set(
            .init(tag: tag, entry: entry, object: object), slotNumber: slotNumber, of: $0.baseAddress!, slotsPerLine)
        }
      }
      // SAFETY: as above.
      unsafe line.withUnsafeMutableBytes { unsafe HashLine.sealSlotLine($0.baseAddress!, number: 7) }
      #expect(line == ReferenceTable.sealed(slotLine: [UInt8](table.bytes[64...]), number: 7))
      for slotNumber in 0..<slotCount {
        // SAFETY: as above, and the slot is one of the line.
        let slot = unsafe line.withUnsafeBytes {
          unsafe HashLine.slot(UInt64(slotNumber), of: $0.baseAddress!, slotsPerLine)
        }
        let expected = table.slot(0, slotNumber)
        #expect(slot == HashLine.Slot(tag: expected.tag, entry: expected.entry, object: expected.object))
      }
    }
  }

  @Test func `holds 31 pilots of 16 bits`() {
    var random = SeededRandom.announced()
    var line = [UInt8](repeating: 0, count: 64)
    var expected = line
    for position in (0..<31).shuffled(using: &random) {
      let pilot = UInt16(truncatingIfNeeded: random.next())
      expected.put(pilot, at: 2 * position)
      // SAFETY: the array has 64 bytes, and the position is one of the line.
      unsafe line.withUnsafeMutableBytes { unsafe HashLine.set(pilot: pilot, position: position, of: $0.baseAddress!) }
    }
    // SAFETY: as above.
    unsafe line.withUnsafeMutableBytes { unsafe HashLine.sealPilotLine($0.baseAddress!, number: 3) }
    #expect(line == ReferenceTable.sealed(pilotLine: expected, number: 3))
    for position in 0..<31 {
      // SAFETY: as above.
      let pilot = unsafe line.withUnsafeBytes { unsafe HashLine.pilot(UInt64(position), of: $0.baseAddress!) }
      #expect(pilot == line.number(at: 2 * position, 2))
    }
  }
}
