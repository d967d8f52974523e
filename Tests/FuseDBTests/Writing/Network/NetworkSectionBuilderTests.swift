import ProgramSupport
import Testing

import FuseDB
import FuseDBSystem

@testable import FuseDBWriting

struct `A section of networks` {
  private static func random(_ random: inout SeededRandom, _ count: Int) -> [(FuseNetwork, UInt64)] {
    (0..<count).map { _ in
      let family: FuseAddress.Family = random.below(2) == 0 ? .ipv4 : .ipv6
      let bits = (UInt128(random.next()) << 64 | UInt128(random.next() & 0xFF)) & FuseAddress.hostMask(family, 0)
      return (
        FuseNetwork(around: FuseAddress(family: family, bits: bits), prefixLength: random.below(family.bitCount + 1)),
        UInt64(40 + random.below(50))
      )
    }
  }

  @Test func `is the same bytes for the same blocks, in whatever order and memory they come`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let model = NetworkModel(Self.random(&random, 5000))
    let expected = try NetworkBench.section(model.entries.map { ($0.network, $0.object) })
    for memory in [0, 30_000, 1 << 30] {
      let spill = Spill(in: folder.path, memory: memory / 2, chunkByteCount: 4096)
      let records = NetworkRecords(spill, memory: memory)
      for entry in model.entries.shuffled(using: &random) { try records.add(entry.network, object: entry.object) }
      // Some come twice.
      for entry in model.entries.prefix(100) { try records.add(entry.network, object: entry.object) }
      #expect(records.count == model.entries.count + 100)
      let builder = NetworkSectionBuilder(lanes: .eight, spill)
      var last: FuseNetwork?
      var repeated = 0
      try records.forEach { (network, object) throws(FuseError) in
        #expect(last.map { $0 <= network } ?? true)
        last = network
        if try builder.add(network, object: object) == .repeated { repeated += 1 }
      }
      #expect(repeated == 100)
      #expect(try NetworkBench.bytes(of: builder) == expected)
      #expect((spill.spilledByteCount > 0) == (memory < 1 << 30))
    }
  }

  @Test func `tells blocks that come twice with another object, and keeps the first`() throws {
    let builder = NetworkSectionBuilder(lanes: .eight, NetworkBench.spill())
    let network = FuseNetwork("8.8.8.8")!
    #expect(try builder.add(FuseNetwork("8.0.0.0/8")!, object: 40) == .added)
    #expect(try builder.add(network, object: 50) == .added)
    #expect(try builder.add(network, object: 60) == .conflicting)
    #expect(try builder.add(network, object: 50) == .repeated)
    let model = NetworkModel([(FuseNetwork("8.0.0.0/8")!, 40), (network, 50)])
    #expect(
      try NetworkBench.bytes(of: builder) == NetworkBench.section(model.entries.map { ($0.network, $0.object) }))
  }

  @Test func `has no room for an object beyond what its lanes can tell`() throws {
    for (lanes, limit) in [(NetworkSection.Lanes.eight, UInt64(1) << 32), (.seven, 1 << 40)] {
      let network = FuseNetwork("8.8.8.0/24")!
      let bench = try NetworkBench(NetworkModel([(network, limit - 1)]), lanes)
      #expect(try bench.table().match(FuseAddress("8.8.8.8")!).object == limit - 1)
      let error = failure { _ = try NetworkBench.section([(network, limit)], lanes) }
      #expect(error?.code == .limitExceeded)
    }
  }

  @Test func `leaves out runs that say what the one before says, across two /64 as well [A12]`() throws {
    let bytes = try NetworkBench.section([
      (FuseNetwork("2001:db8::1/128")!, 40), (FuseNetwork("2001:db8:0:1::1/128")!, 56),
    ])
    // IPv6: none, deeper, none; both /64 name the first deep line. Deep: none, 40, none, which goes on in the next /64, 56, none.
    #expect(Array(bytes[8..<32]).hex == "0000000000000000" + "0300000000000000" + "0500000000000000")
  }

  @Test func `is left out where an object lies at 2^40 or beyond [A10]`() throws {
    let folder = try TemporaryFolder()
    for (object, isMade) in [(UInt64(1) << 40 - 1, true), (1 << 40, false)] {
      let collector = try BlockCollector(
        keyCountAtMost: 2, indexEndAtMost: 1 << 41, sections: SectionRequest(networks: .always),
        limits: BlockLimits(temporaryFolder: folder.path))
      try collector.add(key: "8.8.8.0/24".keyBytes, object: object)
      try collector.add(key: "9.0.0.0/8".keyBytes, object: 40)
      let section = try collector.finishNetworks(.seven)
      #expect((section != nil) == isMade)
    }
  }

  /// The fields of a small section, byte by byte, as spec/network.md has them.
  @Test func `has its fields where the specification has them`() throws {
    let bytes = try NetworkBench.section([
      (FuseNetwork("10.0.0.0/8")!, 40), (FuseNetwork("10.1.0.0/16")!, 56), (FuseNetwork("2001:db8::/32")!, 40),
    ])
    let header =
      "02000000 01000000 0500000000000000 0300000000000000 0000000000000000 01000000 02000000 00000000 08 08 0000"
      + "0001010000000000 0000000001000000 0000000000000000 0000000000000000" + String(repeating: "00", count: 44)
    #expect(Array(bytes[0..<124]).hex == [UInt8](hex: header).hex)
    // A directory of 257 entries of 0; a base of 0 and sixteen of all ones.
    #expect(bytes[128..<1216].allSatisfy { $0 == 0 })
    #expect(bytes[1216..<1220].allSatisfy { $0 == 0 })
    #expect(bytes[1220..<1344].allSatisfy { $0 == 0xFF })
    let ipv4 =
      "0000 000a 010a 020a 000b ffff ffff ffff fe 08 10 08 fe fe fe fe"
      + "00000000 28000000 38000000 28000000 00000000 00000000 00000000 00000000 10 000000"
    #expect(Array(bytes[1344..<1404]).hex == [UInt8](hex: ipv4).hex)
    // Made by the rules, with another program.
    #expect(Array(bytes[124..<128]).hex == "95675302")
    #expect(Array(bytes[1404..<1408]).hex == "ab30ed3e")
    #expect(
      Array(bytes[1472..<1600]).hex
        == "0000fffffffffffffffffffffffffffffefefefefefefefe00000000000000000000000000000000000000000000000000000000000000000000000007aa48fb"
        + "00000100ffffffffffffffffffffffff20fefefefefefefe2800000000000000000000000000000000000000000000000000000000000000200000001fe7b3ce"
    )
    #expect(bytes.count == 1344 + 64 + 64 + 128)
  }
}
