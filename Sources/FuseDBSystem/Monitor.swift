internal import FuseDBFormat
internal import FuseDBLibc

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
    // SAFETY: this thread has the lock from here to the end, so nobody else has the state.
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
