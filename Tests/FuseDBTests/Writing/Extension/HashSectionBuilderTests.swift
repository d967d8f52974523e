import Testing

@testable import FuseDB

struct `The builder of the hash section` {
  /// The section that is built for a plain file.
  private static func section(
    of plain: ReferenceFile, lanes: HashSection.Lanes? = nil, threadCount: Int = 2
  ) throws -> [UInt8]? {
    try BlockMaker(lanes: lanes, threadCount: threadCount).block(of: plain).table?.bytes
  }

  private static func file(_ keys: [[UInt8]]) -> ReferenceFile {
    ReferenceFile(objects: [[0xC0]], keys: keys.map { Key($0) }.sorted().map { ($0.bytes, 0) })
  }

  private static func numbered(_ count: Int) -> ReferenceFile { file((0..<count).map { Array("key \($0)".utf8) }) }

  @Test(
    arguments: [0, 1, 2, 6, 7, 8, 31, 32, 33, 155, 156, 1000, 5000], [HashSection.Lanes.seven, .five])
  func `gives the bytes of the model, with any number of threads [X10] [X11]`(count: Int, lanes: HashSection.Lanes)
    throws
  {
    let file = Self.numbered(count)
    let expected = try #require(ReferenceTable(of: file, lanes: Int(lanes.rawValue)))
    for threadCount in 1...3 {
      let bytes = try Self.section(of: file, lanes: lanes, threadCount: threadCount)
      #expect(bytes == expected.bytes, "\(threadCount) threads")
    }
  }

  @Test(arguments: [(4960, 1), (4961, 2), (50_000, 11)])
  func `gives the bytes of the model where one part is full, and in several [X11]`(count: Int, parts: Int) throws {
    let file = Self.numbered(count)
    let expected = try #require(ReferenceTable(of: file, lanes: 7))
    #expect(expected.partCount == parts)
    for threadCount in [1, 2, 3] {
      let isEqual = try Self.section(of: file, threadCount: threadCount) == expected.bytes
      #expect(isEqual, "\(threadCount) threads")
    }
  }

  @Test func `takes another seed for keys that share their hashes' upper bits under the first`() throws {
    let prefix: UInt64 = 0xABCD_EF01_2300_0000
    var random = SeededRandom.announced()
    let hashes = Set((0..<3000).map { _ in prefix | random.next() & 0xFF_FFFF })
    let keys = hashes.map(XXH3Inverse.key)
    // Forty upper bits alike: one bucket for them all.
    #expect(zip(hashes, keys).allSatisfy { ReferenceTable.hash($1, seed: 0) == $0 })
    let file = Self.file(keys)
    let section = try #require(try Self.section(of: file))
    let table = ReferenceTable(section)
    // The second seed depends on all keys.
    let second = ReferenceTable.hash([UInt8](file.bytes[Int(file.indexOffset)...]), seed: 1)
    #expect(table.seed == second)
    #expect(section == ReferenceTable(of: file, lanes: 7)?.bytes)
    let reader = try FuseReader(bytes: ReferenceBlock(behind: file).bytes)
    #expect(reader.index.table?.section.seed == second)
    var missed = 0
    for key in keys where try reader.copy(of: key) != [0xC0] { missed += 1 }
    #expect(missed == 0)
    // Others of the same kind are absent.
    for hash in (0..<1000).map({ _ in prefix | random.next() & 0xFF_FFFF }) where !hashes.contains(hash) {
      #expect(try !reader.contains(XXH3Inverse.key(for: hash)))
    }
  }

  @Test func `takes keys whose hashes share twenty upper bits under seed 0`() throws {
    var random = SeededRandom.announced()
    let keys = Set((0..<3000).map { _ in 0x12345 << 44 | random.next() & (1 << 44 - 1) }).map(XXH3Inverse.key)
    let file = Self.file(keys)
    let section = try #require(try Self.section(of: file))
    #expect(ReferenceTable(section).seed != 0)
    let reader = try FuseReader(bytes: ReferenceBlock(behind: file).bytes)
    var missed = 0
    for key in keys where try !reader.contains(key) { missed += 1 }
    #expect(missed == 0)
  }

  @Test func `gives up on keys that no seed tells apart, and the file does without [X8] [X11]`() throws {
    // An index that no writer makes: the same key many times.
    let file = ReferenceFile(objects: [[0xC0]], keys: [(key: [UInt8], object: Int)](repeating: ([0x61], 0), count: 10))
    #expect(try Self.section(of: file) == nil)
    #expect(ReferenceTable(of: file, lanes: 7) == nil)
  }

  @Test func `puts every key into a slot of its own`() throws {
    let file = Self.numbered(1000)
    let table = ReferenceTable(try #require(try Self.section(of: file)))
    var ways: Set<[Int]> = []
    for entry in file.entries {
      let way = table.way(of: entry.key.bytes)
      ways.insert([way.line, way.lane])
      let slot = table.slot(way)
      #expect(slot == .init(tag: way.tag, entry: UInt64(entry.offset) - file.indexOffset, object: entry.target))
    }
    #expect(ways.count == 1000)
    var free = 0
    for line in 0..<table.linesPerPart {
      for lane in 0..<7 where table.slot(line, lane) == .init(tag: 0, entry: 0xFFFF_FFFF, object: 0) { free += 1 }
    }
    #expect(free == 7 * table.linesPerPart - 1000)
  }
}
