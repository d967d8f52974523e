import FuseDB
import Foundation
import ProgramSupport
import Testing

struct PublishTests {
  private let folder: TemporaryFolder
  private let rule = ShardRule.hash(count: 4)
  private var path: String { folder.path("set") }

  init() throws { folder = try TemporaryFolder() }

  /// Builds the shards of these keys.
  private func shards(_ keys: Range<Int>, value: Int = 0, only numbers: [Int]? = nil) throws -> [ShardFile] {
    try (numbers ?? Array(0..<4)).map { number in
      let writer = FuseWriter()
      for key in keys where rule.shard(of: "key \(key)") == number { try writer.add("key \(key)", ["value": value]) }
      return try writer.buildShard(number, by: rule, in: path)
    }
  }

  private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

  private func value(_ key: Int) throws -> Int? { try FuseReader(path: path)["key \(key)"]?["value"]?.int }

  @Test func `[GP5] [GP6] a set is published in one step, and files of the generation before stay for one more`() throws
  {
    let first = try shards(0..<100)
    #expect(throws: FuseError.self) { try FuseReader(path: path) }
    #expect(try FuseSet.generation(in: path) == 0)
    let one = try FuseSet.publish(first, by: rule, in: path, after: 0)
    #expect(one.generation == 1 && one.keyCount == 100 && one.replacedKeyCount == nil && one.keptShardCount == 0)
    let early = try ShardedReader(path: path)
    let second = try shards(0..<100, value: 1)
    let two = try FuseSet.publish(second, by: rule, in: path, after: 1)
    #expect(two.generation == 2 && two.replacedKeyCount == 100 && two.sweptFiles == [])
    // A reader that opens its shards now still finds them.
    for key in 0..<100 { #expect(try early["key \(key)"]?["value"]?.int == 0) }
    #expect(try value(7) == 1)
    let third = try shards(0..<100, value: 2)
    let three = try FuseSet.publish(third, by: rule, in: path, after: 2)
    #expect(Set(three.sweptFiles) == Set(first.map(\.name)))
    #expect(try Set(names()) == Set((second + third).map(\.name) + ["fusedb-set.json", "fusedb-set.lock"]))
  }

  @Test func `[GF3] a shard that did not change is neither written nor named anew`() throws {
    let first = try shards(0..<100)
    try FuseSet.publish(first, by: rule, in: path, after: 0)
    let before = try first.map {
      try FileManager.default.attributesOfItem(atPath: path + "/" + $0.name)[.systemFileNumber] as? UInt64
    }
    let again = try shards(0..<100)
    #expect(again == first)
    let after = try first.map {
      try FileManager.default.attributesOfItem(atPath: path + "/" + $0.name)[.systemFileNumber] as? UInt64
    }
    #expect(before == after)
    #expect(try FuseSet.publish(again, by: rule, in: path, after: 1).keptShardCount == 4)
  }

  @Test func `[GP3] of two jobs that began after one generation, one is published`() throws {
    try FuseSet.publish(shards(0..<10), by: rule, in: path, after: 0)
    let a = try shards(0..<10, value: 1)
    let b = try shards(0..<10, value: 2)
    try FuseSet.publish(a, by: rule, in: path, after: 1)
    let error = #expect(throws: FuseError.self) { try FuseSet.publish(b, by: rule, in: path, after: 1) }
    #expect(error?.code == .outputChanged && error?.path == path)
    #expect(try value(3) == 1)
  }

  @Test func `two publishers at once: one wins whole`() throws {
    try FuseSet.publish(shards(0..<50), by: rule, in: path, after: 0)
    for round in 1...8 {
      let sets = try [round * 2, round * 2 + 1].map { try (value: $0, files: shards(0..<50, value: $0)) }
      let (path, rule) = (path, rule)
      let results = onThreads(2) { number in
        Result { try FuseSet.publish(sets[number].files, by: rule, in: path, after: round) }
      }
      #expect(results.count { (try? $0.get()) != nil } == 1)
      let winner = results.firstIndex { (try? $0.get()) != nil }!
      let reader = try FuseReader(path: path)
      for key in 0..<50 { #expect(try reader["key \(key)"]?["value"]?.int == sets[winner].value) }
      #expect(try reader.verify().isSound && FuseSet.generation(in: path) == round + 1)
    }
  }

  @Test func `[GP4] shards that are not there, or are others, are not published`() throws {
    let first = try shards(0..<10)
    try FuseSet.publish(first, by: rule, in: path, after: 0)
    var second = try shards(0..<10, value: 1)
    try FileManager.default.removeItem(atPath: path + "/" + second[2].name)
    var error = #expect(throws: FuseError.self) { try FuseSet.publish(second, by: rule, in: path, after: 1) }
    #expect(error?.code == .notFound && error?.path == path + "/" + second[2].name)
    second[2] = first[2]
    second[1].byteCount += 1
    error = #expect(throws: FuseError.self) { try FuseSet.publish(second, by: rule, in: path, after: 1) }
    #expect(error?.code == .truncated && error?.path == path + "/" + second[1].name)
    error = #expect(throws: FuseError.self) {
      try FuseSet.publish(Array(first.dropLast()), by: rule, in: path, after: 1)
    }
    #expect(error?.code == .invalidValue)
    error = #expect(throws: FuseError.self) {
      try FuseSet.publish(first + [first[0]], by: .hash(count: 5), in: path, after: 1)
    }
    #expect(error?.code == .invalidValue)
    #expect(try value(3) == 0 && FuseSet.generation(in: path) == 1)
  }

  @Test func `[GR4] a key of another shard is refused, and nothing is left behind`() throws {
    let writer = FuseWriter()
    try writer.add("key 1", 1)
    let wrong = (rule.shard(of: "key 1") + 1) % 4
    let error = #expect(throws: FuseError.self) { try writer.buildShard(wrong, by: rule, in: path) }
    #expect(error?.code == .invalidValue && error?.message.contains("\"key 1\" belongs to shard") == true)
    #expect(try names() == [])
  }

  @Test func `rules refuse a set with too few keys`() throws {
    try FuseSet.publish(shards(0..<100), by: rule, in: path, after: 0)
    let few = try shards(0..<50)
    var error = #expect(throws: FuseError.self) {
      try FuseSet.publish(few, by: rule, in: path, after: 1, leastKeyCount: 51)
    }
    #expect(error?.code == .refused)
    error = #expect(throws: FuseError.self) {
      try FuseSet.publish(few, by: rule, in: path, after: 1, greatestShrink: 0.4)
    }
    #expect(error?.code == .refused)
    #expect(
      try FuseSet.publish(few, by: rule, in: path, after: 1, leastKeyCount: 50, greatestShrink: 0.5).generation == 2)
  }

  @Test func `[GP6] [GP7] [GF5] what jobs left behind is swept, and nothing else`() throws {
    let first = try shards(0..<10)
    try FuseSet.publish(first, by: rule, in: path, after: 0)
    // A straggler writes after its job was aborted.
    let straggler = try shards(0..<10, value: 9, only: [1])[0]
    let unfinished = ".part-00001-of-00004.00ff.tmp"
    for name in [unfinished, "notes.txt", "part-1.fsdb", ".hidden.tmp"] {
      #expect(FileManager.default.createFile(atPath: path + "/" + name, contents: Data("x".utf8)))
    }
    #expect(try FuseSet.sweep(path, olderThan: 3600) == [])
    #expect(try FuseSet.sweep(path) == [unfinished, straggler.name])
    let kept = first.map(\.name) + ["fusedb-set.json", "fusedb-set.lock", "notes.txt", "part-1.fsdb", ".hidden.tmp"]
    #expect(try Set(names()) == Set(kept))
    let other = try shards(0..<10, value: 8, only: [1])[0]
    #expect(try FuseSet.publish(first, by: rule, in: path, after: 1).sweptFiles == [other.name])
    #expect(throws: FuseError.self) { try FuseSet.sweep(folder.path) }
  }

  @Test(arguments: [FuseWriter.Form.family, .compact])
  func `the same keys give the same shards, whatever memory and threads, and whether split or built`(
    form: FuseWriter.Form
  ) throws {
    var random = SeededRandom.announced()
    let keys = SetSample.keys(&random, count: 3000)
    var names: [[ShardFile]] = []
    for (memory, threads) in [(16 << 20, 1), (1 << 30, 4)] {
      var options = FuseWriter.Options()
      options.memory = memory
      options.threadCount = threads
      options.form = form
      let sample = try SetSample(keys, rule: .hash(count: 8), form: form, options: options)
      names.append(try #require(sample.set.shards).files)
    }
    #expect(names[0] == names[1])
    var built: [ShardFile] = []
    for number in 0..<8 {
      var options = FuseWriter.Options()
      options.form = form
      let writer = FuseWriter(options)
      for (place, key) in keys.enumerated().reversed() where ShardRule.hash(count: 8).shard(of: key) == number {
        try writer.add(key, SetSample.value(place))
      }
      built.append(try writer.buildShard(number, by: .hash(count: 8), in: path))
    }
    #expect(built == names[0])
  }

  @Test func `a set is split again, into more and fewer shards`() throws {
    var random = SeededRandom.announced()
    let sample = try SetSample(SetSample.keys(&random, count: 800), rule: .hash(count: 4))
    let report = try FuseSet.split(sample.set, into: path, by: .hash(count: 16))
    #expect(report.keyCount == 800 && report.shardCount == 16)
    let direct = folder.path("direct")
    try FuseSet.split(sample.file, into: direct, by: .hash(count: 16))
    #expect(try ShardedReader(path: path).files == ShardedReader(path: direct).files)
  }
}
