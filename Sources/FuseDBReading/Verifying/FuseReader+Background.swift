public import FuseDBFormat
internal import FuseDBSystem

// What takes long, for tasks. See spec/decisions/0034-long-calls-of-tasks.md.

extension FuseReader {
  /// Does ``verify(path:level:progress:)`` for a task: on threads of its own, and until the task is cancelled.
  ///
  ///     let report = try await FuseReader.verifyInBackground(path: "geo.fsdb")
  ///
  /// - Parameter progress: called now and then, on such a thread, with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as ``verify(path:level:progress:)``; with code `cancelled` where the task is.
  @inline(never)
  public static func verifyInBackground(
    path: String, level: VerificationLevel = .full, progress: (@Sendable (Double) -> Void)? = nil
  ) async throws(FuseError) -> VerificationReport {
    try await FuseBackground.run { () throws(FuseError) in
      try verify(path: path, level: level, progress: progress)
    }
  }

  /// Does ``verify(level:progress:)`` for a task: on threads of its own, and until the task is cancelled.
  ///
  /// - Parameter progress: called now and then, on such a thread, with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as ``verify(level:progress:)``; with code `cancelled` where the task is.
  @inline(never)
  public func verifyInBackground(
    level: VerificationLevel = .full, progress: (@Sendable (Double) -> Void)? = nil
  ) async throws(FuseError) -> VerificationReport {
    try await FuseBackground.run { () throws(FuseError) in try self.verify(level: level, progress: progress) }
  }
}
