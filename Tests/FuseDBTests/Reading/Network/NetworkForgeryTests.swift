import Testing

import FuseDB

@testable import FuseDBReading

/// Lines and headers that no writer makes, under right checks.
struct `A forged section of networks` {
  /// A section with a line changed, and its check made right.
  private static func forging(
    _ section: [UInt8], _ table: NetworkSection.Table, line: Int, _ change: (inout [UInt8]) -> Void
  ) throws -> [UInt8] {
    let bench = NetworkBench(section)
    let sound = try bench.table()
    let start = sound.offset(of: table, line) - sound.offset
    let (base, next) = sound.bases(of: table, line)
    withExtendedLifetime(bench) {}
    var image = Array(section[start..<start + 64])
    change(&image)
    let check = NetworkLine.check(of: image.rawSpan, base: base, next: next)
    image.replaceSubrange(60..<64, with: ReferenceFile.big(Int(check), 4).reversed())
    return Array(section[..<start]) + image + section[(start + 64)...]
  }

  /// Three blocks in one line of IPv4: seven runs, in units of 2^24.
  private static func threeBlocks() throws -> [UInt8] {
    try NetworkBench.section([
      (FuseNetwork("16.0.0.0/8")!, 40), (FuseNetwork("32.0.0.0/8")!, 41), (FuseNetwork("48.0.0.0/8")!, 42),
    ])
  }

  /// Starts of lanes and a block: the first lane begins after it; the third lane's start is beyond all addresses, so that the second one's
  /// run ends before it.
  @Test(arguments: [([20, 30, 40, 50, 60, 70, 80], "15.0.0.0/8"), ([0, 16, 257, 258, 259, 260, 261], "17.0.0.0/8")])
  func `whose runs do not follow one another ends a walk before it gives a block [A16]`(
    starts: [Int], within: String
  ) throws {
    let section = try Self.forging(Self.threeBlocks(), .ipv4, line: 0) { line in
      #expect(line[56] == 24)
      for (lane, start) in starts.enumerated() {
        (line[2 * lane], line[2 * lane + 1]) = (UInt8(start & 0xFF), UInt8(start >> 8))
      }
    }
    let bench = NetworkBench(section)
    var walk = NetworkWalk(try bench.table(), within: FuseNetwork(within)!)
    var found: FuseNetwork?
    let error = failure { found = try walk.next(exact: { _ in nil })?.network }
    #expect(error?.code == .corrupted)
    #expect(found == nil)
    withExtendedLifetime(bench) {}
  }

  @Test func `with more blocks than its header says ends a walk at the first of these [A16]`() throws {
    let bench = NetworkBench(NetworkBench.forging(try Self.threeBlocks(), at: 0, [2, 0, 0, 0]))
    var walk = NetworkWalk(try bench.table(), within: FuseNetwork("0.0.0.0/0")!)
    var found: [FuseNetwork] = []
    let error = failure { while let next = try walk.next(exact: { _ in nil }) { found.append(next.network) } }
    #expect(error?.code == .corrupted)
    #expect(found == [FuseNetwork("16.0.0.0/8")!, FuseNetwork("32.0.0.0/8")!])
    withExtendedLifetime(bench) {}
  }

  @Test(arguments: [true, false])
  func `that says deeper and has no deep lines is damaged [A15]`(isChecked: Bool) throws {
    var section = try NetworkBench.section([(FuseNetwork("2001:db8::/32")!, 40)])
    for line in 0..<2 {
      section = try Self.forging(section, .ipv6, line: line) {
        $0.replaceSubrange(16..<24, with: Array(repeating: 255, count: 8))
      }
    }
    let bench = NetworkBench(section)
    let table = try bench.table()
    #expect(table.section.lineCounts.ipv6 == 2 && table.section.lineCounts.deep == 0)
    for address in ["::", "2001:db8::1", "2001:db9::"] {
      #expect(failure { _ = try table.match(FuseAddress(address)!, isChecked: isChecked) }?.code == .corrupted)
    }
    withExtendedLifetime(bench) {}
  }

  @Test func `that names a deep line after the address is damaged for it [A15]`() throws {
    // Two deep lines, for the two are far apart. The first address of both /64 is in the first one.
    var section = try NetworkBench.section([
      (FuseNetwork("2001:db8::1/128")!, 40), (FuseNetwork("2001:db8:1::1/128")!, 41),
    ])
    let sound = NetworkBench(section)
    let counts = try sound.table().section.lineCounts
    #expect(counts.deep == 2)
    var changedCount = 0
    for line in 0..<counts.ipv6 {
      section = try Self.forging(section, .ipv6, line: line) { line in
        for lane in 0..<8 where line[16 + lane] == 255 {
          #expect(line[24 + 4 * lane] == 0)
          line[24 + 4 * lane] = 1
          changedCount += 1
        }
      }
    }
    #expect(changedCount > 0)
    let bench = NetworkBench(section)
    let table = try bench.table()
    for address in ["2001:db8::", "2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:0", "2001:db8:1::"] {
      #expect(failure { _ = try table.match(FuseAddress(address)!) }?.code == .corrupted, "\(address)")
    }
    // Those in it are still right.
    #expect(try table.match(FuseAddress("2001:db8:1::1")!).object == 41)
    #expect(try !table.match(FuseAddress("2001:db8:1::2")!).isFound)
    withExtendedLifetime(bench) {}
  }
}
