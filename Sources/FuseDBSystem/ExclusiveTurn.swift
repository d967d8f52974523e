internal import FuseDBFormat
internal import FuseDBLibc
internal import Synchronization

/// Lets one thread at a time do something that takes long, and that asks code of others on the way.
package final class ExclusiveTurn: Sendable {
  // A state without a byte would have the address of what follows it, which ThreadSanitizer takes for a race.
  private let lock = Monitor(0)
  /// The thread whose turn it is, or 0.
  private let thread = Atomic<UInt>(0)

  package init() {}

  /// Does `body` when no other thread has its turn.
  ///
  /// - Precondition: it is not this thread's turn already; it would wait for itself.
  package func take<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let own = UInt(pthread_self())
    // Only this thread writes its own name there, so what others write at the same time does not matter.
    precondition(
      thread.load(ordering: .relaxed) != own,
      "a rule that examines a new file ('SwapRules.accept') must not reload, swap or roll back the store that asks it")
    return try lock.change { _ throws(Failure) in
      thread.store(own, ordering: .relaxed)
      defer { thread.store(0, ordering: .relaxed) }
      return try body()
    }
  }
}
