internal import FuseDBLibc

/// Tells a thread from the others that live.
package struct ThreadIdentity: Sendable {
  private let thread = pthread_self()

  /// The thread that asks.
  package init() {}

  /// Whether it is the thread that asks.
  package var isOwn: Bool { pthread_equal(thread, pthread_self()) != 0 }
}
