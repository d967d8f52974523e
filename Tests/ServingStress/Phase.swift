import FuseDB
import ProgramSupport

/// Threads read while a store's files are replaced in one way.
struct Phase {
  /// How files are replaced.
  enum Work { case rebuilds, rollbacks, swaps }

  struct Summary: CustomStringConvertible {
    var replacements = ""
    var answerCount = 0
    var threadCount = 0
    var mappingCount = 0

    var description: String {
      "\(replacements); \(answerCount) answers to \(threadCount) threads; \(mappingCount) mappings at the end, then none"
    }
  }

  let name: String
  let work: Work
  let roundCount: Int
  var readersFence = false
  var keptFileCount = 0
  /// Look-ups that are counted end in another way.
  var countsLookups = false

  func run(in folder: Scratch, threadCount: Int, seed: UInt64) throws -> Summary {
    do {
      let summary = try perform(in: folder, threadCount: threadCount, seed: seed)
      let rest = try Resources.mappingCount(ofFilesIn: folder)
      guard rest == 0 else { throw Violation("\(rest) mappings are left of stores that are gone") }
      return summary
    } catch {
      throw Violation("\(name): \(error)")
    }
  }

  private func perform(in folder: Scratch, threadCount: Int, seed: UInt64) throws -> Summary {
    var replacing = try Replacing(self, in: folder)
    let stage = try Stage(self, path: replacing.path)
    // What is only made once is there when this has run a while.
    try replacing.run(stage, rounds: min(roundCount / 10, 200))
    let before = try Resources()
    let threads = (0..<threadCount).map { number in
      BackgroundWork(isWorthThread: true) {
        var thread = ReadingThread(stage, seed: seed &+ UInt64(number))
        if number.isMultiple(of: 2) {
          thread.run(on: stage, atMost: .max)
        } else {
          thread.runOnManyThreads(on: stage)
        }
        return (answers: thread.answerCount, threads: thread.threadCount)
      }
    }
    // Without threads of their own, nobody would read.
    guard threads.allSatisfy({ $0.hasThread }) else { throw Violation("the system has no \(threadCount) threads left") }
    do { try replacing.run(stage, rounds: roundCount) } catch { stage.fail("\(error)") }
    stage.end()
    let done = threads.map { $0.wait() }
    try stage.check()

    // Threads that end leave their stacks and arenas for others.
    let margin = Resources.Margin(mappingCount: 200, mappedByteCount: .max, heapByteCount: 256 << 10)
    try Resources().check(against: before, margin)
    let fileMappingCount = try Resources.mappingCount(ofFilesIn: folder)
    let expected = replacing.openFileCount * (1 + Stage.poolSize)
    guard fileMappingCount == expected else {
      throw Violation("\(fileMappingCount) mappings are there, and \(expected) are served or kept")
    }
    return Summary(
      replacements: replacing.summary, answerCount: done.reduce(0) { $0 + $1.answers },
      threadCount: done.reduce(0) { $0 + $1.threads }, mappingCount: fileMappingCount)
  }
}
