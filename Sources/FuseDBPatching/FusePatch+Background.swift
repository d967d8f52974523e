public import FuseDBFormat
public import FuseDBReading
public import FuseDBSystem

// What takes long, for tasks. See spec/decisions/0034-long-calls-of-tasks.md.

extension FusePatch {
  /// Does ``make(from:to:at:outputLink:)`` for a task: on threads of its own, and until the task is cancelled.
  ///
  /// - Throws: ``FuseError`` as ``make(from:to:at:outputLink:)``; with code `cancelled` where the task is. Nothing is left behind
  ///   then, and what was at `path` is still there.
  @discardableResult
  @inline(never)
  public static func makeInBackground(
    from old: FuseReader, to new: FuseReader, at path: String, outputLink: OutputLink = .refused
  ) async throws(FuseError) -> PatchReport {
    try await FuseBackground.run { () throws(FuseError) in
      try make(from: old, to: new, at: path, outputLink: outputLink)
    }
  }

  /// Does ``apply(_:to:output:options:)-(String,_,_,_)`` for a task: on threads of its own, and until the task is cancelled.
  ///
  /// - Throws: ``FuseError`` as ``apply(_:to:output:options:)-(String,_,_,_)``; with code `cancelled` where the task is. Nothing is left behind
  ///   then, and what was at `output` is still there.
  @discardableResult
  @inline(never)
  public static func applyInBackground(
    _ path: String, to old: FuseReader, output: String, options: Options = Options()
  ) async throws(FuseError) -> PatchedFile {
    try await FuseBackground.run { () throws(FuseError) in
      try apply(path, to: old, output: output, options: options)
    }
  }

  /// Does ``apply(_:to:output:options:)-([String],_,_,_)`` for a task: on threads of its own, and until the task is cancelled.
  ///
  /// - Throws: ``FuseError`` as ``apply(_:to:output:options:)-([String],_,_,_)``; with code `cancelled` where the task is. Nothing is
  ///   left behind then, and what was at `output` is still there.
  @discardableResult
  @inline(never)
  public static func applyInBackground(
    _ paths: [String], to old: FuseReader, output: String, options: Options = Options()
  ) async throws(FuseError) -> PatchedFile {
    try await FuseBackground.run { () throws(FuseError) in
      try apply(paths, to: old, output: output, options: options)
    }
  }
}
