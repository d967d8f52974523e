import FuseDB
import Glibc
import ProgramSupport

/// Threads read through stores whose files are replaced all the time, and files that are written over in place, and check
/// what they get.
///
///     ServingStress [--rebuilds COUNT] [--threads COUNT] [--seed NUMBER]
///
/// The last line says whether all was well; so does the exit code. COUNT rebuilds are those of the first phase, of which
/// the others do a share. What the threads do is random, when they do it is not up to the program: a seed brings back the
/// first, and no more.
struct StressProgram {
  var rebuildCount = 1000
  var threadCount = 8
  var seed = UInt64.random(in: 0...UInt64.max)

  static func run(_ arguments: [String]) -> Int32 {
    guard let program = StressProgram(arguments) else {
      print("usage: ServingStress [--rebuilds COUNT] [--threads COUNT] [--seed NUMBER]")
      return 64
    }
    do {
      let answerCount = try program.run()
      print("ServingStress passed: \(answerCount) answers, all of them right (seed \(program.seed))")
      return 0
    } catch {
      print("ServingStress failed: \(error) (seed \(program.seed))")
      return 1
    }
  }

  private init?(_ arguments: [String]) {
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { return nil }
      switch (name, Int(value), UInt64(value)) {
      case ("--rebuilds", let count?, _) where count >= 10: rebuildCount = count
      case ("--threads", let count?, _) where count >= 1: threadCount = count
      case ("--seed", _, let number?): seed = number
      default: return nil
      }
    }
  }

  private func run() throws -> Int {
    let folder = Scratch()
    let phases = [
      Phase(name: "rebuilds", work: .rebuilds, roundCount: rebuildCount),
      Phase(name: "rebuilds, readers fence", work: .rebuilds, roundCount: rebuildCount / 4, readersFence: true),
      Phase(name: "rollbacks", work: .rollbacks, roundCount: rebuildCount / 2, keptFileCount: 2, countsLookups: true),
      Phase(name: "swaps", work: .swaps, roundCount: rebuildCount * 10),
      Phase(
        name: "swaps, readers fence", work: .swaps, roundCount: rebuildCount, readersFence: true, countsLookups: true),
    ]
    var answerCount = 0
    for phase in phases {
      let summary = try phase.run(in: folder, threadCount: threadCount, seed: seed)
      print("  \(phase.name): \(summary)")
      fflush(nil)
      answerCount += summary.answerCount
    }
    let overwritings = [
      Overwriting(
        name: "written over, indexed", build: { 2 + 2 * $0 }, roundCount: rebuildCount * 2, skipsChecksums: true),
      Overwriting(name: "written over, plain", build: { 3 + 2 * $0 }, roundCount: rebuildCount * 2),
      Overwriting(
        name: "written over, of other lengths", build: { 2 * $0 + [2, 3, 2, 3, 3][$0 % 5] },
        roundCount: rebuildCount * 2),
    ]
    for phase in overwritings {
      let done = try phase.run(in: folder, threadCount: threadCount, seed: seed)
      print("  \(phase.name): \(phase.roundCount) times; \(done.answers) answers, \(done.errors) errors")
      fflush(nil)
      answerCount += done.answers
    }
    return answerCount
  }
}
