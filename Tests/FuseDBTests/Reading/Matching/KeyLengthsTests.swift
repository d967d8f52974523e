import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBPatching
@testable import FuseDBReading

struct `The section of key lengths` {
  /// The worked example of spec/matches.md §6.
  static let example = MatchBench(["*.a.com", ".a.com", "b.com", "jo@b.com"])

  @Test func `is that of the worked example [Q8]`() throws {
    let section = [UInt8](
      hex: "0200000000000000" + "0200000000000000" + "0200000000000000" + "0100000000000000"
        + "2001000000000000" + String(repeating: "00", count: 24)
        + "2000000000000000" + String(repeating: "00", count: 24)
        + "2000000000000000" + String(repeating: "00", count: 24)
        + "e001000000000000")
    var lengths = KeyLengths()
    for key in Self.example.keys { lengths.add(key.bytes.rawSpan) }
    #expect(lengths.bytes == section)
    #expect(ReferenceLengths.section(Self.example.keys) == section)
  }

  @Test func `is what the reference makes of random keys [Q8]`() throws {
    var random = SeededRandom.announced()
    for count in [0, 1, 2, 40, 400] {
      var keys = Array(Samples.mapping(count, &random).keys)
      if count > 1 {
        let name = random.bytes(253).map { $0 == 0x2E ? 0x2F : $0 }
        keys += [name, [0x2E] + name, [0x2A, 0x2E] + name, name + [0x61], [0x2E] + name + [0x61]].map(Key.init)
        keys += [Key([UInt8](repeating: 0x2E, count: 70)), Key("."), Key("*."), Key("*"), Key("a@")]
      }
      var lengths = KeyLengths()
      for key in keys.shuffled(using: &random) { lengths.add(key.bytes.rawSpan) }
      let bytes = lengths.bytes
      #expect(bytes == ReferenceLengths.section(keys))
      #expect(try KeyLengths(parsing: bytes.rawSpan, checksum: ReferenceFile.crc(bytes), at: 0) == lengths)
    }
  }

  @Test func `names the lengths that keys have`() throws {
    var random = SeededRandom.announced()
    for bound in [1, 64, 65, 300, 65_536] {
      let lengths = Set((0..<20).map { _ in random.below(bound) })
      var section = KeyLengths()
      for length in lengths { section.add([UInt8](repeating: 0x61, count: length).rawSpan) }
      let memory = KeyLengthMemory(section)
      let table = KeyLengthTable(in: memory)
      for length in [0, 1, 63, 64, bound - 1, bound, 65_535] + lengths + lengths.map({ $0 + 1 }) {
        #expect(table.has(length) == lengths.contains(length), "\(length)")
        #expect(table.longest(atMost: length) == lengths.filter { $0 <= length }.max(), "\(length)")
      }
      withExtendedLifetime(memory) {}
    }
    let none = KeyLengthMemory(KeyLengths())
    #expect(KeyLengthTable(in: none).longest(atMost: 65_535) == nil)
    withExtendedLifetime(none) {}
    #expect(KeyLengthTable(in: .unknown).longest(atMost: 1 << 20) == 65_535)
  }

  @Test(arguments: [0, 127, 132, 8 * (16 + 1024) + 8])
  func `of a length that it cannot have is refused [Q9]`(byteCount: Int) throws {
    let plain = Samples.small
    let section = ReferenceBlock.Section(kind: "KLEN", bytes: [UInt8](repeating: 0, count: byteCount))
    let bytes = ReferenceBlock(after: plain, ReferenceBlock.sections(of: plain) + [section]).bytes
    let error = failure { _ = try FuseReader(bytes: bytes) }
    #expect(error?.code == .corrupted && error?.offset != nil)
    let folder = try TemporaryFolder()
    let report = try FuseReader.verify(path: folder.write(bytes))
    #expect(report.damage.map(\.kind) == [.lengths])
  }

  @Test func `that names other lengths is damage [Q10]`() throws {
    let plain = Samples.small
    let folder = try TemporaryFolder()
    for keys in [[Key("b")], []] {
      let section = ReferenceBlock.Section(kind: "KLEN", bytes: ReferenceLengths.section(keys))
      let bytes = ReferenceBlock(after: plain, ReferenceBlock.sections(of: plain) + [section]).bytes
      let report = try FuseReader.verify(path: folder.write(bytes))
      #expect(report.damage.map(\.kind) == [.lengths])
    }
    let section = ReferenceBlock.Section(kind: "KLEN", bytes: ReferenceLengths.section(plain.entries.map(\.key)))
    let bytes = ReferenceBlock(after: plain, ReferenceBlock.sections(of: plain) + [section]).bytes
    #expect(try FuseReader.verify(path: folder.write(bytes)).isSound)
  }

  @Test func `and all else of a file, each bit flipped, leads to no other match [Q7] [Q9]`() throws {
    let bench = MatchBench(["", "a", "a.b", "*.b", ".c.b", "a@c.b", "ac"])
    let questions: [MatchQuestion] = [
      .domain(Array("a.b".utf8)), .domain(Array("x.c.b".utf8)), .domain(Array("b".utf8)), .email(Array("a@c.b".utf8)),
      .email(Array("b@b".utf8)), .prefix(Array("acb".utf8)), .prefix(Array("a.x".utf8)),
    ]
    let answers = questions.map { $0.key(bench.model) }
    let sound = try bench.bytes(.lengths)
    let reader = try FuseReader(bytes: sound)
    let section = try #require(Self.directory(of: sound).lengths).range
    let start = reader.dataEnd
    for bit in 8 * start..<8 * sound.count {
      let bytes = sound.flipping(bit: bit)
      var fails = 0
      do throws(FuseError) {
        let reader = try FuseReader(bytes: bytes)
        for (question, answer) in zip(questions, answers) {
          if let found = try? question.key(reader) {
            #expect(found == answer, "bit \(bit): \(question)")
          }
        }
      } catch { fails += 1 }
      if section.contains(bit / 8) { #expect(fails == 1, "bit \(bit)") }
    }
  }

  static func directory(of bytes: [UInt8]) throws -> ExtensionDirectory {
    let header = try Header(parsing: bytes.rawSpan)
    return try KeyIndex.block(of: bytes.rawSpan, header: header).1
  }

  @Test func `is kept by merging, reindexing and patching, and made where it is asked for`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(FuseWriter.Options(keyLengths: true))
    let object = try writer.addObject([0x01])
    for key in Self.example.keys { try writer.addKey(key.bytes, for: object) }
    try writer.build(to: folder.path("with.fsdb"))
    let bytes = try folder.read("with.fsdb")
    let range = try #require(Self.directory(of: bytes).lengths).range
    #expect(Array(bytes[range]) == ReferenceLengths.section(Self.example.keys))
    #expect(try FuseReader.verify(path: folder.path("with.fsdb")).isSound)

    // Reindexing makes it, and keeps it.
    let other = FuseWriter()
    let second = try other.addObject([0x01])
    for key in Self.example.keys { try other.addKey(key.bytes, for: second) }
    try other.build(to: folder.path("without.fsdb"))
    let without = try folder.read("without.fsdb")
    #expect(try Self.directory(of: without).lengths == nil)
    try FuseWriter.reindex(folder.path("without.fsdb"), output: folder.path("reindexed.fsdb"), keyLengths: true)
    #expect(try folder.read("reindexed.fsdb") == bytes)
    try FuseWriter.reindex(folder.path("reindexed.fsdb"))
    #expect(try folder.read("reindexed.fsdb") == bytes)

    // Merging keeps it, and takes all keys in.
    let third = FuseWriter()
    try third.addKey("a much longer key", for: third.addObject([0x02]))
    try third.build(to: folder.path("third.fsdb"))
    try FuseWriter.merge([folder.path("with.fsdb"), folder.path("third.fsdb")], to: folder.path("merged.fsdb"))
    let merged = try folder.read("merged.fsdb")
    let keys = Self.example.keys.union([Key("a much longer key")])
    #expect(try Array(merged[#require(Self.directory(of: merged).lengths).range]) == ReferenceLengths.section(keys))

    let bench = try PatchBench()
    for (old, new) in [(without, bytes), (bytes, merged), (merged, without)] {
      let patch = try bench.patch(from: old, to: new)
      #expect(try bench.apply(patch, to: old) == new)
    }
  }
}
