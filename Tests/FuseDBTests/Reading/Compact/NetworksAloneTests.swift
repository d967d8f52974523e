import FuseDB
import FuseDBFormat
import ProgramSupport
import Testing

@testable import FuseDBReading

/// Compact files of networks alone, beside files of version 2 with the same keys. See spec/compact.md §15.
struct NetworksAloneTests {
  /// Keys in their order, with the number of the object of each.
  private struct Model {
    var keys: [[UInt8]]
    var objects: [Int]

    init(_ networks: Set<FuseNetwork>, addressesHaveLengths: Bool, objectCount: Int, _ random: inout SeededRandom) {
      let texts = networks.map { network in
        network.prefixLength == network.family.bitCount && !addressesHaveLengths
          ? network.address.description : network.description
      }
      keys = texts.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
      objects = keys.map { _ in random.below(objectCount) }
    }

    func write(_ folder: TemporaryFolder, as name: String, _ form: FuseWriter.Form) throws -> FuseReader {
      var options = FuseWriter.Options()
      options.form = form
      options.networks = .always
      let writer = FuseWriter(options)
      for (key, object) in zip(keys, objects) {
        _ = try writer.add([key], messagePack: [0xCD, UInt8(object >> 8), UInt8(object & 0xFF)])
      }
      _ = try writer.build(to: folder.path(name))
      return try FuseReader(path: folder.path(name))
    }
  }

  private static func networks(_ random: inout SeededRandom) -> Set<FuseNetwork> {
    var networks: Set<FuseNetwork> = []
    let lengths: [[Int]] = [[0, 8, 16, 24, 32], Array(0...32), [24, 25, 26, 32]]
    let longLengths: [[Int]] = [Array(0...128), [0, 32, 48, 64, 65, 128], [64, 96, 128]]
    let (short, long) = (random.element(lengths), random.element(longLengths))
    let share = random.element([0, 1, 5, 10])
    for _ in 0..<random.element([1, 3, 40, 400]) {
      let isLong = random.below(10) < share
      let bits: UInt128 =
        isLong
        ? random.element([0x2001_0db8 << 96, 0, 0xfe80 << 112]) | UInt128(random.below(1 << 20))
          << random.element([0, 44, 60])
        : UInt128(random.element([0, 0x0a00_0000, 0xc0a8_0000, 0xffff_0000]) | random.below(1 << 16))
      let address = FuseAddress(family: isLong ? .ipv6 : .ipv4, bits: bits)
      let network = FuseNetwork(around: address, prefixLength: random.element(isLong ? long : short))
      // That would be a block of IPv4 in another text.
      guard !isLong || network.prefixLength < 96 || network.address.bits >> 32 != 0xffff else { continue }
      networks.insert(network)
      // Both halves of some, which hide them.
      guard random.below(4) == 0, network.prefixLength < network.family.bitCount else { continue }
      let half = UInt128(1) << UInt128(network.family.bitCount - network.prefixLength - 1)
      for first in [network.address.bits, network.address.bits | half] {
        networks.insert(
          FuseNetwork(
            around: FuseAddress(family: network.family, bits: first), prefixLength: network.prefixLength + 1))
      }
    }
    return networks
  }

  @Test(arguments: 0..<12)
  func `answers are those of version 2 [CN1] [CN2] [CN6] [CN7]`(round: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let networks = Self.networks(&random)
    let model = Model(
      networks, addressesHaveLengths: round % 2 == 0, objectCount: random.element([1, 3, 1000]), &random)
    let (two, three) = (try model.write(folder, as: "2.fsdb", .family), try model.write(folder, as: "3.fsdb", .compact))
    let sections = try three.statistics().sections
    #expect(sections.contains { $0.name == "SHOW" } && !sections.contains { $0.name == "HASH" })
    #expect(try FuseReader.verify(path: folder.path("3.fsdb")).damage.isEmpty)
    #expect(try Self.keys(three, .ascending) == model.keys)
    #expect(try Self.keys(three, .descending) == model.keys.reversed())
    for (number, key) in model.keys.enumerated() {
      let asked = [key, key + [0x31], Array(key.dropLast()), Array(key.prefix { $0 != 0x2f }), key + Array("/32".utf8)]
      for other in asked {
        let theirs = try two.bytes(forKey: other)?.array()
        #expect(try three.bytes(forKey: other)?.array() == theirs)
        #expect(try three.entries(from: other).count == two.entries(from: other).count)
      }
      #expect(try three.entry(number: number).key == key)
    }
    // In place, many at once and one by one; nothing is kept of it.
    let alone = try FuseReader(path: folder.path("3.fsdb"))
    var values: [[[UInt8]?]] = [[], []]
    for (number, reader) in [two, alone].enumerated() {
      try reader.withLongestMatches(of: networks.map(\.address)) { _, match in
        values[number].append(try match?.withValue { $0.messagePack.array() })
      }
      for network in networks {
        values[number].append(try reader.longestMatch(of: network.address)?.withValue { $0.messagePack.array() })
      }
    }
    #expect(values[0] == values[1] && values[0].contains { $0 != nil })
    #expect(alone.expanded.byteCount == 0)
    for network in networks {
      let ours = try three.longestMatch(of: network.address)
      let theirs = try two.longestMatch(of: network.address)
      let isSame = ours?.key == theirs?.key && ours?.scope == theirs?.scope
      #expect(isSame)
      #expect(try three.containing(network.address).map(\.network) == two.containing(network.address).map(\.network))
    }
  }

  private static func keys(_ reader: FuseReader, _ direction: FuseReader.Direction) throws -> [[UInt8]] {
    var scan = try reader.entries(direction)
    var keys: [[UInt8]] = []
    while let entry = try scan.next() { try keys.append(entry.key) }
    return keys
  }
}
