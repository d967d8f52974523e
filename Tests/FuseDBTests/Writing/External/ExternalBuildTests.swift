import Foundation
import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBWriting

struct `A build that does not fit into memory` {
  /// Room for about so many objects and keys of the samples.
  private static func plan(objects: Int, keys: Int, shardCount: Int = 1, spillChunk: Int = 4096) -> MemoryPlan {
    var plan = MemoryPlan(byteCount: MemoryPlan.leastByteCount, shardCount: shardCount)
    plan.objects = objects
    plan.keys = keys
    plan.keyBuffer = KeyBuffer.leastByteCount
    plan.extensionBlock = 1 << 16
    plan.runWindows = 1 << 16
    plan.spillChunk = spillChunk
    return plan
  }

  /// Additions in their order, each with an object; keys come again with other objects.
  private static func additions(_ count: Int, _ random: inout SeededRandom) -> [(key: Key, object: [UInt8])] {
    let mapping = Array(Samples.mapping(count, &random))
    var all = mapping.map { (key: $0.key, object: $0.value) }
    for _ in 0..<count / 5 { all.append((random.element(mapping).key, random.element(mapping).value)) }
    return all.shuffled(using: &random)
  }

  private static func built(
    _ additions: [(key: Key, object: [UInt8])], _ options: FuseWriter.Options, _ plan: MemoryPlan?
  ) throws -> (bytes: [UInt8], report: BuildReport, hasSpilled: Bool) {
    let folder = try TemporaryFolder()
    var options = options
    options.temporaryFolder = folder.path("")
    let writer = FuseWriter(options, plan: plan)
    for (key, object) in additions { try writer.add([key.bytes], messagePack: object) }
    let report = try writer.build(to: folder.path("file.fsdb"))
    #expect(try folder.names == ["file.fsdb"])
    let spilled = writer.storage.map { $0.spill.spilledByteCount } ?? 0
    return (try folder.read("file.fsdb"), report, spilled > 0)
  }

  @Test(arguments: [
    // Nothing fits; objects do; keys do; all but a little does.
    (0, 1 << 15), (1 << 22, 0), (0, 1 << 22), (1 << 15, 1 << 18),
  ])
  func `gives the bytes and the report of one that does`(objects: Int, keys: Int) throws {
    var random = SeededRandom.announced()
    for count in [1, 40, 3000] {
      let additions = Self.additions(count, &random)
      for layout in [FuseWriter.Layout.plain, .indexed] {
        for policy in [FuseWriter.DuplicatePolicy.last, .first] {
          let options = FuseWriter.Options(onDuplicate: policy, layout: layout)
          let expected = try Self.built(additions, options, nil)
          #expect(!expected.hasSpilled)
          let mapping = Dictionary(additions.map { ($0.key, $0.object) }) { policy == .last ? $1 : $0 }
          if count < 1000 { #expect(expected.bytes == ReferenceFile(canonical: mapping).bytes(layout)) }
          let found = try Self.built(additions, options, Self.plan(objects: objects, keys: keys))
          #expect(found.hasSpilled || count < 3000)
          let isEqual = found.bytes == expected.bytes
          #expect(isEqual, "\(count) keys, \(layout), \(policy)")
          #expect(found.report == expected.report)
          #expect(found.report.duplicateKeyCount == additions.count - mapping.count)
        }
      }
    }
  }

  @Test(arguments: [FuseWriter.Sharing.identicalObjects, .none])
  func `keeps the order of insertion [C5]`(sharing: FuseWriter.Sharing) throws {
    var random = SeededRandom.announced()
    let additions = Self.additions(2000, &random)
    let options = FuseWriter.Options(order: .insertion, sharing: sharing, layout: .plain)
    let expected = try Self.built(additions, options, nil)
    for objects in [0, 1 << 14] {
      let found = try Self.built(additions, options, Self.plan(objects: objects, keys: 1 << 15))
      #expect(found.hasSpilled)
      let isEqual = found.bytes == expected.bytes
      #expect(isEqual)
      #expect(found.report == expected.report)
    }
  }

  @Test(arguments: 1...4) func `does not depend on threads`(shardCount: Int) throws {
    var random = SeededRandom.announced()
    let additions = Self.additions(4000, &random)
    let expected = try Self.built(additions, .init(), nil).bytes
    for plan in [Self.plan(objects: 1 << 14, keys: 1 << 17, shardCount: shardCount), nil] {
      let folder = try TemporaryFolder()
      let writer = FuseWriter(.init(temporaryFolder: folder.path(""), threadCount: shardCount), plan: plan)
      var works: [BackgroundWork<Bool>] = []
      for number in 0..<shardCount {
        nonisolated(unsafe) let shard = try writer.makeShard()
        works.append(
          BackgroundWork(isWorthThread: true) {
            let batch = RecordBatch()
            for (position, addition) in additions.enumerated() where position / 50 % shardCount == number {
              do {
                try batch.addObject(addition.object.rawSpan)
                try batch.addKey(addition.key.bytes.rawSpan, position: UInt64(position))
                if position % 50 == 49 {
                  unsafe try shard.add(batch)
                  batch.removeAll()
                }
              } catch {
                return false
              }
            }
            return (try? unsafe shard.add(batch)) != nil
          })
      }
      for work in works { #expect(work.wait()) }
      try writer.build(to: folder.path("file.fsdb"))
      let isEqual = try folder.read("file.fsdb") == expected
      #expect(isEqual)
    }
  }

  @Test func `finds equal objects that are far apart, in as many passes as it takes`() throws {
    // Objects of 3 KB, of which one fits.
    let objects = (0..<200).map { number in [0xC5, 0x0B, 0xB8] + [UInt8](repeating: UInt8(number % 20), count: 3000) }
    let additions = objects.enumerated().map { (key: Key(String($0)), object: $1) }
    let expected = try Self.built(additions, .init(), nil)
    #expect(expected.report.objectCount == 20)
    #expect(expected.report.sharedObjectCount == 180)
    let found = try Self.built(additions, .init(), Self.plan(objects: 0, keys: 0))
    #expect(found.bytes == expected.bytes)
    #expect(found.report == expected.report)
  }

  @Test func `may go on and build again`() throws {
    var random = SeededRandom.announced()
    let additions = Self.additions(3000, &random)
    let folder = try TemporaryFolder()
    let writer = FuseWriter(
      .init(temporaryFolder: folder.path("")), plan: Self.plan(objects: 1 << 14, keys: 1 << 17))
    for (key, object) in additions[..<1500] { try writer.add([key.bytes], messagePack: object) }
    var replaced: Int?
    for end in [1500, additions.count] {
      var half = try Self.built(Array(additions[..<end]), .init(), nil)
      half.report.replacedKeyCount = replaced
      #expect(try writer.build(to: folder.path("file.fsdb")) == half.report)
      replaced = half.report.keyCount
      let isEqual = try folder.read("file.fsdb") == half.bytes
      #expect(isEqual)
      if end == 1500 { for (key, object) in additions[1500...] { try writer.add([key.bytes], messagePack: object) } }
    }
  }

  @Test func `says which key was added twice, and where, under the policy that refuses it`() throws {
    let folder = try TemporaryFolder()
    let options = FuseWriter.Options(onDuplicate: .error, temporaryFolder: folder.path(""))
    let writer = FuseWriter(options, plan: Self.plan(objects: 0, keys: 0))
    for number in 0..<9000 { try writer.add([String(number % 8999)], messagePack: [0xC0]) }
    let error = try #require(failure { try writer.build(to: folder.path("file.fsdb")) })
    #expect(error.code == .duplicateKey)
    #expect(writer.refusedDuplicate == DuplicateKey(key: Array("0".utf8), kept: 0, dropped: 8999))
    #expect(try folder.names == [])
  }

  @Test func `in a folder that is not there fails when it needs it, and names the folder`() throws {
    let folder = try TemporaryFolder()
    let options = FuseWriter.Options(temporaryFolder: folder.path("missing"))
    let writer = FuseWriter(options, plan: Self.plan(objects: 0, keys: 0))
    let error = try #require(
      failure { for number in 0..<9000 { try writer.add([String(number)], messagePack: [0xC0]) } })
    #expect(error.code == .inputOutput)
    #expect(error.path == folder.path("missing"))
  }

  @Test func `refuses to go on once an object was written in part, also when there is room again`() throws {
    let folder = try TemporaryFolder()
    let options = FuseWriter.Options(temporaryFolder: folder.path("later"))
    let writer = FuseWriter(options, plan: Self.plan(objects: 0, keys: 1 << 20))
    func add(_ number: Int) throws(FuseError) {
      try writer.add([String(number)], messagePack: [0xC4, 200] + [UInt8](repeating: UInt8(number % 251), count: 200))
    }
    let error = try #require(failure { for number in 0..<9000 { try add(number) } })
    #expect(error.code == .inputOutput)
    try FileManager.default.createDirectory(atPath: folder.path("later"), withIntermediateDirectories: false)
    // Which of these meet the same part of the objects is a matter of chance.
    for number in 0..<2000 { _ = failure { try add(number) } }
    #expect(failure { try writer.build(to: folder.path("file.fsdb")) } == error)
    #expect(try folder.names == ["later"])
  }
}
