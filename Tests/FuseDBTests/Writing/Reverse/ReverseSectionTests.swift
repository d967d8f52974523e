import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBReading
@testable import FuseDBWriting

/// The section `REVS`, as it is written and kept.
struct `A reverse index` {
  private static let request = SectionRequest(networks: .never, reverseIndex: true)

  @Test func `is made as its rules say [Y3] [Y4] [Y5]`() throws {
    var random = SeededRandom.announced()
    for file in `The keys that share an object`.files(&random) {
      let made = try BlockMaker(sections: Self.request).block(of: file)
      #expect(made.bytes == ReferenceReverse.file(file).bytes)
      #expect(try FuseReader(bytes: made.bytes).verify().isSound)
    }
  }

  @Test func `has the same bytes where its entries wait in a file`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let objects = (0..<9000).map { _ in UInt64(40 + random.below(400) * random.below(400)) << UInt64(random.below(30)) }
    func bytes(memory: Int, _ spill: Spill) throws -> [UInt8] {
      let records = ReverseRecords(spill, memory: memory)
      for object in objects { try records.add(object: object) }
      var bytes: [UInt8] = []
      try records.write { block throws(FuseError) in bytes += block.array() }
      return bytes
    }
    let spill = Spill(in: folder.path, memory: 0, chunkByteCount: 4096)
    let whole = try bytes(memory: 1 << 20, Spill(in: folder.path, memory: 1 << 20, chunkByteCount: 4096))
    #expect(try bytes(memory: 0, spill) == whole)
    #expect(whole.count > 256 && whole.count % 256 == 0)
  }

  @Test func `has no bytes where each key has an object of its own`() throws {
    let file = `The keys that share an object`.file(keyCount: 300) { $0 }
    let made = try BlockMaker(sections: Self.request).block(of: file)
    #expect(made.range("REVS")?.isEmpty == true)
    let reader = try FuseReader(bytes: made.bytes)
    #expect(reader.index.reverse != nil)
    #expect(try reader.verify().isSound)
    var scan = try #require(try reader.keys(sharing: "key 1007"))
    #expect(try scan.rest() == [Key("key 1007")])
  }

  @Test func `is asked for, added by reindexing, and kept by reindexing, merging and patching`() throws {
    let folder = try TemporaryFolder()
    func build(_ name: String, _ options: FuseWriter.Options, _ number: Int = 0) throws {
      let writer = FuseWriter(options)
      try writer.add(["a", "b", "key \(number)"], messagePack: [0x01])
      try writer.add(["c"], messagePack: [0x02])
      try writer.build(to: folder.path(name))
    }
    func has(_ name: String) throws -> Bool {
      let reader = try FuseReader(path: folder.path(name))
      #expect(try reader.verify().isSound)
      var scan = try #require(try reader.keys(sharing: "a"))
      #expect(try scan.rest().prefix(2) == [Key("a"), Key("b")])
      return reader.index.reverse != nil
    }
    try build("without", .init())
    #expect(try !has("without"))
    try build("plain", .init(layout: .plain, reverseIndex: true))
    #expect(try !has("plain"))
    try build("with", .init(reverseIndex: true))
    #expect(try has("with"))
    try FuseWriter.reindex(folder.path("without"), output: folder.path("added"), reverseIndex: true)
    #expect(try folder.read("added") == folder.read("with"))
    try FuseWriter.reindex(folder.path("with"), metadata: ["source": "here"])
    #expect(try has("with"))
    try build("other", .init(), 1)
    try FuseWriter.merge(["with", "other"].map(folder.path), to: folder.path("merged"))
    #expect(try has("merged"))
    try FuseWriter.merge(
      ["without", "other"].map(folder.path), to: folder.path("asked"), options: .init(reverseIndex: true))
    #expect(try has("asked"))
    try FusePatch.make(
      from: FuseReader(path: folder.path("other")), to: FuseReader(path: folder.path("merged")),
      at: folder.path("made.patch"))
    // The patch names the section, whose bytes the receiver makes.
    try FusePatch.apply(
      folder.path("made.patch"), to: FuseReader(path: folder.path("other")), output: folder.path("patched"))
    #expect(try folder.read("patched") == folder.read("merged"))
  }

  @Test func `that was written wrong is made anew by reindexing`() throws {
    let file = `The keys that share an object`.file(keyCount: 300) { $0 % 5 }
    let right = ReferenceReverse.file(file)
    let section = try #require(right.range("REVS")).map { UInt8(truncatingIfNeeded: $0) }
    let folder = try TemporaryFolder()
    let path = try folder.write(ReferenceReverse.file(file, section: section).bytes)
    #expect(try FuseReader.verify(path: path).damage.allSatisfy { $0.kind == .reverse })
    try FuseWriter.reindex(path)
    #expect(try contents(path) == right.bytes)
  }
}
