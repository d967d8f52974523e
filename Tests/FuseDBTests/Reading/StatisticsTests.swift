import FuseDB
import ProgramSupport
import Testing

struct `The statistics` {
  @Test func `of the worked example are those that one can count [H4]`() throws {
    let folder = try TemporaryFolder()
    let statistics = try FuseReader(path: folder.write(WorkedExamples.twoKeysOneObject)).statistics()
    #expect(statistics.keyCount == 2)
    #expect(statistics.objectCount == 1)
    #expect(statistics.byteCount == 88)
    #expect(statistics.headerByteCount == 40)
    #expect(statistics.dataByteCount == 12)
    #expect(statistics.indexByteCount == 36)
    #expect(statistics.keyByteCount == 16)
    #expect(statistics.objectByteCount == 4)
    #expect(statistics.fewestKeysPerObject == 2)
    #expect(statistics.mostKeysPerObject == 2)
    #expect(statistics.meanKeysPerObject == 2)
    #expect(statistics.unreachedObjectCount == 0)
    #expect(statistics.bytesSavedBySharing == 12)
    #expect(statistics.checksum == 0xB4E8_8118)
    #expect(statistics.version == 2)
  }

  @Test func `of an empty file are zeros`() throws {
    let folder = try TemporaryFolder()
    let statistics = try FuseReader(path: folder.write(WorkedExamples.noKeys)).statistics()
    #expect(statistics.byteCount == 40)
    #expect(statistics.meanKeysPerObject == 0)
    #expect(statistics.keyCount + statistics.objectCount + statistics.dataByteCount + statistics.indexByteCount == 0)
    #expect(statistics.fewestKeysPerObject + statistics.mostKeysPerObject + statistics.bytesSavedBySharing == 0)
  }

  @Test(arguments: Samples.sizes)
  func `agree with counting by hand`(size: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let mapping = Samples.mapping(size, &random)
    // Any order of objects, some of them unreached, some alike.
    var objects = mapping.values.shuffled(using: &random) + [[0xC0], [0xC0], [0x01]]
    objects.shuffle(using: &random)
    let keys = mapping.keys.sorted().map { ($0.bytes, random.below(objects.count)) }
    let file = ReferenceFile(objects: objects, keys: keys)
    let statistics = try FuseReader(path: folder.write(file.bytes)).statistics()
    let uses = objects.indices.map { number in keys.count { $0.1 == number } }
    #expect(statistics.keyCount == size)
    #expect(statistics.objectCount == objects.count)
    #expect(statistics.byteCount == file.bytes.count)
    #expect(statistics.dataByteCount == objects.reduce(0) { $0 + 8 + $1.count })
    #expect(statistics.objectByteCount == objects.reduce(0) { $0 + $1.count })
    #expect(statistics.keyByteCount == keys.reduce(0) { $0 + $1.0.count })
    #expect(statistics.indexByteCount == statistics.keyByteCount + 10 * size)
    #expect(statistics.fewestKeysPerObject == uses.min())
    #expect(statistics.mostKeysPerObject == uses.max())
    #expect(statistics.meanKeysPerObject == Double(size) / Double(objects.count))
    #expect(statistics.unreachedObjectCount == uses.count { $0 == 0 })
    #expect(statistics.bytesSavedBySharing == zip(uses, objects).reduce(0) { $0 + max(0, $1.0 - 1) * (8 + $1.1.count) })
  }

  @Test func `refuse a key that points into the middle of a record`() throws {
    let folder = try TemporaryFolder()
    var file = ReferenceFile(objects: [[0x01], [0x02]], keys: [([0x61], 0), ([0x62], 1)])
    let entry = try #require(file.entries.first)
    file.bytes.put(UInt64(44), at: entry.end - 8)
    file.seal()
    let reader = try FuseReader(path: folder.write(file.bytes))
    let error = failure { _ = try reader.statistics() }
    #expect(error?.code == .corrupted)
    #expect(error?.offset == UInt64(entry.offset))
  }
}
