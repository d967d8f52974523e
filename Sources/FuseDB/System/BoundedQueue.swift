internal import Glibc

/// Hands elements from threads to threads, in order, and makes the giving ones wait while too many are on their way.
@safe
package final class BoundedQueue<Element: Sendable>: Sendable {
  private let capacity: Int
  // SAFETY: allocated in init and freed in deinit, when no thread waits; the rest is used under the lock alone.
  private nonisolated(unsafe) let lock: UnsafeMutablePointer<pthread_mutex_t>
  private nonisolated(unsafe) let changed: UnsafeMutablePointer<pthread_cond_t>
  private nonisolated(unsafe) var elements: [Element] = []
  private nonisolated(unsafe) var isClosed = false

  package init(capacity: Int) {
    self.capacity = capacity
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

  /// Adds an element once there is room. Returns false, without adding it, when the queue is closed.
  package func push(_ element: Element) -> Bool {
    unsafe pthread_mutex_lock(lock)
    defer { unsafe pthread_mutex_unlock(lock) }
    while unsafe !isClosed && elements.count >= capacity { unsafe pthread_cond_wait(changed, lock) }
    guard unsafe !isClosed else { return false }
    unsafe elements.append(element)
    unsafe pthread_cond_broadcast(changed)
    return true
  }

  /// Takes the oldest element once there is one. Returns nil when the queue is closed and empty.
  package func pop() -> Element? {
    unsafe pthread_mutex_lock(lock)
    defer { unsafe pthread_mutex_unlock(lock) }
    while unsafe !isClosed && elements.isEmpty { unsafe pthread_cond_wait(changed, lock) }
    guard unsafe !elements.isEmpty else { return nil }
    let element = unsafe elements.removeFirst()
    unsafe pthread_cond_broadcast(changed)
    return element
  }

  /// Lets nothing more in.
  package func close() {
    unsafe pthread_mutex_lock(lock)
    unsafe isClosed = true
    unsafe pthread_cond_broadcast(changed)
    unsafe pthread_mutex_unlock(lock)
  }
}
