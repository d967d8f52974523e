import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBWriting

/// Files that are merged, and the file that should come of it, from a dictionary.
struct MergeBench {
  typealias Mapping = [Key: [UInt8]]

  let folder: TemporaryFolder
  private(set) var paths: [String] = []
  private(set) var mappings: [Mapping] = []

  init() throws { folder = try TemporaryFolder() }

  /// Writes a file of `mapping`, in one of three ways: with a block, canonical without one, or as 0.3.0 may have
  /// written it: objects in any order, some of them twice or without a key.
  mutating func add(_ mapping: Mapping, _ kind: Int, _ random: inout SeededRandom) throws {
    var file = ReferenceFile(canonical: mapping)
    if kind % 3 == 2 {
      let keys = mapping.keys.sorted()
      let order = keys.indices.shuffled(using: &random)
      let objects = order.map { mapping[keys[$0]] ?? [] } + [[0xC0]]
      file = ReferenceFile(
        objects: objects, keys: keys.enumerated().map { ($1.bytes, order.firstIndex(of: $0) ?? 0) })
    }
    let name = "input \(paths.count).fsdb"
    paths.append(try folder.write(file.bytes(kind % 3 == 0 ? .indexed : .plain), as: name))
    mappings.append(mapping)
  }

  /// Some files of mappings that have many keys in common, and some objects.
  static func random(_ count: Int, keyCount: Int, _ random: inout SeededRandom) throws -> MergeBench {
    var bench = try MergeBench()
    let pool = Array(Samples.mapping(max(1, keyCount * 2), &random))
    for number in 0..<count {
      var mapping: Mapping = [:]
      for _ in 0..<(number % 4 == 3 ? 0 : keyCount) {
        let key = random.element(pool).key
        mapping[key] = random.below(3) == 0 ? random.element(pool).value : pool[0].value
      }
      try bench.add(mapping, random.below(3), &random)
    }
    return bench
  }

  /// What `combine` makes of all mappings.
  func merged(_ combine: ([UInt8], [UInt8]) -> [UInt8]) -> Mapping {
    mappings.reduce(into: [:]) { all, mapping in all.merge(mapping, uniquingKeysWith: combine) }
  }

  /// Keys that have different objects.
  var conflicts: [Key] {
    let keys = Set(mappings.flatMap { $0.keys })
    return keys.filter { key in Set(mappings.compactMap { $0[key] }).count > 1 }.sorted()
  }

  /// Merges all files.
  @discardableResult
  func merge(
    _ options: MergeOptions = MergeOptions(), plan: MemoryPlan? = nil
  ) throws -> (bytes: [UInt8], report: MergeReport) {
    var options = options
    options.temporaryFolder = folder.path("")
    let before = try folder.names.filter { $0 != "out.fsdb" }
    let report = try FuseWriter.merge(paths, to: folder.path("out.fsdb"), options, plan: plan)
    #expect(try folder.names.filter { $0 != "out.fsdb" } == before)
    return (try folder.read("out.fsdb"), report)
  }

  /// A plan under which nearly everything goes to the temporary file.
  static func tinyPlan(shardCount: Int = 1, objects: Int = 0) -> MemoryPlan {
    var plan = MemoryPlan(byteCount: MemoryPlan.leastByteCount, shardCount: shardCount)
    plan.objects = objects
    plan.keys = 0
    plan.keyBuffer = KeyBuffer.leastByteCount
    plan.extensionBlock = 1 << 16
    plan.runWindows = 1 << 16
    plan.spillChunk = 4096
    return plan
  }
}
