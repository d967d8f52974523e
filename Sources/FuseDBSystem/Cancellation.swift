package import CFuseSystem
package import FuseDBFormat

/// How a long call ends before it is done.
///
/// What ends it belongs to the thread, and to those that work for it (``BackgroundWork``), so that no function between has to
/// hand it on. What works long asks now and then, where it can throw.
package enum Cancellation {
  /// Throws where the long call that this thread works for is to end.
  @inline(__always)
  package static func check() throws(FuseError) { if fuse_is_ended() { throw .cancelled } }

  /// Whether it is to end.
  package static var isRequested: Bool { fuse_is_ended() }

  /// Does `body`, which may go on after the long call that it was begun in, without what ends that.
  package static func outlivingCall(_ body: () -> Void) {
    // SAFETY: what ends the call may be gone when `body` returns, and nothing reads it from there on.
    let before = unsafe fuse_ending_own()
    fuse_ending_set(nil)
    defer { unsafe fuse_ending_set(before) }
    body()
  }

  // SAFETY: the thread has the pointer until `body` has returned, and so have the threads that it waits for.
  /// Does `body` as a long call that `ending` ends.
  @unsafe
  package static func with<Result>(
    _ ending: UnsafeMutablePointer<fuse_ending>, _ body: () throws(FuseError) -> Result
  ) throws(FuseError) -> Result {
    let before = unsafe fuse_ending_own()
    unsafe fuse_ending_set(ending)
    defer { unsafe fuse_ending_set(before) }
    return try body()
  }
}

/// One long call, which another thread may end.
@safe
package final class EndableCall: Sendable {
  // SAFETY: allocated in init and freed in deinit; what is there is read and written as an atomic.
  private nonisolated(unsafe) let ending: UnsafeMutablePointer<fuse_ending>

  package init() {
    // SAFETY: the new memory gets a value before anybody reads it.
    unsafe ending = .allocate(capacity: 1)
    unsafe ending.initialize(to: fuse_ending(token: nil, ended: 0))
  }

  // SAFETY: the threads that work for the call keep this object.
  deinit { unsafe ending.deallocate() }

  // SAFETY: this object keeps the memory; the call writes an atomic there.
  /// Has the call end with ``FuseError/cancelled``.
  package func end() { unsafe fuse_ending_end(ending) }

  /// Does `body` as this call, on the thread that asks.
  package func run<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    // SAFETY: this object is kept until `body` has returned, and so have the threads that it waits for.
    let before = unsafe fuse_ending_own()
    unsafe fuse_ending_set(ending)
    defer { unsafe fuse_ending_set(before) }
    return try body()
  }
}
