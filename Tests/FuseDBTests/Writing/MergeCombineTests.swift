import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBPatching
@testable import FuseDBServing
@testable import FuseDBWriting

struct `A merge that combines objects` {
  /// The longer of two, or both in an array; anything that depends on the order.
  private static func combined(_ first: [UInt8], _ second: [UInt8]) -> [UInt8] {
    switch (first.count + 2 * second.count) % 3 {
    case 0: first
    case 1: second
    default: [0x92] + first + second
    }
  }

  @Sendable private static func combine(
    _ key: RawSpan, _ first: RawSpan, _ second: RawSpan
  ) throws(FuseError) -> MergeOptions.Combination {
    switch (first.byteCount + 2 * second.byteCount) % 3 {
    case 0: .first
    case 1: .second
    default: .value([0x92] + first.array() + second.array())
    }
  }

  @Test func `folds them in the order of the files, and leaves equal ones alone`() throws {
    var random = SeededRandom.announced()
    for count in [1, 2, 3, 6] {
      let bench = try MergeBench.random(count, keyCount: 600, &random)
      let expected = bench.merged { $0 == $1 ? $0 : Self.combined($0, $1) }
      for plan in [nil, MergeBench.tinyPlan(shardCount: 2), MergeBench.tinyPlan(objects: 1 << 14)] {
        let found = try bench.merge(.init(onConflict: .combine(Self.combine)), plan: plan)
        let isEqual = found.bytes == ReferenceFile(canonical: expected).bytes(.indexed)
        #expect(isEqual, "\(count) files")
        // What was combined may equal the next one by chance, and is a conflict all the same.
        #expect(found.report.conflictCount == bench.conflicts.count)
      }
    }
  }

  @Test func `is given the key and both objects, the first file's first`() throws {
    var random = SeededRandom.announced()
    var bench = try MergeBench()
    try bench.add([Key("k"): [0xA1, 0x61], Key("same"): [7]], 2, &random)
    try bench.add([Key("k"): [0xA1, 0x62], Key("same"): [7]], 0, &random)
    let report = try bench.merge(
      .init(
        onConflict: .combine { key, first, second in
          .value([0x93, 0xA1] + key.array() + first.array() + second.array())
        }))
    let merged: MergeBench.Mapping = [
      Key("k"): [0x93, 0xA1, 0x6B, 0xA1, 0x61, 0xA1, 0x62], Key("same"): [7],
    ]
    #expect(report.bytes == ReferenceFile(canonical: merged).bytes(.indexed))
  }

  @Test func `reports which files' objects were combined, and which counted where none were`() throws {
    var random = SeededRandom.announced()
    var bench = try MergeBench()
    let (new, first, second, equal) = (Key("a new one"), Key("the first"), Key("the second"), Key("equal"))
    for value in [1, 1, 2, 3] as [UInt8] {
      try bench.add([new: [value], first: [value], second: [value], equal: [7]], 0, &random)
    }
    let report = try bench.merge(
      .init(
        onConflict: .combine { key, first, second in
          switch key.byteCount {
          case 9 where key.array()[0] == UInt8(ascii: "a"): .value([0x92] + first.array() + second.array())
          case 9: .first
          default: .second
          }
        })
    ).report
    #expect(report.conflictCount == 3)
    #expect(report.combinedCount == 1)
    #expect(report.conflicts.map { Key($0.key) } == [new, first, second])
    #expect(
      report.conflicts.map { $0.outcome } == [.combined([0, 2, 3]), .kept(0, dropped: 2), .kept(3, dropped: 0)])
  }

  @Test func `decodes two typed values and encodes what it makes of them`() throws {
    struct Org: Codable {
      var name: String
      var tags: [String]
    }
    var random = SeededRandom.announced()
    var bench = try MergeBench()
    for tag in ["cdn", "dns"] {
      try bench.add([Key("k"): try FuseEncoder().encode(Org(name: "Google LLC", tags: [tag]))], 0, &random)
    }
    let report = try bench.merge(
      .init(
        onConflict: .combine { _, first, second in
          var org = try FuseDecoder().decode(Org.self, from: first)
          org.tags += try FuseDecoder().decode(Org.self, from: second).tags
          return .value(try FuseEncoder().encode(org))
        }))
    let both = try FuseEncoder().encode(Org(name: "Google LLC", tags: ["cdn", "dns"]))
    #expect(report.bytes == ReferenceFile(canonical: [Key("k"): both]).bytes(.indexed))
  }

  @Test func `refuses what is not one MessagePack value, passes errors on, and leaves no file`() throws {
    var random = SeededRandom.announced()
    var bench = try MergeBench()
    for value in [1, 2] as [UInt8] { try bench.add([Key("k"): [value]], 0, &random) }
    for value in [[], [0xC1], [1, 1]] as [[UInt8]] {
      let error = try #require(failure { try bench.merge(.init(onConflict: .combine { _, _, _ in .value(value) })) })
      #expect(error.code == .invalidValue)
      #expect(error.message.contains("\"k\""))
    }
    let mine = FuseError(.limitExceeded, "enough")
    #expect(
      failure {
        try bench.merge(.init(onConflict: .combine { (_, _, _) throws(FuseError) in throw mine }))
      } == mine)
    struct NoMore: Error {}
    let error = try #require(failure { try bench.merge(.init(onConflict: .combine { _, _, _ in throw NoMore() })) })
    #expect(error.code == .invalidValue && error.message.hasSuffix("\"k\" cannot be combined: NoMore()"))
    #expect(try bench.folder.names == ["input 0.fsdb", "input 1.fsdb"])
  }
}
