internal import CFuseSystem

/// Numbers for threads.
enum ThreadNumber {
  /// This thread's: no other living thread has it, and it is below the greatest number of threads that lived at once, of
  /// those that asked. 0 where memory is short.
  @inline(__always)
  static var own: Int { Int(fuse_thread_number()) }
}
