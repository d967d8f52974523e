import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBPatching
@testable import FuseDBServing
@testable import FuseDBWriting

struct `A merge` {
  @Test(arguments: [0, 1, 2, 3, 7])
  func `of files gives what a build of the same mapping gives`(count: Int) throws {
    var random = SeededRandom.announced()
    for keyCount in [0, 1, 60, 2000] {
      let bench = try MergeBench.random(count, keyCount: keyCount, &random)
      let conflicts = bench.conflicts
      for (policy, keepsLast) in [(MergeOptions.ConflictPolicy.last, true), (.first, false)] {
        let expected = ReferenceFile(canonical: bench.merged { keepsLast ? $1 : $0 })
        for layout in [FuseWriter.Layout.indexed, .plain] {
          let bytes = expected.bytes(layout)
          for plan in [nil, MergeBench.tinyPlan(), MergeBench.tinyPlan(shardCount: 3, objects: 1 << 15)] {
            let found = try bench.merge(.init(onConflict: policy, layout: layout), plan: plan)
            let isEqual = found.bytes == bytes
            #expect(isEqual, "\(keyCount) keys, \(layout), \(policy)")
            #expect(found.report.inputKeyCount == bench.mappings.reduce(0) { $0 + $1.count })
            #expect(found.report.conflictCount == conflicts.count)
            #expect(found.report.conflicts.map { Key($0.key) } == Array(conflicts.prefix(5)))
            #expect(found.report.spilledByteCount > 0 || plan == nil || keyCount < 2000 || count == 0)
          }
        }
      }
    }
  }

  @Test func `says of a conflict which file counts`() throws {
    var random = SeededRandom.announced()
    var bench = try MergeBench()
    for value in [1, 2, 2, 1, 3] as [UInt8] { try bench.add([Key("k"): [value], Key("same"): [9]], 0, &random) }
    for plan in [nil, MergeBench.tinyPlan()] {
      let last = try bench.merge(plan: plan).report
      #expect(last.conflictCount == 1)
      #expect(last.conflicts.map { $0.key } == [[UInt8]("k".utf8)])
      #expect(last.conflicts.map { $0.outcome } == [.kept(4, dropped: 0)])
      let first = try bench.merge(.init(onConflict: .first), plan: plan).report
      #expect(first.conflicts.map { $0.outcome } == [.kept(0, dropped: 1)])
    }
  }

  @Test func `refuses a conflict where that is asked for, names the key and both files, and leaves no file`() throws {
    var random = SeededRandom.announced()
    var bench = try MergeBench()
    try bench.add([Key("a"): [1], Key("k"): [2]], 0, &random)
    try bench.add([Key("a"): [1], Key("k"): [3]], 1, &random)
    for plan in [nil, MergeBench.tinyPlan()] {
      let error = try #require(failure { try bench.merge(.init(onConflict: .error), plan: plan) })
      #expect(error.code == .duplicateKey)
      #expect(error.path == bench.paths[1])
      #expect(error.message.contains("the key \"k\" has another object in \(bench.paths[0])"))
      #expect(try bench.folder.names == ["input 0.fsdb", "input 1.fsdb"])
    }
  }

  @Test func `of a file with itself is that file, and no conflict`() throws {
    var random = SeededRandom.announced()
    let bench = try MergeBench.random(1, keyCount: 300, &random)
    let path = bench.paths[0]
    for plan in [nil, MergeBench.tinyPlan(shardCount: 2)] {
      let report = try FuseWriter.merge(
        [path, path, path], to: bench.folder.path("out.fsdb"),
        .init(onConflict: .error, temporaryFolder: bench.folder.path("")), plan: plan)
      #expect(report.conflictCount == 0)
      let expected = ReferenceFile(canonical: bench.mappings[0]).bytes(.indexed)
      let isEqual = try bench.folder.read("out.fsdb") == expected
      #expect(isEqual)
    }
  }

  @Test func `may replace one of its files`() throws {
    var random = SeededRandom.announced()
    let bench = try MergeBench.random(2, keyCount: 300, &random)
    try FuseWriter.merge(bench.paths, to: bench.paths[0])
    let isEqual = try contents(bench.paths[0]) == ReferenceFile(canonical: bench.merged { $1 }).bytes(.indexed)
    #expect(isEqual)
  }

  @Test func `takes keys with one of the prefixes, and leaves out those that other files have`() throws {
    var random = SeededRandom.announced()
    for round in 0..<12 {
      let bench = try MergeBench.random(4, keyCount: 400, &random)
      let others = try MergeBench.random(round % 3, keyCount: 200, &random)
      let keys = bench.mappings.flatMap { $0.keys }
      let prefixes = (0..<round % 4).map { _ in Array(random.element(keys).bytes.prefix(random.below(4))) } + [[0xFF]]
      let all = bench.merged { $1 }
      let chosen = all.filter { key, _ in
        prefixes.contains { key.bytes.starts(with: $0) } && !others.mappings.contains { $0[key] != nil }
      }
      let options = MergeOptions(subtracting: others.paths, prefixes: prefixes)
      for plan in [nil, MergeBench.tinyPlan(shardCount: 2)] {
        let found = try bench.merge(options, plan: plan)
        let isEqual = found.bytes == ReferenceFile(canonical: chosen).bytes(.indexed)
        #expect(isEqual, "prefixes \(prefixes)")
        #expect(found.report.keyCount == chosen.count)
        let taken = bench.mappings.map { mapping in
          mapping.keys.filter { key in prefixes.contains { key.bytes.starts(with: $0) } }
        }
        #expect(found.report.inputKeyCount == taken.reduce(0) { $0 + $1.count })
        #expect(
          found.report.subtractedKeyCount
            == taken.joined().count { key in others.mappings.contains { $0[key] != nil } })
      }
    }
  }

  @Test func `in insertion order has objects as it comes across them, file by file, lost ones too`() throws {
    var random = SeededRandom.announced()
    for count in [0, 1, 3] {
      let bench = try MergeBench.random(count, keyCount: 500, &random)
      // What 0.3.0 does, step by step.
      var model = ModelWriter()
      var numbers: [[UInt8]: Int] = [:]
      for mapping in bench.mappings {
        for key in mapping.keys.sorted() {
          let object = mapping[key] ?? []
          if numbers[object] == nil {
            numbers[object] = numbers.count
            model.calls.append(.object(object))
          }
          model.calls.append(.key(key.bytes, object: numbers[object] ?? 0))
        }
      }
      let expected = model.build(.init(order: .insertion, sharing: .none, layout: .plain)).bytes
      for plan in [nil, MergeBench.tinyPlan(shardCount: 3), MergeBench.tinyPlan(objects: 1 << 14)] {
        let found = try bench.merge(.init(order: .insertion, layout: .plain), plan: plan)
        let isEqual = found.bytes == expected
        #expect(isEqual, "\(count) files")
      }
    }
  }

  @Test func `has nothing of what its files say about themselves, and says what it is told`() throws {
    let folder = try TemporaryFolder()
    let writer = FuseWriter(.init(metadata: ["source": "old"]))
    try writer.add(["k"], messagePack: [0xC0])
    try writer.build(to: folder.path("in.fsdb"))
    for metadata in [[:], ["source": "new"]] {
      try FuseWriter.merge([folder.path("in.fsdb")], to: folder.path("out.fsdb"), options: .init(metadata: metadata))
      #expect(try FuseReader(path: folder.path("out.fsdb")).metadata.keys.sorted() == metadata.keys.sorted())
    }
  }

  @Test func `takes prefixes apart into ranges that don't meet`() {
    func ranges(_ prefixes: [UInt8]...) -> [KeyRange] { KeyRange.ranges(ofPrefixes: prefixes) }
    #expect(ranges() == [.all])
    #expect(ranges([]) == [.all])
    #expect(ranges([], [1]) == [.all])
    #expect(ranges([2], [1], [1, 5], [1]) == [KeyRange(lower: [1], upper: [2]), KeyRange(lower: [2], upper: [3])])
    #expect(ranges([1, 0xFF, 0xFF]) == [KeyRange(lower: [1, 0xFF, 0xFF], upper: [2])])
    #expect(ranges([0xFF]) == [KeyRange(lower: [0xFF], upper: nil)])
  }
}
