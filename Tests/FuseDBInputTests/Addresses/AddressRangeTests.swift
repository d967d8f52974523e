import ProgramSupport
import Testing

@testable import FuseDBInput

/// The blocks of a range by their definition: from the first address on, always the largest block that begins there and fits.
private func model(_ range: AddressRange) -> [AddressBlock] {
  var blocks: [AddressBlock] = []
  var address = range.first
  while true {
    var hostBits = 0
    while hostBits < range.family.bitCount {
      let mask: UInt128 = hostBits + 1 == 128 ? .max : (1 << UInt128(hostBits + 1)) - 1
      guard address & mask == 0, range.last - address >= mask else { break }
      hostBits += 1
    }
    blocks.append(AddressBlock(family: range.family, address: address, prefixLength: range.family.bitCount - hostBits))
    let lastOfBlock = address + (hostBits == 128 ? .max : (1 << UInt128(hostBits)) - 1)
    if lastOfBlock == range.last { return blocks }
    address = lastOfBlock + 1
  }
}

struct AddressRangeTests {
  @Test(
    arguments: [
      (.ipv4, 1, .ipv4, 2, .ipv4, 1), (.ipv6, 1, .ipv6, 2, .ipv6, 1), (.integer, 1, .integer, 0xFFFF_FFFF, .ipv4, 1),
      (.integer, 0, .integer, 1 << 32, .ipv6, 0), (.integer, 1 << 32, .integer, 1 << 32, .ipv6, 1 << 32),
      (.integer, 0xFFFF_0000_0000, .integer, 0xFFFF_FFFF_FFFF, .ipv4, 0),
      (.ipv6, 0xFFFF_0000_0007, .ipv6, 0xFFFF_0000_0008, .ipv4, 7),
      (.ipv6, 0xFFFE_FFFF_FFFF, .ipv6, 0xFFFF_0000_0000, .ipv6, 0xFFFE_FFFF_FFFF),
      (.ipv6, 0xFFFF_FFFF_FFFF, .ipv6, 0x1_0000_0000_0000, .ipv6, 0xFFFF_FFFF_FFFF),
    ] as [(Address.Spelling, UInt128, Address.Spelling, UInt128, AddressFamily, UInt128)])
  func `spellings and sizes tell the family`(
    firstSpelling: Address.Spelling, first: UInt128, lastSpelling: Address.Spelling, last: UInt128,
    family: AddressFamily, start: UInt128
  ) throws {
    let range = try AddressRange(from: Address(firstSpelling, first), to: Address(lastSpelling, last))
    #expect(range.family == family)
    #expect(range.first == start)
    #expect(range.last - range.first == last - first)
  }

  @Test func `two addresses that make no range are refused`() {
    for (first, last) in [(Address.Spelling.ipv4, Address.Spelling.ipv6), (.ipv4, .integer), (.integer, .ipv6)] {
      #expect(throws: AddressRange.Flaw.isMixed) { try AddressRange(from: Address(first, 1), to: Address(last, 2)) }
      #expect(throws: AddressRange.Flaw.isMixed) { try AddressRange(from: Address(last, 1), to: Address(first, 2)) }
    }
    for spelling in [Address.Spelling.ipv4, .ipv6, .integer] {
      #expect(throws: AddressRange.Flaw.isReversed) {
        try AddressRange(from: Address(spelling, 2), to: Address(spelling, 1))
      }
    }
  }

  @Test(arguments: [Address.Spelling.ipv4, .ipv6])
  func `blocks are those of the slow way, at the edges`(spelling: Address.Spelling) throws {
    let end: UInt128 = spelling == .ipv4 ? 0xFFFF_FFFF : .max
    let edges = [0, 1, 2, 3, 7, 8, end / 2 - 1, end / 2, end / 2 + 1, end - 8, end - 7, end - 2, end - 1, end]
    for first in edges {
      for last in edges where first <= last {
        let range = try AddressRange(from: Address(spelling, first), to: Address(spelling, last))
        #expect(Array(range.blocks) == model(range), "\(first) to \(last)")
      }
    }
  }

  @Test(arguments: [Address.Spelling.ipv4, .ipv6])
  func `blocks are those of the slow way, at random`(spelling: Address.Spelling) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    let end: UInt128 = spelling == .ipv4 ? 0xFFFF_FFFF : .max
    for _ in 0..<2_000 {
      let shift = UInt128.random(in: 0..<(spelling == .ipv4 ? 32 : 128), using: &random)
      let first = UInt128.random(in: 0...end, using: &random) >> shift
      let last = first + min(end - first, UInt128.random(in: 0...end, using: &random) >> shift)
      let range = try AddressRange(from: Address(spelling, first), to: Address(spelling, last))
      #expect(Array(range.blocks) == model(range), "seed \(seed): \(first) to \(last)")
    }
  }
}
