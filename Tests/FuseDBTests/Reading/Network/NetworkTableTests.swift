import CFuseIntrinsics
import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading

struct `A table of networks` {
  /// What broke sketches, each beside a plain list.
  static let sets: [[String]] = [
    [], ["0.0.0.0/0"], ["::/0"], ["0.0.0.0/0", "::/0"], ["8.8.8.8/32"], ["::1/128"], ["0.0.0.0/32"], ["::/128"],
    ["255.255.255.255/32"],
    ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"], ["ffff:ffff:ffff:ffff::/64"],
    ["ffff:ffff:ffff:fffe::/63", "ffff:ffff:ffff:ffff:8000::/65"],
    ["8.8.0.0/16", "8.8.8.0/24", "8.8.8.8/32"], ["8.8.8.8/32", "8.8.8.0/24", "8.8.0.0/16"],
    // Beside one another, and covered by two halves.
    ["10.0.0.0/25", "10.0.0.128/25"], ["10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25"],
    ["10.0.0.0/23", "10.0.0.0/24", "10.0.1.0/24", "10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/25", "10.0.1.128/25"],
    ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"], ["::/0", "::/1", "8000::/1"],
    ["255.255.255.254/31", "255.255.255.254/32", "255.255.255.255/32"],
    // The border of 64 bits.
    ["2001:db8::/63", "2001:db8::/64", "2001:db8:0:1::/64"],
    ["2001:db8::/64", "2001:db8::/65", "2001:db8:0:0:8000::/65"],
    ["2001:db8::/64", "2001:db8::/65"], ["2001:db8::/65"], ["2001:db8:0:0:8000::/65"],
    ["2001:db8::1/128", "2001:db8:0:1::1/128", "2001:db8:0:3::/64"],
    ["2001:db8::/32", "2001:db8::1/128", "2001:db8::ffff:ffff:ffff:ffff/128", "2001:db8:0:1::/128"],
    ["::/64", "::/128", "::ffff:ffff:ffff:ffff/128"],
    ["ffff:ffff:ffff:ffff:8000::/65", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "::/0"],
    ["::1/128", "::3/128", "::1:0:0:0/80", "0:0:0:1::/64"],
  ]

  @Test(arguments: sets, [NetworkSection.Lanes.eight, .seven])
  func `answers as a plain list does`(texts: [String], lanes: NetworkSection.Lanes) throws {
    try Self.compare(NetworkModel(texts), lanes)
  }

  @Test func `gives what one range of the other family or no block has no answer`() throws {
    let table = try NetworkBench(NetworkModel(["8.8.8.0/24"]))
    #expect(try !table.table().match(FuseAddress("::8.8.8.8")!).isFound)
    let empty = try NetworkBench(NetworkModel([String]())).table()
    #expect(try !empty.match(FuseAddress("8.8.8.8")!).isFound)
    #expect(try !empty.match(FuseAddress("::1")!).isFound)
  }

  /// Their runs fill whole /64, and have neither a beginning nor an end inside. [A12]
  @Test(arguments: [
    ["2001:db8::/65", "2001:db8:0:0:8000::/65"],
    ["2001:db8::/66", "2001:db8:0:0:4000::/66", "2001:db8:0:0:8000::/66", "2001:db8:0:0:c000::/66"],
    // Two /64, and what lies before, inside and after.
    ["2001:db8::/65", "2001:db8:0:0:8000::/65", "2001:db8:0:1::/65", "2001:db8:0:1:8000::/65"],
    ["2001:db8::/32", "2001:db8::/65", "2001:db8:0:0:8000::/65", "2001:db8:0:1:8000::/65", "2001:db8:0:2::/65"],
    ["2001:db8:0:0:8000::/65", "2001:db8:0:1::/65", "2001:db8:0:1:8000::/65", "2001:db8:0:2::/64"],
    ["::/65", "0:0:0:0:8000::/65"], ["ffff:ffff:ffff:ffff::/65", "ffff:ffff:ffff:ffff:8000::/65"],
  ])
  func `answers for longer blocks side by side that have one object [A12]`(texts: [String]) throws {
    for lanes in [NetworkSection.Lanes.eight, .seven] {
      for isOne in [true, false] {
        let entries = texts.enumerated().map { (FuseNetwork($1)!, UInt64(isOne ? 40 : 40 + $0)) }
        try Self.compare(NetworkModel(entries), lanes)
      }
    }
  }

  /// Random blocks that nest, touch and repeat: few bits vary.
  private static func randomModel(_ random: inout SeededRandom, _ count: Int) -> NetworkModel {
    let root = UInt128(random.next()) << 64 | UInt128(random.next())
    let bitCount = 1 + random.below(12)
    let objectCount = 1 + random.below(10)
    let entries = (0..<count).map { _ in
      let family: FuseAddress.Family = random.below(2) == 0 ? .ipv4 : .ipv6
      let width = family.bitCount
      var bits = root & FuseAddress.hostMask(family, 0)
      // Some bits at some place, often at the border of 64.
      let low = random.below(2) == 0 ? random.below(width) : max(0, width / 2 - 6)
      for _ in 0..<bitCount where random.below(2) == 0 {
        bits ^= 1 << UInt128(min(width - 1, low + random.below(bitCount)))
      }
      if random.below(20) == 0 { bits = random.below(2) == 0 ? 0 : FuseAddress.hostMask(family, 0) }
      let length =
        random.below(3) == 0
        ? random.below(width + 1) : min(width, max(0, width - low - bitCount + random.below(2 * bitCount)))
      return (
        FuseNetwork(around: FuseAddress(family: family, bits: bits), prefixLength: length),
        UInt64(40 + random.below(objectCount))
      )
    }
    return NetworkModel(entries)
  }

  @Test func `of random nested blocks answers as a plain list does`() throws {
    var random = SeededRandom.announced()
    for round in 0..<100 {
      let model = Self.randomModel(&random, 1 + random.below(round < 90 ? 40 : 200))
      try Self.compare(model, random.below(2) == 0 ? .eight : .seven)
    }
  }

  /// Compares all that a table can be asked with the model.
  static func compare(_ model: NetworkModel, _ lanes: NetworkSection.Lanes) throws {
    let bench = try NetworkBench(model, lanes)
    let table = try bench.table()
    #expect(bench.byteCount == table.section.layout.end)
    let lengths = [FuseAddress.Family.ipv4, .ipv6].map { family in
      Set(model.entries.map(\.network).filter { $0.family == family }.map(\.prefixLength))
    }
    var strange: [FuseNetwork] = []
    let exact = { (network: FuseNetwork) throws(FuseError) -> UInt64? in
      if !lengths[network.family == .ipv4 ? 0 : 1].contains(network.prefixLength) { strange.append(network) }
      return model.object(ofExactly: network)
    }
    let addresses = model.telltaleAddresses
    for address in addresses {
      let expected = model.containing(address)
      for isChecked in [true, false] {
        let match = try table.match(address, isChecked: isChecked)
        #expect(match.isFound == !expected.isEmpty, "\(address)")
        #expect(table.key(of: match, address) == expected.first?.network, "\(address)")
        if let first = expected.first { #expect(match.object == first.object, "\(address)") }
        #expect(table.scope(of: match, address) == model.scope(address), "\(address)")
      }
      var containing: [NetworkModel.Entry] = []
      try table.forEachContaining(address, exact: exact) { (network, object) throws(FuseError) in
        containing.append(.init(network: network, object: object))
        return true
      }
      #expect(containing == expected, "\(address)")
    }
    var group = NetworkGroup()
    for start in stride(from: 0, to: addresses.count, by: NetworkGroup.addressesAtOnce) {
      let part = start..<min(start + NetworkGroup.addressesAtOnce, addresses.count)
      table.findLines(addresses.span.extracting(part), &group)
      for number in part {
        let match = table.match(addresses[number], in: group.first[number - start], isChecked: true)
        #expect(try match == table.match(addresses[number]))
      }
    }
    let blocks =
      model.entries.map(\.network) + [FuseNetwork("0.0.0.0/0")!, FuseNetwork("::/0")!, FuseNetwork("::/65")!]
    for block in blocks.shuffled().prefix(30) {
      #expect(try walk(table, block, exact) == model.within(block), "\(block)")
      if block.prefixLength > 0 {
        let around = FuseNetwork(around: block.address, prefixLength: block.prefixLength - 1)
        #expect(try walk(table, around, exact) == model.within(around), "\(around)")
      }
    }
    // The exact index is asked for lengths alone that blocks have.
    #expect(strange.isEmpty)
  }

  private static func walk(
    _ table: NetworkTable, _ block: FuseNetwork, _ exact: NetworkTable.ExactIndex
  ) throws -> [NetworkModel.Entry] {
    var found: [NetworkModel.Entry] = []
    var walk = NetworkWalk(table, within: block)
    while let next = try walk.next(exact: exact) { found.append(.init(network: next.network, object: next.object)) }
    return found
  }

  @Test func `answers through an alias where it has one [A14]`() throws {
    let builder = NetworkSectionBuilder(
      lanes: .eight,
      aliases: [
        .init(address: FuseAddress("2002::")!.bits, prefixLength: 16),
        .init(address: FuseAddress("64:ff9b::")!.bits, prefixLength: 96),
      ],
      NetworkBench.spill())
    _ = try builder.add(FuseNetwork("8.8.8.0/24")!, object: 100)
    _ = try builder.add(FuseNetwork("2002::/16")!, object: 101)
    let table = try NetworkBench(NetworkBench.bytes(of: builder)).table()
    for (asked, answering) in [
      ("2002:808:808::1", "8.8.8.8"), ("64:ff9b::8.8.8.8", "8.8.8.8"), ("64:ff9b::1:0:0", "64:ff9b::1:0:0"),
      ("8.8.8.8", "8.8.8.8"), ("2003::", "2003::"),
    ] {
      #expect(table.resolved(FuseAddress(asked)!) == FuseAddress(answering)!)
    }
  }
}

struct `The way down a tree of numbers` {
  /// Two levels: a node with nine children, and these.
  private static func leaf(_ numbers: [UInt64], _ asked: UInt64) -> [Int64] {
    unsafe numbers.withUnsafeBytes { bytes in
      let start = bytes.baseAddress!
      // SAFETY: ten nodes of 64 bytes are there; no node after the last of a level is led to.
      let levels = unsafe [
        fuse_tree_level(nodes: start, last: 8), fuse_tree_level(nodes: start + 64, last: 70),
      ]
      return unsafe [fuse_tree_leaf_plain(levels, 2, asked), fuse_tree_leaf(levels, 2, asked)]
    }
  }

  /// By counting.
  private static func model(_ numbers: [UInt64], _ asked: UInt64) -> Int64 {
    func rank(_ node: Int) -> Int { numbers[8 * node..<8 * node + 8].count { $0 <= asked } }
    let child = min(rank(0), 8)
    return Int64(min(9 * child + rank(1 + child), 70))
  }

  @Test func `is the same whatever the processor can compare at once`() {
    var random = SeededRandom.announced()
    let edges: [UInt64] = [0, 1, .max >> 1, 1 << 63, .max - 1, .max]
    for _ in 0..<500 {
      let shift = UInt64(random.below(64))
      // As in a file that is sound, and as in one that is not.
      var numbers = (0..<80).map { _ in
        random.below(8) == 0 ? random.element(edges) : random.next() >> shift
      }
      if random.below(4) > 0 { for node in 0..<10 { numbers[8 * node..<8 * node + 8].sort() } }
      for asked in numbers + edges + numbers.map({ $0 &- 1 }) {
        #expect(Self.leaf(numbers, asked) == [Int64](repeating: Self.model(numbers, asked), count: 2), "\(asked)")
      }
    }
  }
}
