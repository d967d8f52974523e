import FuseDB
import ProgramSupport
import Testing

@testable import FuseDBInput

/// The blocks of a range by their definition: from the first address on, always the largest block that begins there and fits.
private func model(_ range: AddressRange) -> [AddressRange.Block] {
  var blocks: [AddressRange.Block] = []
  var address = range.first
  while true {
    var hostBits = 0
    while hostBits < 128 {
      let mask: UInt128 = hostBits + 1 == 128 ? .max : (1 << UInt128(hostBits + 1)) - 1
      guard address & mask == 0, range.last - address >= mask else { break }
      hostBits += 1
    }
    blocks.append(AddressRange.Block(first: address, hostBits: hostBits))
    let lastOfBlock = address + (hostBits == 128 ? .max : (1 << UInt128(hostBits)) - 1)
    if lastOfBlock == range.last { return blocks }
    address = lastOfBlock + 1
  }
}

private let mapped: UInt128 = 0xFFFF_0000_0000

struct AddressRangeTests {
  @Test(
    arguments: [
      (.ipv4(1), .ipv4(2), mapped | 1), (.ipv6(1), .ipv6(2), 1), (.integer(1), .integer(0xFFFF_FFFF), mapped | 1),
      (.integer(0), .integer(1 << 32), 0), (.integer(1 << 32), .integer(1 << 32), 1 << 32),
      (.integer(mapped), .integer(0xFFFF_FFFF_FFFF), mapped), (.ipv6(mapped | 7), .ipv6(mapped | 8), mapped | 7),
      (.ipv6(0xFFFE_FFFF_FFFF), .ipv6(mapped), 0xFFFE_FFFF_FFFF),
    ] as [(AddressSpelling, AddressSpelling, UInt128)])
  func `spellings and sizes tell the family [R10]`(first: AddressSpelling, last: AddressSpelling, start: UInt128)
    throws
  {
    #expect(try AddressRange(from: first, to: last).first == start)
  }

  @Test func `two addresses that make no range are refused [R10]`() {
    for (first, last) in [
      (AddressSpelling.ipv4(1), AddressSpelling.ipv6(2)), (.ipv4(1), .integer(2)), (.integer(1), .ipv6(2)),
    ] {
      #expect(throws: AddressRange.Flaw.isMixed) { try AddressRange(from: first, to: last) }
      #expect(throws: AddressRange.Flaw.isMixed) { try AddressRange(from: last, to: first) }
    }
    for (first, last) in [
      (AddressSpelling.ipv4(2), AddressSpelling.ipv4(1)), (.ipv6(2), .ipv6(1)), (.integer(2), .integer(1)),
    ] {
      #expect(throws: AddressRange.Flaw.isReversed) { try AddressRange(from: first, to: last) }
    }
  }

  @Test(
    arguments: [
      (0, .max, ["::/0"]), (mapped, mapped | 0xFFFF_FFFF, ["0.0.0.0/0"]), (mapped | 7, mapped | 7, ["0.0.0.7/32"]),
      (0xFFFE_FFFF_FFFF, mapped, ["::fffe:ffff:ffff/128", "0.0.0.0/32"]),
      (0xFFFE_0000_0000, mapped | 0xFFFF_FFFF, ["::fffe:0:0/95"]),
      (0x2001_0DB8 << 96, 0x2001_0DB8 << 96 | 0x1_0000, ["2001:db8::/112", "2001:db8::1:0/128"]),
    ] as [(UInt128, UInt128, [String])])
  func `blocks are written in their one spelling [R11]`(first: UInt128, last: UInt128, texts: [String]) {
    #expect(AddressRange(first: first, last: last).blocks.map { $0.network.description } == texts)
  }

  @Test(arguments: [0, mapped])
  func `blocks are those of the slow way, at the edges`(base: UInt128) {
    let end: UInt128 = base == 0 ? .max : base | 0xFFFF_FFFF
    let middle = base + (end - base) / 2
    let edges = [
      base, base + 1, base + 2, base + 3, base + 7, base + 8, middle - 1, middle, middle + 1, end - 8, end - 7, end - 2,
      end - 1, end,
    ]
    for first in edges {
      for last in edges where first <= last {
        let range = AddressRange(first: first, last: last)
        #expect(Array(range.blocks) == model(range), "\(first) to \(last)")
      }
    }
  }

  @Test func `blocks are those of the slow way, at random`() {
    var random = SeededRandom.announced()
    for _ in 0..<2_000 {
      let first = UInt128.random(in: 0 ... .max, using: &random) >> UInt128.random(in: 0..<128, using: &random)
      let reach = UInt128.random(in: 0 ... .max, using: &random) >> UInt128.random(in: 0..<128, using: &random)
      let range = AddressRange(first: first, last: first + min(.max - first, reach))
      #expect(Array(range.blocks) == model(range), "\(range)")
    }
  }
}
