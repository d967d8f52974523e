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
