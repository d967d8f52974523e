public import FuseDBFormat
internal import FuseDBReading
public import FuseDBSystem
internal import FuseDBValues

// What takes long, for tasks. See spec/decisions/0034-long-calls-of-tasks.md.

extension FuseWriter {
  /// Does ``build(to:progress:)`` for a task: on a thread of its own, and until the task is cancelled.
  ///
  ///     let report = try await writer.buildInBackground(to: "geo.fsdb") { share in gauge.set(share) }
  ///
  /// Nothing else may use the writer meanwhile.
  ///
  /// - Parameter progress: called now and then, on that thread, with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as ``build(to:progress:)``; with code `cancelled` where the task is. Nothing is left behind then, and
  ///   what was at `path` is still there; the writer may not be able to build again.
  @discardableResult
  @inline(never)
  public nonisolated(nonsending) func buildInBackground(
    to path: String, progress: (@Sendable (Double) -> Void)? = nil
  ) async throws(FuseError) -> BuildReport {
    // SAFETY: the caller uses the writer when this has returned.
    nonisolated(unsafe) let writer = self
    return try await FuseBackground.run { () throws(FuseError) in
      try unsafe writer.build(to: path, progress: progress)
    }
  }

  /// Does ``merge(_:to:options:progress:)`` for a task: on threads of its own, and until the task is cancelled.
  ///
  /// - Parameter progress: called now and then, on such a thread, with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as ``merge(_:to:options:progress:)``; with code `cancelled` where the task is. Nothing is left behind
  ///   then, and what was at `output` is still there.
  @discardableResult
  @inline(never)
  public static func mergeInBackground(
    _ inputs: [String], to output: String, options: MergeOptions = MergeOptions(),
    progress: (@Sendable (Double) -> Void)? = nil
  ) async throws(FuseError) -> MergeReport {
    try await FuseBackground.run { () throws(FuseError) in
      try merge(inputs, to: output, options: options, progress: progress)
    }
  }

  /// Does ``reindex(_:output:outputLink:leastKeyCount:greatestShrink:metadata:networks:keyLengths:reverseIndex:form:progress:)`` for
  /// a task: on threads of its own, and until the task is cancelled.
  ///
  /// - Parameter progress: called now and then, on such a thread, with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as that; with code `cancelled` where the task is. The file is as before then.
  @discardableResult
  @inline(never)
  public static func reindexInBackground(
    _ path: String, output: String? = nil, outputLink: OutputLink = .refused, leastKeyCount: Int = 0,
    greatestShrink: Double? = nil, metadata: [String: String]? = nil, networks: Networks = .automatic,
    keyLengths: Bool = false, reverseIndex: Bool = false, form: Form? = nil,
    progress: (@Sendable (Double) -> Void)? = nil
  ) async throws(FuseError) -> ReindexReport {
    try await FuseBackground.run { () throws(FuseError) in
      try reindex(
        path, output: output, outputLink: outputLink, leastKeyCount: leastKeyCount, greatestShrink: greatestShrink,
        metadata: metadata, networks: networks, keyLengths: keyLengths, reverseIndex: reverseIndex, form: form,
        progress: progress)
    }
  }
}
