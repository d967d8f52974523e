internal import FuseDBFormat

/// Long work for tasks: on a thread of its own, so that the threads that tasks share stay free, and ended where the task is
/// cancelled.
///
///     let report = try await FuseBackground.run { try FuseWriter.merge(days, to: "week.fsdb") }
///
/// What builds, merges, verifies, patches or scans has a form that does this by itself, such as
/// ``FuseReader/verifyInBackground(path:level:progress:)``. This is for what has none, and for several calls in a row. See
/// spec/decisions/0034-long-calls-of-tasks.md.
public enum FuseBackground {
  /// Does `work` on a thread of its own, and returns what it returns.
  ///
  /// Where the task is cancelled, the call of this library that `work` is in throws ``FuseError/Code/cancelled``, mostly within
  /// some milliseconds, and leaves nothing behind; so does each that begins afterwards. What `work` does beside, it has to
  /// end itself. The thread takes no signals. Where the system has no thread left, the caller's does the work.
  ///
  /// - Throws: what `work` throws.
  public static func run<Result: Sendable, Failure: Error>(
    _ work: @escaping @Sendable () throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let call = EndableCall()
    let outcome: Swift.Result<Result, Failure> = await withTaskCancellationHandler {
      await withCheckedContinuation { task in
        BackgroundWork.detach {
          task.resume(returning: Swift.Result { () throws(Failure) in try call.run(work) })
        }
      }
    } onCancel: {
      call.end()
    }
    return try outcome.get()
  }
}
