import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading
@testable import FuseDBWriting

struct `The builder of the hash section` {
  /// The section that is built for a plain file.
  private static func section(
    of plain: ReferenceFile, slotsPerLine: HashSection.SlotsPerLine? = nil, threadCount: Int = 2
  ) throws -> [UInt8]? {
    try BlockMaker(slotsPerLine: slotsPerLine, threadCount: threadCount).block(of: plain).table?.bytes
  }

  private static func file(_ keys: [[UInt8]]) -> ReferenceFile {
    ReferenceFile(objects: [[0xC0]], keys: keys.map { Key($0) }.sorted().map { ($0.bytes, 0) })
  }

  private static func numbered(_ count: Int) -> ReferenceFile { file((0..<count).map { Array("key \($0)".utf8) }) }

  @Test(
    arguments: [0, 1, 2, 6, 7, 8, 31, 32, 33, 155, 156, 1000, 5000], [HashSection.SlotsPerLine.seven, .five])
  func `gives the bytes of the model, with any number of threads [X10] [X11]`(
    count: Int, slotsPerLine: HashSection.SlotsPerLine
  )
    throws
  {
    let file = Self.numbered(count)
    let expected = try #require(ReferenceTable(of: file, slotsPerLine: Int(slotsPerLine.rawValue)))
    for threadCount in 1...3 {
      let bytes = try Self.section(of: file, slotsPerLine: slotsPerLine, threadCount: threadCount)
      #expect(bytes == expected.bytes, "\(threadCount) threads")
    }
  }

  @Test(arguments: [(4960, 1), (4961, 2), (50_000, 11)])
  func `gives the bytes of the model where one part is full, and in several [X11]`(count: Int, parts: Int) throws {
    let file = Self.numbered(count)
    let expected = try #require(ReferenceTable(of: file, slotsPerLine: 7))
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
    #expect(section == ReferenceTable(of: file, slotsPerLine: 7)?.bytes)
    let reader = try FuseReader(bytes: ReferenceBlock(after: file).bytes)
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
    let reader = try FuseReader(bytes: ReferenceBlock(after: file).bytes)
    var missed = 0
    for key in keys where try !reader.contains(key) { missed += 1 }
    #expect(missed == 0)
  }

  @Test func `gives up on keys that no seed tells apart, and the file does without [X8] [X11]`() throws {
    // An index that no writer makes: the same key many times.
    let file = ReferenceFile(objects: [[0xC0]], keys: [(key: [UInt8], object: Int)](repeating: ([0x61], 0), count: 10))
    #expect(try Self.section(of: file) == nil)
    #expect(ReferenceTable(of: file, slotsPerLine: 7) == nil)
  }

  @Test func `puts every key into a slot of its own`() throws {
    let file = Self.numbered(1000)
    let table = ReferenceTable(try #require(try Self.section(of: file)))
    var probes: Set<[Int]> = []
    for entry in file.entries {
      let probe = table.probe(of: entry.key.bytes)
      probes.insert([probe.line, probe.slot])
      let slot = table.slot(probe)
      #expect(slot == .init(tag: probe.tag, entry: UInt64(entry.offset) - file.indexOffset, object: entry.target))
    }
    #expect(probes.count == 1000)
    var free = 0
    for line in 0..<table.linesPerPart {
      for slotNumber in 0..<7 where table.slot(line, slotNumber) == .init(tag: 0, entry: 0xFFFF_FFFF, object: 0) {
        free += 1
      }
    }
    #expect(free == 7 * table.linesPerPart - 1000)
  }

  // MARK: Memory

  /// Nothing to divide: all of the records go to the temporary file, and few parts are made at a time. Some bytes stay in
  /// memory. All of them do.
  static let memories = [0, 5 << 20 + 256 << 10, 64 << 20]

  @Test func `gives the bytes of the model with any memory and any number of threads [X11]`() throws {
    let file = Self.numbered(50_000)
    let expected = ReferenceBlock(after: file).bytes
    let sizes = Self.memories.map { BlockSizes(keyCount: 50_000, memory: $0, threadCount: 2) }
    #expect(sizes[0].keptByteCount == 0 && sizes[1].keptByteCount > 0)
    // Records have 16 bytes.
    #expect(sizes.map { $0.keptByteCount < 16 * 50_000 } == [true, true, false])
    for memory in Self.memories {
      for threadCount in 1...3 {
        let isEqual = try BlockMaker(memory: memory, threadCount: threadCount).block(of: file).bytes == expected
        #expect(isEqual, "\(memory) bytes, \(threadCount) threads")
      }
      // Told that the file may be large, it keeps wide records and writes the same.
      let isEqual = try BlockMaker(memory: memory, mayBeLarge: true).block(of: file).bytes == expected
      #expect(isEqual, "\(memory) bytes, wide records")
    }
  }

  @Test(arguments: memories)
  func `takes another seed after parts were written under the first, with any memory`(memory: Int) throws {
    var random = SeededRandom.announced()
    // The last bucket of three parts is too large.
    let hashes = Set((0..<300).map { _ in 0xFFFF_FFFF_FF00_0000 | random.next() & 0xFF_FFFF })
    let file = Self.file((0..<12_000).map { Array("key \($0)".utf8) } + hashes.map(XXH3Inverse.key))
    let expected = ReferenceBlock(after: file)
    #expect(try #require(expected.table).seed != 0)
    for threadCount in 1...3 {
      let isEqual = try BlockMaker(memory: memory, threadCount: threadCount).block(of: file).bytes == expected.bytes
      #expect(isEqual, "\(threadCount) threads")
    }
  }

  @Test func `leaves nothing of its attempts behind when all seeds fail [X1] [X11]`() throws {
    // Other parts find their places before that of the key that stands in the index three hundred times.
    let file = Self.file((0..<6000).map { Array("key \($0)".utf8) } + [[UInt8]](repeating: [0x61], count: 300))
    let order = ReferenceBlock.Section(kind: "ORDR", bytes: ReferenceBlock.order(of: file))
    for memory in [0, 64 << 20] {
      #expect(try BlockMaker(memory: memory).block(of: file).bytes == ReferenceBlock(after: file, [order]).bytes)
    }
  }
}
