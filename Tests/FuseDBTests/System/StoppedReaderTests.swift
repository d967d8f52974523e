import Glibc
import ProgramSupport
import Synchronization
import Testing

import FuseDB

/// What happens between two instructions of a thread that enters or leaves: a signal stops it wherever it is, the object
/// is replaced, and the thread goes on.
@Suite(.serialized)
struct StoppedReaderTests {
  @Test(arguments: [false, true], [false, true])
  func `an object that is replaced while a thread stands anywhere is released when it is not used, and not before`(
    readersFence: Bool, isQuick: Bool
  ) throws {
    let stop = Stop.shared
    let roundCount = 300
    var random = SeededRandom.announced()
    var current = Marked()
    let cell = try HazardCell(current, readersFence: readersFence)
    let faults = Marked()
    let name = Monitor<pthread_t?>(nil)
    stop.prepare()
    let reader = BackgroundWork(isWorthThread: true) {
      func use() {
        let object = unsafe cell.enter()
        for _ in 0..<3 {
          if unsafe object._withUnsafeGuaranteedRef({ $0.isReleased }) { faults.markReleased() }
        }
        if unsafe !isQuick || !cell.leaveQuickly(object) { unsafe cell.leave(object) }
      }
      // The first time takes locks, under which the thread must not stand still.
      use()
      stop.admit()
      name.change { $0 = pthread_self() }
      while stop.goesOn() { use() }
    }
    let thread = name.wait { $0 }
    var (releasedAtOnceCount, keptCount) = (0, 0)
    for round in 1...roundCount {
      // The thread runs on for a while, also where both have one processor. A yield may last on a busy machine, and the
      // thread then works on for nothing, so there are few.
      for _ in 0...random.below(3) {
        sched_yield()
        for _ in 0..<random.below(400) where faults.isReleased { break }
      }
      stop.begin(round, in: thread)
      // This reference keeps the memory, so that the thread can look whether the object should be gone.
      var old = current
      current = Marked()
      cell.replace(by: current)
      if isKnownUniquelyReferenced(&old) {
        old.markReleased()
        releasedAtOnceCount += 1
      }
      stop.end(round)
      if !isKnownUniquelyReferenced(&old) { keptCount += 1 }
      stop.proceed(round)
    }
    stop.proceed(.max)
    reader.wait()
    #expect(!faults.isReleased, "a thread used an object that was released")
    #expect(keptCount == 0, "objects were kept that no thread used")
    // Otherwise the thread was always stopped inside, or always outside.
    #expect(releasedAtOnceCount > 0)
    #expect(releasedAtOnceCount < roundCount)
  }

  private final class Marked: Reclaimable {
    private let released = Atomic(false)
    var byteCount: Int { 1 }
    var isReleased: Bool { released.load(ordering: .acquiring) }
    func markReleased() { released.store(true, ordering: .releasing) }
  }
}

/// Stops a thread by a signal, round by round. All waiting here is fit for a signal handler: no lock, no memory.
private final class Stop: Sendable {
  static let shared = Stop()

  /// The last round in which the thread was stopped, may go on, is at rest between two uses, may use again.
  private let stopped = Atomic(0)
  private let released = Atomic(0)
  private let resting = Atomic(0)
  private let proceeding = Atomic(0)

  func prepare() {
    stopped.store(0, ordering: .relaxed)
    released.store(0, ordering: .relaxed)
    resting.store(0, ordering: .relaxed)
    proceeding.store(0, ordering: .relaxed)
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in Stop.shared.wait() }
    action.sa_flags = SA_RESTART
    let status = unsafe sigaction(SIGURG, &action, nil)
    precondition(status == 0, "a handler can be set for SIGURG")
  }

  /// Lets this thread be stopped; those of the test runner, after which it was made, are not.
  func admit() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGURG)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Stops the thread where it is.
  func begin(_ round: Int, in thread: pthread_t) {
    pthread_kill(thread, SIGURG)
    while stopped.load(ordering: .acquiring) < round { sched_yield() }
  }

  /// Lets the thread go on, until it is between two uses.
  func end(_ round: Int) {
    released.store(round, ordering: .releasing)
    while resting.load(ordering: .acquiring) < round { sched_yield() }
  }

  func proceed(_ round: Int) { proceeding.store(round, ordering: .releasing) }

  /// In the signal handler: waits.
  private func wait() {
    let round = stopped.load(ordering: .relaxed) + 1
    stopped.store(round, ordering: .releasing)
    while released.load(ordering: .acquiring) < round { sched_yield() }
  }

  /// In the thread, between two uses: rests if it was stopped since the last time. Returns false at the end.
  func goesOn() -> Bool {
    let round = stopped.load(ordering: .relaxed)
    if round > proceeding.load(ordering: .acquiring) {
      resting.store(round, ordering: .releasing)
      while proceeding.load(ordering: .acquiring) < round { sched_yield() }
    }
    return proceeding.load(ordering: .acquiring) < .max
  }
}
