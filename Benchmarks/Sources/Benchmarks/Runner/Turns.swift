/// One subject's turns at one job: each takes the next questions of the workload.
final class Turns {
  /// About how long a slice takes, in nanoseconds: well below what the system gives a program at a time.
  private static let slice = 1e6

  let subject: Subject
  /// Questions in one turn; for scans, keys.
  let operationCount: Int
  /// Nanoseconds for one operation, of each round that counts.
  private(set) var times: [Double] = []

  private let database: any Database
  private let job: Job
  private let workload: Workload
  private let answers: ExpectedAnswers
  /// Questions between two looks at the clock. The slices of a turn are alike, and the turn counts with their median:
  /// what interrupts some of them does not matter.
  private let sliceCount: Int

  /// Tries the job on a few questions to see how many fit into the budget; nil where the subject has no such job.
  init?(
    of database: any Database, _ subject: Subject, _ job: Job, _ workload: Workload, _ answers: ExpectedAnswers,
    budget: Double
  ) throws {
    self.database = database
    self.subject = subject
    self.job = job
    self.workload = workload
    self.answers = answers
    guard job != .scan else {
      operationCount = workload.keyCount
      sliceCount = operationCount
      guard try database.run(job, 0..<0, workload) != nil else { return nil }
      return
    }
    // The second time, since the first finds nothing in the caches.
    let trial = 0..<2000
    _ = try database.run(job, trial, workload)
    guard let outcome = try database.run(job, trial, workload) else { return nil }
    try answers.compare(outcome, job, trial, subject)
    let questions = job == .prefix ? workload.prefixes.count : workload.hits.count
    let time = max(outcome.nanoseconds / Double(trial.count), 1)
    // Whole batches.
    operationCount = min(questions, max(trial.count, Int(budget / time))) / 64 * 64
    // Threads are started once a turn, and swaps come every few milliseconds.
    sliceCount = job.hasSlices ? max(64, Int(Self.slice / time) / 64 * 64) : operationCount
  }

  func take(_ round: Int) throws {
    let range = questions(round)
    var total = Outcome(nanoseconds: 0, found: 0, sum: 0)
    var sliceTimes: [Double] = []
    for start in stride(from: range.lowerBound, to: range.upperBound, by: sliceCount) {
      let slice = start..<min(start + sliceCount, range.upperBound)
      guard let outcome = try database.run(job, slice, workload) else { return }
      total.found += outcome.found
      total.sum = outcome.sum.flatMap { sum in total.sum.map { $0 &+ sum } }
      sliceTimes.append(outcome.nanoseconds / Double(slice.count))
    }
    try answers.compare(total, job, range, subject)
    if round > 0 { times.append(sliceTimes.median) }
  }

  /// Each round the next so many, and then from the start again.
  private func questions(_ round: Int) -> Range<Int> {
    guard job != .scan else { return 0..<operationCount }
    let all = job == .prefix ? workload.prefixes.count : workload.hits.count
    let start = round % (all / operationCount) * operationCount
    return start..<start + operationCount
  }
}

/// What the timed loops must find.
final class ExpectedAnswers {
  private let workload: Workload
  private let scan: Tally
  private let sorted: [UInt32]

  init(_ workload: Workload) {
    self.workload = workload
    scan = workload.expectedScan()
    sorted = workload.keys.sortedOrder()
  }

  func compare(_ outcome: Outcome, _ job: Job, _ range: Range<Int>, _ subject: Subject) throws {
    let expected: Tally? =
      switch job {
      case .hit, .batch, .twoThreads, .swaps: workload.expectedHits(range)
      case .miss: Tally()
      case .scan: scan
      case .prefix: nil
      }
    let found = expected?.found ?? workload.expectedPrefixCount(range, sorted: sorted)
    guard outcome.found == found, expected == nil || outcome.sum == nil || outcome.sum == expected?.sum else {
      throw WrongAnswer(
        "\(subject.rawValue): \(job.name) found \(outcome.found), or other objects, and must find \(found)")
    }
  }
}
