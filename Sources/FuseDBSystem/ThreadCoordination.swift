internal import CFuseSystem
internal import FuseDBFormat
internal import FuseDBLibc
internal import Synchronization

/// State that threads share, and whose changes they wait for.
@safe
package final class Monitor<State>: Sendable {
  // SAFETY: allocated in init and freed in deinit, when no thread waits; the state is used under the lock alone.
  private nonisolated(unsafe) let lock: UnsafeMutablePointer<pthread_mutex_t>
  private nonisolated(unsafe) let changed: UnsafeMutablePointer<pthread_cond_t>
  private nonisolated(unsafe) var state: State

  package init(_ state: sending State) {
    // SAFETY: lock and condition get memory of their own and are set up before another thread sees them.
    unsafe self.state = state
    unsafe lock = .allocate(capacity: 1)
    unsafe changed = .allocate(capacity: 1)
    unsafe pthread_mutex_init(lock, nil)
    unsafe pthread_cond_init(changed, nil)
  }

  deinit {
    // SAFETY: a thread that has the lock or waits keeps this object, so there is none.
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(lock)
    unsafe changed.deallocate()
    unsafe lock.deallocate()
  }

  /// Changes the state.
  package func change<Result, Failure: Error>(
    _ body: (inout State) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: this thread has the lock from here to the end, so no other thread has the state.
    unsafe pthread_mutex_lock(lock)
    defer {
      unsafe pthread_cond_broadcast(changed)
      unsafe pthread_mutex_unlock(lock)
    }
    return unsafe try body(&state)
  }

  /// Tries `body`, again after each change, until it has a result; only then may it have changed the state.
  package func wait<Result>(_ body: (inout State) -> Result?) -> Result {
    // SAFETY: `body` has the state under the lock; waiting gives the lock back and returns with it.
    unsafe pthread_mutex_lock(lock)
    defer {
      unsafe pthread_cond_broadcast(changed)
      unsafe pthread_mutex_unlock(lock)
    }
    while true {
      if let result = unsafe body(&state) { return result }
      unsafe pthread_cond_wait(changed, lock)
    }
  }
}

/// Runs work of several threads one after the other, in the order of their numbers.
package final class Sequencer: Sendable {
  private let next = Monitor(0)

  package init() {}

  /// Runs `body` once that of every smaller number has ended. Every number from 0 on has to run, once.
  package func run<Failure: Error>(_ number: Int, _ body: () throws(Failure) -> Void) throws(Failure) {
    next.wait { $0 == number ? () : nil }
    defer { next.change { $0 += 1 } }
    try body()
  }
}

/// Hands elements from threads to threads, in order, and makes the giving ones wait while too many are on their way.
package final class BoundedQueue<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var isClosed = false
  }

  private let capacity: Int
  private let state = Monitor(State())

  package init(capacity: Int) { self.capacity = capacity }

  /// Adds an element once there is room. Returns false, without adding it, when the queue is closed.
  package func push(_ element: Element) -> Bool {
    let capacity = capacity
    return state.wait { state in
      if state.isClosed { return false }
      guard state.elements.count < capacity else { return nil }
      state.elements.append(element)
      return true
    }
  }

  /// Takes the oldest element once there is one. Returns nil when the queue is closed and empty.
  package func pop() -> Element? {
    state.wait { state -> Element?? in
      if !state.elements.isEmpty { return .some(state.elements.removeFirst()) }
      return state.isClosed ? .some(nil) : nil
    }
  }

  /// Lets nothing more in.
  package func close() { state.change { $0.isClosed = true } }
}

/// Lets one thread at a time do something that takes long and calls code of the user.
package final class ExclusiveTurn: Sendable {
  // A state without a byte would have the address of what follows it, which ThreadSanitizer takes for a race.
  private let lock = Monitor(0)
  /// The thread whose turn it is, or 0.
  private let thread = Atomic<UInt>(0)

  package init() {}

  /// Does `body` when no other thread has its turn.
  ///
  /// - Precondition: it is not this thread's turn already: the thread would wait for itself.
  package func take<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let own = fuse_thread_own()
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
