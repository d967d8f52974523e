/// One subject's turns at one job: each takes the next questions of the workload.
final class Turns {
  /// About how long a slice takes, in nanoseconds: well below what the system gives a program at a time.
  private static let slice = 1e6

  /// Questions in one turn; for scans, keys.
  let operationCount: Int
  /// Nanoseconds for one operation, of each round that counts.
  private(set) var times: [Double] = []

  private let loop: TimedLoop
  /// Questions between two looks at the clock. The slices of a turn are alike, and the turn counts with their median:
  /// what interrupts some of them does not matter.
  private let sliceCount: Int

  var subject: Subject { loop.subject }

  /// Tries the loop on a few questions to see how many fit into the budget, in nanoseconds; nil where the subject has
  /// no such job.
  init?(of loop: TimedLoop, budget: Double) throws {
    self.loop = loop
    guard loop.piece != .everything else {
      operationCount = loop.questionCount
      sliceCount = operationCount
      guard try loop.run(0..<0) != nil else { return nil }
      return
    }
    // The first time, which finds as little in the caches as a turn does that comes after others.
    let trial = 0..<2000
    guard let outcome = try loop.run(trial) else { return nil }
    try loop.compare(outcome, trial)
    let time = max(outcome.nanoseconds / Double(trial.count), 1)
    // Whole batches.
    operationCount = min(loop.questionCount, max(trial.count, Int(budget / time))) / 64 * 64
    sliceCount = loop.piece == .slice ? max(64, Int(Self.slice / time) / 64 * 64) : operationCount
  }

  func take(_ round: Int) throws {
    let range = questions(round)
    var total = Outcome(nanoseconds: 0, found: 0, sum: 0)
    var sliceTimes: [Double] = []
    for start in stride(from: range.lowerBound, to: range.upperBound, by: sliceCount) {
      let slice = start..<min(start + sliceCount, range.upperBound)
      guard let outcome = try loop.run(slice) else { return }
      total.found += outcome.found
      total.sum = outcome.sum.flatMap { sum in total.sum.map { $0 &+ sum } }
      sliceTimes.append(outcome.nanoseconds / Double(slice.count))
    }
    try loop.compare(total, range)
    if round > 0 { times.append(sliceTimes.median) }
  }

  /// Each round the next so many, and then from the start again.
  private func questions(_ round: Int) -> Range<Int> {
    let start = round % (loop.questionCount / operationCount) * operationCount
    return start..<start + operationCount
  }
}
