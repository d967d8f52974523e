public import CFuseHazards

/// Numbers for threads.
@usableFromInline package enum ThreadNumber {
  /// This thread's: no other living thread has it, and it is below the greatest number of threads that lived at once, of
  /// those that asked. 0 where memory is short.
  @inlinable
  @inline(__always)
  package static var own: Int { Int(fuse_thread_number()) }
}
