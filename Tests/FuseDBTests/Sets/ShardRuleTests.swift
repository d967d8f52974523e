import FuseDB
import ProgramSupport
import Testing

struct ShardRuleTests {
  private static let counts = [1, 3, 7, 64, 1000]

  /// Made with Python's xxhash: see spec/sharding.md §2.
  @Test(arguments: [
    ("", [0, 0, 3, 4, 652]), ("61", [0, 0, 3, 12, 716]), ("382e382e382e38", [0, 0, 5, 19, 843]),
    ("676d61696c2e636f6d", [0, 2, 6, 34, 354]), ("31302e302e302e302f38", [0, 2, 6, 60, 92]),
    ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627", [0, 1, 3, 58, 650]),
    ("ff00", [0, 1, 0, 36, 532]),
  ])
  func `[GR1] the worked values of the specification`(hex: String, shards: [Int]) {
    let key = [UInt8](hex: hex)
    for (count, shard) in zip(Self.counts, shards) { #expect(ShardRule.hash(count: count).shard(of: key) == shard) }
  }

  /// Beside the division of signed numbers that the rule is.
  @Test func `[GR1] the remainder by multiplication is that of a division`() {
    var random = SeededRandom.announced()
    let hashes: [UInt64] =
      [0, 1, .max, .max - 1, 1 << 63, 1 << 63 - 1, 1 << 63 + 1] + (0..<200).map { _ in random.next() }
    for count in [1, 2, 3, 5, 63, 64, 65, 1000, 4095, 65_535, 65_536] + (0..<50).map({ _ in 1 + random.below(65_536) })
    {
      let division = ShardDivision(by: count)
      let near = hashes + (0..<5).flatMap { UInt64($0) * UInt64(count)..<UInt64($0) * UInt64(count) + 2 }
      for hash in near {
        let rest = Int64(bitPattern: hash) % Int64(count)
        #expect(division.remainder(of: hash) == Int(rest < 0 ? rest + Int64(count) : rest), "\(hash) of \(count)")
      }
    }
  }

  @Test func `[GR2] a range begins with its lower bound`() {
    let rule = ShardRule.ranges(lowerBounds: [[], Array("b".utf8), Array("bb".utf8)])
    #expect(["", "a", "b", "ba", "bb", "z"].map { rule.shard(of: $0) } == [0, 0, 1, 1, 2, 2])
  }

  @Test(arguments: [(0, 1), (100, 1), (101, 2), (200, 2), (201, 4), (1_000_000, 16_384), (1 << 50, 65_536)])
  func `[GC1] the fewest shards, a power of two, that are no larger`(byteCount: Int, count: Int) {
    #expect(ShardRule.count(for: byteCount, shardByteCount: 100) == count)
  }

  @Test func `rules that cannot be are told`() {
    #expect(ShardRule.hash(count: 0).flaw != nil && ShardRule.hash(count: 65_537).flaw != nil)
    #expect(
      ShardRule.ranges(lowerBounds: [[1]]).flaw != nil && ShardRule.ranges(lowerBounds: [[], [2], [2]]).flaw != nil)
    #expect(ShardRule.ranges(lowerBounds: [[], [1], [2]]).flaw == nil && ShardRule.hash(count: 65_536).flaw == nil)
  }
}
