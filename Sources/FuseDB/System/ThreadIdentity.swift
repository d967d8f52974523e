internal import Glibc

/// Tells a thread from the others that live.
struct ThreadIdentity: Sendable {
  private let thread = pthread_self()

  /// Whether it is the thread that asks.
  var isOwn: Bool { pthread_equal(thread, pthread_self()) != 0 }
}
