import Glibc
import Synchronization

/// Nanoseconds on a clock that only goes forward.
func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// How many nanoseconds `body` takes.
func timed(_ body: () throws -> Void) rethrows -> Double {
  let start = now()
  try body()
  return now() - start
}

/// How much longer one loop takes for an operation than another: the median over pairs of slices of a fraction of a
/// millisecond, with the same operations, one right after the other.
///
/// - Parameter isFirst: whether the loop begins, and not the other.
func nanoseconds(
  _ range: Range<Int>, of loop: (Range<Int>) throws -> Void, over other: (Range<Int>) throws -> Void, isFirst: Bool
) throws -> Double {
  let sliceCount = 2000
  var differences: [Double] = []
  for (number, start) in stride(from: range.lowerBound, to: range.upperBound - sliceCount, by: sliceCount).enumerated()
  {
    let slice = start..<start + sliceCount
    // Each twice, because the first time brings questions and answers into the cache; who begins changes.
    var times = [0.0, 0.0]
    for turn in 0..<4 {
      let isOwn = turn.isMultiple(of: 2) == (number.isMultiple(of: 2) == isFirst)
      times[isOwn ? 0 : 1] = try timed { try (isOwn ? loop : other)(slice) }
    }
    differences.append((times[0] - times[1]) / Double(sliceCount))
  }
  return differences.median
}

/// Runs two loops at the same time, each on a thread of its own, from when both are ready until both are done.
func onTwoThreads(
  _ first: @escaping () throws -> Tally, _ second: @escaping () throws -> Tally
) throws -> Outcome {
  let gate = Gate()
  let threads = [Loop(first, gate), Loop(second, gate)]
  for thread in threads { try thread.start() }
  for thread in threads { thread.join() }
  let tallies = try threads.map { try $0.result() }
  let start = threads.map(\.started).min() ?? 0
  let end = threads.map(\.ended).max() ?? 0
  return Outcome(
    nanoseconds: end - start, found: tallies[0].found + tallies[1].found, sum: tallies[0].sum &+ tallies[1].sum)
}

/// Opens when both have come.
private final class Gate: Sendable {
  private let waiting = Atomic(2)

  func pass() {
    waiting.subtract(1, ordering: .acquiringAndReleasing)
    while waiting.load(ordering: .acquiring) > 0 {}
  }
}

private final class Loop {
  private let body: () throws -> Tally
  private let gate: Gate
  private var thread = pthread_t()
  private var outcome: Result<Tally, any Error> = .success(Tally())
  private(set) var started = 0.0
  private(set) var ended = 0.0

  init(_ body: @escaping () throws -> Tally, _ gate: Gate) {
    self.body = body
    self.gate = gate
  }

  func start() throws {
    let result = pthread_create(
      &thread, nil,
      { context in
        Unmanaged<Loop>.fromOpaque(context!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard result == 0 else { throw PeerFailure("a thread cannot be started: errno \(result)") }
  }

  private func run() {
    gate.pass()
    started = now()
    outcome = Result { try body() }
    ended = now()
  }

  func join() { pthread_join(thread, nil) }

  func result() throws -> Tally { try outcome.get() }
}
