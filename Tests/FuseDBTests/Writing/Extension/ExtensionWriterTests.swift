import ProgramSupport
import Testing

import FuseDB

struct `The writer of the extension block` {
  private static func built(
    _ mapping: [Key: [UInt8]], metadata: [String: String] = [:], _ random: inout SeededRandom
  ) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(metadata: metadata))
    for (key, object) in mapping.shuffled(using: &random) { try writer.add([key.bytes], messagePack: object) }
    let report = try writer.build(to: folder.path("file.fsdb"))
    let bytes = try folder.read("file.fsdb")
    #expect(report.byteCount == bytes.count)
    return bytes
  }

  @Test(arguments: [0, 1, 2, 7, 8, 31, 32, 33, 155, 156, 1000])
  func `gives the model's bytes, however the keys were added [X1] [X5] [X10] [X11] [X12]`(count: Int) throws {
    var random = SeededRandom.announced()
    let mapping = Samples.mapping(count, &random)
    let expected = ReferenceBlock(after: ReferenceFile(canonical: mapping)).bytes
    for _ in 0..<3 {
      let bytes = try Self.built(mapping, &random)
      #expect(bytes == expected)
    }
  }

  @Test func `gives the model's bytes for fifty thousand keys, in eleven parts`() throws {
    var random = SeededRandom.announced()
    let keys = (0..<50_000).map { Array("key \($0)".utf8) }
    let bytes = try Self.built(Dictionary(uniqueKeysWithValues: keys.map { (Key($0), [0xC0]) }), &random)
    let plain = ReferenceFile(objects: [[0xC0]], keys: keys.map { Key($0) }.sorted().map { ($0.bytes, 0) })
    let isEqual = bytes == ReferenceBlock(after: plain).bytes
    #expect(isEqual)
    #expect(ReferenceBlock(bytes).table?.partCount == 11)
  }

  @Test(arguments: [1, 7, 33, 200])
  func `writes lines of five slots when told to`(count: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let plain = ReferenceFile(canonical: Samples.mapping(count, &random))
    let (file, header) = try BlockMaker(slotsPerLine: .five).file(of: plain, in: folder, named: "wide.fsdb")
    try file.publish(header: header.bytes)
    #expect(try folder.read("wide.fsdb") == ReferenceBlock(after: plain, slotsPerLine: 5).bytes)
  }

  @Test func `keeps what it is told of the file, in the order of the names, and no more [X13] [C4]`() throws {
    var random = SeededRandom.announced()
    let metadata = [
      "source": "here", "built": "2026-01-01T00:00:00Z", "": "", "z": String(repeating: "long ", count: 20), "é": "e",
      "comment": "日本",
    ]
    let mapping = Samples.mapping(10, &random)
    let expected = ReferenceBlock(after: ReferenceFile(canonical: mapping), metadata: metadata)
    for _ in 0..<5 { #expect(try Self.built(mapping, metadata: metadata, &random) == expected.bytes) }
    let range = try #require(expected.range("META"))
    #expect(ReferenceValue.isOneValue([UInt8](expected.bytes[range])))
  }

  @Test func `refuses metadata of more than a mebibyte, and writes nothing [X13]`() throws {
    let folder = try TemporaryFolder()
    // The map, the name "k", and the five bytes before a long text.
    for (count, isTaken) in [(1 << 20 - 8, true), (1 << 20 - 7, false)] {
      let writer = FuseWriter(.init(metadata: ["k": String(repeating: "x", count: count)]))
      let error = failure { try writer.build(to: folder.path("file.fsdb")) }
      #expect((error == nil) == isTaken)
      #expect(isTaken || error?.code == .limitExceeded)
    }
  }

  /// Footer, two entries of the directory, and at most 63 zeros before each section and the directory.
  private static let mostBeside = 48 + 64 + 3 * 63

  @Test(
    arguments: [
      100_000, 104_160, 104_161, 1_000_000, 10_000_000, 4960 * 300 + 1, 100_000_000, 4_294_967_295,
    ])
  func `takes at most eleven bytes a key, from a hundred thousand keys on [X11] [X12]`(keyCount: Int) {
    let hash = HashSection(keyCount: keyCount, slotsPerLine: .seven, seed: 0).sectionByteCount
    #expect(hash + 12 * StrideRow.count(keyCount: keyCount) + Self.mostBeside <= 11 * keyCount)
  }

  @Test func `takes no more of a file than its sections need`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter()
    let object = try writer.addObject([0xC0])
    for number in 0..<100_000 { try writer.addKey(String(number), for: object) }
    try writer.build(to: folder.path("file.fsdb"))
    let reader = try FuseReader(path: folder.path("file.fsdb"))
    let byteCount = reader.byteCount - reader.index.end
    // By [X11]: 21 parts of 32 lines of pilots and 756 of slots, and a header; by [X12]: 3,125 rows.
    let sections = 64 * (1 + 21 * (32 + 756)) + 12 * 3125
    #expect(byteCount >= sections && byteCount <= sections + Self.mostBeside)
    #expect(byteCount <= 11 * 100_000)
  }

  @Test func `leaves data, index and counts as they are without it, and only the checksum differs`() throws {
    var random = SeededRandom.announced()
    let mapping = Samples.mapping(40, &random)
    let bytes = try Self.built(mapping, &random)
    let plain = ReferenceFile(canonical: mapping)
    #expect(ReferenceBlock(bytes).plain.bytes == plain.bytes)
    #expect(UInt64(ReferenceFile.bitwiseCRC(bytes[40...])) == bytes.number(at: 32, 4))
  }
}
