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
