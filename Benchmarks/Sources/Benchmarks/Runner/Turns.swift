/// One subject's turns at one job: each takes the next questions of the workload.
final class Turns {
  let subject: Subject
  /// Questions in one turn; for scans, keys.
  let operationCount: Int
  /// Nanoseconds for one operation, of each round that counts.
  private(set) var times: [Double] = []

  private let database: any Database
  private let job: Job
  private let workload: Workload
  private let answers: ExpectedAnswers

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
      guard try database.run(job, 0..<0, workload) != nil else { return nil }
      return
    }
    let trial = 0..<2000
    guard let outcome = try database.run(job, trial, workload) else { return nil }
    try answers.compare(outcome, job, trial, subject)
    let questions = job == .prefix ? workload.prefixes.count : workload.hits.count
    let fitting = budget / max(outcome.nanoseconds / Double(trial.count), 1)
    // Whole batches.
    operationCount = min(questions, max(trial.count, Int(fitting))) / 64 * 64
  }

  func take(_ round: Int) throws {
    let questions = job == .prefix ? workload.prefixes.count : workload.hits.count
    let range =
      if job == .scan { 0..<operationCount } else {
        (round % (questions / operationCount)) * operationCount..<(round % (questions / operationCount) + 1)
          * operationCount
      }
    guard let outcome = try database.run(job, range, workload) else { return }
    try answers.compare(outcome, job, range, subject)
    if round > 0 { times.append(outcome.nanoseconds / Double(range.count)) }
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
      case .hit, .batch, .twoThreads: workload.expectedHits(range)
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
