import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBWriting

struct `The objects of a build` {
  private static func store(
    memory: Int, sharesObjects: Bool = true, keepsOrder: Bool = false, in folder: TemporaryFolder
  ) throws -> ObjectStore {
    try ObjectStore(
      sharesObjects: sharesObjects, keepsOrder: keepsOrder, memory: memory,
      spill: Spill(in: folder.path(""), memory: 0, chunkByteCount: 4096))
  }

  /// All bytes under their numbers, those in memory and those in streams.
  private static func contents(of store: ObjectStore) throws -> [ObjectNumber: [UInt8]] {
    _ = try store.finish()
    var all: [ObjectNumber: [UInt8]] = [:]
    for (number, partition) in try store.partitions().enumerated() {
      var next = 0
      func add(_ bytes: [UInt8]) {
        all[ObjectNumber(partition: number, number: next)] = bytes
        next += 1
      }
      for object in partition.table.objects { add(object.bytes.array()) }
      try partition.forEachStreamed { add($0.array()) }
      #expect(next == partition.count)
    }
    return all
  }

  private static func objects(_ count: Int, _ random: inout SeededRandom) -> [[UInt8]] {
    let some = (0..<count / 3).map { _ in random.bytes(random.below(300)) }
    return (0..<count).map { _ in random.element(some) }
  }

  @Test func `that fit into memory are kept once each`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let store = try Self.store(memory: 64 << 20, in: folder)
    let objects = Self.objects(20_000, &random)
    var numbers: [[UInt8]: ObjectNumber] = [:]
    var mistakes = 0
    for object in objects {
      let number = try store.add(object.rawSpan)
      if numbers.updateValue(number, forKey: object) ?? number != number { mistakes += 1 }
      if try !store.contains(object.rawSpan) { mistakes += 1 }
    }
    #expect(mistakes == 0)
    #expect(store.count == numbers.count)
    #expect(try store.finish())
    let found = try Self.contents(of: store)
    #expect(found.count == numbers.count)
    #expect(numbers.allSatisfy { found[$1] == $0 })
  }

  @Test(arguments: [0, 1 << 19, 64 << 20], [true, false])
  func `added in batches by several threads have their bytes`(memory: Int, sharesObjects: Bool) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let store = try Self.store(memory: memory, sharesObjects: sharesObjects, in: folder)
    let batches = (0..<12).map { _ in Self.objects(900, &random) }
    let numbers = Parallel.map(batches.count, threadCount: 4) { number in
      var scratch = ObjectBatchScratch()
      var bytes: [UInt8] = []
      var ends: [Int] = []
      for object in batches[number] {
        bytes += object
        ends.append(bytes.count)
      }
      do throws(FuseError) {
        try store.add(bytes.rawSpan, ends: ends, first: number, &scratch)
        return scratch.numbers
      } catch {
        return []
      }
    }
    let isResident = try store.finish()
    #expect(isResident == (memory == 64 << 20))
    let found = try Self.contents(of: store)
    for (batch, numbers) in zip(batches, numbers) {
      try #require(numbers.count == batch.count)
      let isEqual = zip(batch, numbers).allSatisfy { found[$1] == $0 }
      #expect(isEqual)
    }
    let distinctCount = Set(batches.joined()).count
    #expect(found.count == store.count)
    #expect(
      sharesObjects && isResident ? found.count == distinctCount : found.count >= distinctCount)
  }

  @Test func `that are all kept stand in their order`() throws {
    let folder = try TemporaryFolder()
    for memory in [0, 1 << 16, 1 << 24] {
      let store = try Self.store(memory: memory, sharesObjects: false, in: folder)
      for number in 0..<3000 {
        let object = [UInt8](repeating: UInt8(number % 7), count: number % 50)
        #expect(try store.add(object.rawSpan) == ObjectNumber(partition: 0, number: number))
      }
      let found = try Self.contents(of: store)
      let isEqual = (0..<3000).allSatisfy { number in
        found[ObjectNumber(partition: 0, number: number)] == [UInt8](repeating: UInt8(number % 7), count: number % 50)
      }
      #expect(isEqual)
    }
  }

  @Test(arguments: [1, 5000, 1 << 20])
  func `in a stream are found to be equal, whatever fits into memory`(memory: Int) throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    let store = try Self.store(memory: 0, keepsOrder: true, in: folder)
    let objects = Self.objects(400, &random)
    for object in objects { _ = try store.add(object.rawSpan) }
    _ = try store.finish()
    let partition = try store.partitions()[0]
    #expect(partition.residentCount + partition.streamedCount == partition.count)
    let equal = try EqualObjects(in: partition, isShared: true, seed: store.seed, memory: memory)
    let contents = try Self.contents(of: store).sorted { $0.key.number < $1.key.number }.map(\.value)
    for (number, object) in contents.enumerated() {
      #expect(equal.first(of: number) == contents.firstIndex(of: object))
    }
    #expect(partition.count - equal.repeatedCount == Set(objects).count)
  }
}
