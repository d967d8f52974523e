public import CFuseHazards
internal import FuseDBLibc

/// Tells a thread from the others that live.
package struct ThreadIdentity: Sendable {
  private let thread = pthread_self()

  /// The thread that asks.
  package init() {}

  /// Whether it is the thread that asks.
  package var isOwn: Bool { pthread_equal(thread, pthread_self()) != 0 }
}

/// Numbers for threads.
@usableFromInline package enum ThreadNumber {
  /// This thread's: no other living thread has it, and it is below the greatest number of threads that lived at once, of
  /// those that asked. 0 where memory is short.
  @inlinable
  @inline(__always)
  package static var own: Int { Int(fuse_thread_number()) }
}
