public import CFuseHazards
internal import CFuseSystem

/// Tells a thread from the others that live.
package struct ThreadIdentity: Sendable {
  private let thread = fuse_thread_own()

  /// The thread that asks.
  package init() {}

  /// Whether it is the thread that asks.
  package var isOwn: Bool { thread == fuse_thread_own() }
}

/// Numbers for threads.
@usableFromInline package enum ThreadNumber {
  /// This thread's: no other living thread has it, and it is below the greatest number of threads that lived at once, of
  /// those that asked. 0 where memory is short.
  @inlinable
  @inline(__always)
  package static var own: Int { Int(fuse_thread_number()) }
}
