import FuseDB
import Testing

struct `A sound file of the fixtures` {
  @Test func `is in the list of expectations, and each of those is a file`() throws {
    #expect(try Fixtures.good().keys.sorted() == Fixtures.goodNames)
    #expect(Fixtures.goodNames.count >= 20)
  }

  @Test(arguments: Fixtures.goodNames)
  func `verifies as sound [P3]`(name: String) throws {
    let expected = try #require(try Fixtures.good()[name])
    let report = try FuseReader.verify(path: Fixtures.path(good: name))
    #expect(report.damage == [])
    #expect(report.isSound)
    #expect(report.path == Fixtures.path(good: name))
    #expect(report.byteCount == expected.bytes)
    #expect(report.keyCount == expected.keyCount)
    #expect(report.objectCount == expected.objectCount)
    #expect(try FuseReader(path: Fixtures.path(good: name)).verify().isSound)
  }

  @Test(arguments: Fixtures.goodNames, [FuseReader.Checksums.verified, .skipped])
  func `answers as expected`(name: String, checksums: FuseReader.Checksums) throws {
    let expected = try #require(try Fixtures.good()[name])
    let reader = try FuseReader(path: Fixtures.path(good: name), checksums: checksums)
    let mapping = Dictionary(uniqueKeysWithValues: expected.keys.map { (Key([UInt8](hex: $0)), [UInt8](hex: $1)) })
    #expect(reader.keyCount == expected.keyCount)
    for (key, object) in mapping {
      #expect(try reader.copy(of: key.bytes) == object)
      #expect(try !reader.contains(key.bytes + [0x7E]) || mapping[Key(key.bytes + [0x7E])] != nil)
    }
    var scan = try reader.entries()
    let found = try scan.rest()
    #expect(found.map(\.key) == mapping.keys.sorted())
    #expect(found.allSatisfy { mapping[$0.key] == $0.object })
    var objects = reader.objects()
    var stored: [[UInt8]] = []
    while let object = try objects.next() { stored.append(try object.bytes.array()) }
    #expect(stored == expected.objects.map { [UInt8](hex: $0) })
    let statistics = try reader.statistics()
    #expect(statistics.objectCount == expected.objectCount)
    #expect(statistics.unreachedObjectCount == expected.unreachedObjects)
    #expect(statistics.byteCount == expected.bytes)
    #expect((statistics.extensionByteCount > 0) == (expected.sections != nil))
    #expect(try reader.metadata == expected.meta ?? [:])
  }

  @Test(arguments: Fixtures.goodNames)
  func `has only values that JSON can spell and read back [J1]`(name: String) throws {
    for object in try #require(try Fixtures.good()[name]).objects.map({ [UInt8](hex: $0) }) {
      let text = try FuseJSON.text(from: object)
      #expect(try FuseJSON.messagePack(from: text) == object, "\(text)")
    }
  }

  @Test(arguments: Fixtures.goodNames)
  func `is written again byte for byte from what it holds [C2] [C5]`(name: String) throws {
    let expected = try #require(try Fixtures.good()[name])
    let reader = try FuseReader(path: Fixtures.path(good: name))
    let writer = FuseWriter(
      expected.layout == "canonical"
        ? .init(layout: .plain)
        : expected.layout == "block" ? .init(metadata: expected.meta ?? [:]) : .compatible)
    var ids: [UInt64: ObjectID] = [:]
    var objects = reader.objects()
    while let object = try objects.next() { ids[object.offset] = try writer.addObject(object.bytes) }
    var scan = try reader.entries(.descending)
    while let entry = try scan.next() { try writer.addKey(entry.key, for: try #require(ids[entry.objectOffset])) }
    let folder = try TemporaryFolder()
    try writer.build(to: folder.path("again.fsdb"))
    let again = try folder.read("again.fsdb")
    let file = try contents(Fixtures.path(good: name))
    // A block of other choices than those of a writer has the same data and index before it.
    #expect(expected.layout == "other" ? again[40...] == file[40..<again.count] : again == file)
  }
}
