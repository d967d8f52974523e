import ProgramSupport
import Testing

import FuseDB

struct `The header of the hash section` {
  /// A section of one line of pilots and six of slots.
  private static let sound = HashSection(
    seed: 0x0102_0304_0506_0708, pilotLineCount: 1, partCount: 2, linesPerPart: 3, partShift: 8, slotsPerLine: .seven)

  private static func refusal(_ section: [UInt8], at offset: Int = 64) -> FuseError? {
    failure { _ = try HashSection(parsing: section.rawSpan, at: offset) }
  }

  private static func section(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
    var table = ReferenceTable(sound.bytes + [UInt8](repeating: 0, count: 64 * 7))
    change(&table.bytes)
    table.sealHeader()
    return table.bytes
  }

  @Test func `has its fields where the specification has them, and is read as it was written`() throws {
    let expected = [UInt8](
      hex: "0102030405060708 0000000000000001 0000000000000002 0000000000000003 08 07"
        + String(repeating: "00", count: 26))
    #expect(Self.sound.bytes == expected + ReferenceFile.big(Int(ReferenceFile.bitwiseCRC(expected)), 4))
    let section = Self.section { _ in }
    #expect(try HashSection(parsing: section.rawSpan, at: 64) == Self.sound)
    #expect(Self.sound.sectionByteCount == section.count)
  }

  @Test func `with any bit flipped is refused [X9]`() {
    let section = Self.section { _ in }
    for bit in 0..<512 {
      let error = Self.refusal(section.flipping(bit: bit))
      #expect(error?.code == .corrupted, "bit \(bit)")
      #expect(error?.offset == 64)
    }
  }

  static let lies: [(offset: Int, values: [UInt64])] = [
    // Lines of pilots, parts, lines in a part.
    (8, [0, 2, 7, 8, 256, 1 << 58, 1 << 63, .max]), (16, [0, 1, 3, 1 << 58, 1 << 62, 1 << 63, .max]),
    (24, [0, 2, 4, 1 << 57, 1 << 63, .max, 0xAAAA_AAAA_AAAA_AAAB]),
  ]

  @Test func `with a field that does not fit is refused, also where its products overflow [X9]`() {
    for (offset, values) in Self.lies {
      for value in values {
        #expect(Self.refusal(Self.section { $0.put(value, at: offset) })?.code == .corrupted, "\(value) at \(offset)")
      }
    }
    // Six lines of slots, modulo 2^64.
    let wrapped = Self.section {
      $0.put(UInt64(1) << 63 + 3, at: 16)
      $0.put(UInt64(2), at: 24)
    }
    #expect(Self.refusal(wrapped)?.code == .corrupted)
    // All lines are pilots, and none is left for slots.
    let withoutSlots = Self.section {
      $0.put(UInt64(7), at: 8)
      $0.put(UInt64(0), at: 24)
    }
    #expect(Self.refusal(withoutSlots)?.code == .corrupted)
    for shift in [33, 64, 255] { #expect(Self.refusal(Self.section { $0[32] = UInt8(shift) })?.code == .corrupted) }
    for shift in 0...32 { #expect(Self.refusal(Self.section { $0[32] = UInt8(shift) }) == nil) }
    for slotsPerLine in UInt8.min...UInt8.max where slotsPerLine != 7 && slotsPerLine != 5 {
      #expect(Self.refusal(Self.section { $0[33] = slotsPerLine })?.code == .corrupted)
    }
    // The bytes between are zero when written, and not looked at.
    #expect(Self.refusal(Self.section { $0[40] = 1 }) == nil)
  }

  @Test func `whose last line of pilots belongs to no part is refused [X9]`() {
    // Seven lines: five of pilots, two parts of one line of slots each.
    for (shift, isSound) in [(UInt8(0), false), (1, false), (2, true), (3, true)] {
      let section = Self.section {
        $0.put(UInt64(5), at: 8)
        $0.put(UInt64(1), at: 24)
        $0[32] = shift
      }
      #expect((Self.refusal(section) == nil) == isSound, "shift \(shift)")
    }
  }

  @Test
  func `of a section that is too short or no multiple of a line is refused, and at any position is not [X9] [X1]`() {
    let section = Self.section { _ in }
    for byteCount in 0..<section.count {
      #expect(Self.refusal([UInt8](section[..<byteCount]))?.code == .corrupted, "\(byteCount) bytes")
    }
    for more in [1, 63, 64, 128] {
      #expect(Self.refusal(section + [UInt8](repeating: 0, count: more))?.code == .corrupted)
    }
    // Where it stands says nothing; verification lists it.
    for offset in [0, 1, 8, 63, 64, 640] { #expect(Self.refusal(section, at: offset) == nil) }
  }

  /// Keys, slots a line, lines of pilots, parts, lines in a part: computed by hand from [X11].
  @Test(
    arguments: [
      (0, .seven, 1, 1, 1), (1, .seven, 1, 1, 1), (6, .seven, 1, 1, 1), (7, .seven, 1, 1, 2), (155, .seven, 1, 1, 25),
      (156, .seven, 2, 1, 25), (4960, .seven, 32, 1, 788), (4961, .seven, 64, 2, 394),
      (1_000_000, .seven, 6464, 202, 786), (4, .five, 1, 1, 1), (5, .five, 1, 1, 2), (1000, .five, 7, 1, 223),
    ] as [(Int, HashSection.SlotsPerLine, UInt64, UInt64, UInt64)])
  func `has the canonical size [X11]`(
    keyCount: Int, slotsPerLine: HashSection.SlotsPerLine, pilotLines: UInt64, parts: UInt64, linesPerPart: UInt64
  ) {
    let section = HashSection(keyCount: keyCount, slotsPerLine: slotsPerLine, seed: 5)
    #expect(section.pilotLineCount == pilotLines)
    #expect(section.partCount == parts)
    #expect(section.linesPerPart == linesPerPart)
    #expect(section.partShift == 5)
    #expect(section.seed == 5)
  }

  @Test func `leads every hash and every pilot to a line and a slot that are there, as the model does`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<200 {
      let slotsPerLine = random.element([HashSection.SlotsPerLine.seven, .five])
      let shift = UInt8(random.below(5))
      let pilotLines = 1 + random.below(40)
      let parts = (pilotLines - 1) >> Int(shift) + 1 + random.below(2)
      let section = HashSection(
        seed: 0, pilotLineCount: UInt64(pilotLines), partCount: UInt64(parts),
        linesPerPart: UInt64(1 + random.below(9)),
        partShift: shift, slotsPerLine: slotsPerLine)
      let table = ReferenceTable(section.bytes + random.bytes(section.sectionByteCount - 64))
      let hashes: [UInt64] = [0, 1, .max, .max - 1, 1 << 63]
      for hash in hashes + (0..<50).map({ _ in random.next() }) {
        let (line, position) = section.pilotPosition(of: hash)
        try #require(line < section.pilotLineCount && position < 31)
        let pilot = table.bytes.number(at: 64 + 64 * Int(line) + 2 * Int(position), 2)
        let slot = section.slotPosition(of: hash, pilotLine: line, pilot: pilot)
        #expect(slot.line < section.slotLineCount && slot.slot < UInt64(slotsPerLine.rawValue))
        let expected = table.probe(ofHash: hash)
        #expect(expected.pilotLine == Int(line) && expected.pilotPosition == Int(position))
        #expect(expected.line == Int(slot.line) && expected.slot == Int(slot.slot))
      }
    }
  }

  @Test(arguments: [1, 2, 3, 155, 4960, 4961, 50_000, 1_000_000, 4_294_967_295])
  func `says which hashes have their pilots in some lines`(keyCount: Int) {
    var random = SeededRandom.announced()
    let section = HashSection(keyCount: keyCount, slotsPerLine: .seven, seed: 0)
    let lineCount = Int(section.pilotLineCount)
    func line(_ hash: UInt64) -> Int { Int(section.pilotPosition(of: hash).line) }
    for _ in 0..<200 {
      let first = random.below(lineCount)
      let lines = first..<first + 1 + random.below(lineCount - first)
      let hashes = section.hashes(ofPilotLines: lines)
      #expect(line(hashes.lowerBound) == lines.lowerBound)
      #expect(line(hashes.upperBound) == lines.upperBound - 1)
      #expect(hashes.lowerBound == 0 ? first == 0 : line(hashes.lowerBound - 1) == first - 1)
      #expect(
        hashes.upperBound == .max ? lines.upperBound == lineCount : line(hashes.upperBound + 1) == lines.upperBound)
    }
  }
}
