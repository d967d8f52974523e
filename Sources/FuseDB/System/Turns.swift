internal import Glibc

/// Lets threads do something one after the other, in the order of the numbers that they have.
@safe
final class Turns: Sendable {
  // SAFETY: allocated in init and freed in deinit, when no thread waits; `next` is used under the lock alone.
  private nonisolated(unsafe) let lock: UnsafeMutablePointer<pthread_mutex_t>
  private nonisolated(unsafe) let changed: UnsafeMutablePointer<pthread_cond_t>
  private nonisolated(unsafe) var next = 0

  init() {
    unsafe lock = .allocate(capacity: 1)
    unsafe changed = .allocate(capacity: 1)
    unsafe pthread_mutex_init(lock, nil)
    unsafe pthread_cond_init(changed, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(lock)
    unsafe changed.deallocate()
    unsafe lock.deallocate()
  }

  /// Does `body` once all smaller numbers have had their turn. Every number from 0 on has to take its turn, once.
  func take<Failure: Error>(_ number: Int, _ body: () throws(Failure) -> Void) throws(Failure) {
    unsafe pthread_mutex_lock(lock)
    while unsafe next != number { unsafe pthread_cond_wait(changed, lock) }
    unsafe pthread_mutex_unlock(lock)
    defer {
      unsafe pthread_mutex_lock(lock)
      unsafe next += 1
      unsafe pthread_cond_broadcast(changed)
      unsafe pthread_mutex_unlock(lock)
    }
    try body()
  }
}
