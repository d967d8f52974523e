import FuseDB

/// Does `body` on so many threads at once, with the numbers from 0 on, and waits for all.
func onThreads<Result: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) -> Result) -> [Result] {
  let works = (0..<count).map { number in BackgroundWork(isWorthThread: true) { body(number) } }
  precondition(works.allSatisfy(\.hasThread), "the test needs \(count) threads")
  return works.map { $0.wait() }
}

/// Where threads wait until all have come.
final class MeetingPoint: Sendable {
  private let missing: Monitor<Int>

  init(_ count: Int) { missing = Monitor(count) }

  func pass() {
    missing.change { $0 -= 1 }
    missing.wait { $0 == 0 ? () : nil }
  }
}
