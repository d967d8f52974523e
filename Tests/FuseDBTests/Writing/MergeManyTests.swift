import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBWriting

struct `A merge of more files than stay open` {
  /// Files of one key each, and a key that all of them have.
  private func bench() throws -> MergeBench {
    var random = SeededRandom.announced()
    var bench = try MergeBench()
    for number in 0..<MergeInput.mostOpen + 40 {
      let value = [0xCD, UInt8(number >> 8), UInt8(number & 0xFF)]
      try bench.add([Key("key \(number)"): [UInt8(number % 5)], Key("all"): value], number, &random)
    }
    return bench
  }

  @Test func `makes the same file, whoever counts`() throws {
    let bench = try bench()
    for plan in [nil, MergeBench.tinyPlan(shardCount: 2)] {
      #expect(
        try bench.merge(plan: plan).bytes == ReferenceFile(canonical: bench.merged { $1 }).bytes(.indexed))
      #expect(
        try bench.merge(.init(onConflict: .first), plan: plan).bytes
          == ReferenceFile(canonical: bench.merged { first, _ in first }).bytes(.indexed))
    }
  }

  @Test(arguments: [true, false])
  func `refuses one that was replaced or is gone when it is read again`(isReplaced: Bool) throws {
    let bench = try bench()
    let victim = bench.paths[bench.paths.count - 1]
    let other = try bench.folder.write(try contents(bench.paths[0]), as: "other.fsdb")
    let error = failure {
      try FuseWriter.merge(
        bench.paths, to: bench.folder.path("out.fsdb"),
        options: .init(
          onConflict: .combine { (_, _, _) throws(FuseError) in
            // The first time alone: then there is nothing to rename or to remove.
            if isReplaced { try? renameFile(other, to: victim) } else { try? unlinkFile(victim) }
            return .second
          }))
    }
    #expect(error?.code == (isReplaced ? .truncated : .notFound))
    #expect(error?.path == victim)
    #expect(try !bench.folder.names.contains("out.fsdb"))
  }

  @Test func `can subtract as many as can be mapped`() throws {
    let bench = try bench()
    let none = Array(repeating: "missing.fsdb", count: MergeOptions.mostSubtracted + 1)
    #expect(
      failure {
        try FuseWriter.merge(bench.paths, to: bench.folder.path("out.fsdb"), options: .init(subtracting: none))
      }?.code == .limitExceeded)
  }
}
