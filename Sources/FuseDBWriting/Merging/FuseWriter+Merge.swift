public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

extension FuseWriter {
  /// Writes one file with the keys of many.
  ///
  ///     let report = try FuseWriter.merge(["monday.fsdb", "tuesday.fsdb"], to: "week.fsdb")
  ///     report.conflictCount   // 12: keys with another object on Tuesday, which counts
  ///
  /// The new file is what a writer would build of the same mapping: equal objects are stored once, whichever files they
  /// come from. Plain files, such as those of `fusedb` 0.3.0, can be merged, too. Everything that is taken over is checked
  /// first; a damaged file is refused, and then nothing is written. `output` may be one of the files: it is replaced in
  /// one step, as by ``build(to:progress:)``, unless it was replaced in the meantime.
  ///
  /// - Parameters:
  ///   - inputs: the paths of the files, at most 65,536.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as ``FuseReader/init(path:checksums:access:)`` and ``build(to:progress:)``; `outputChanged`
  ///   when `output` is one of the files and is no longer what was read; `duplicateKey`
  ///   where files have different objects under a key and ``MergeOptions/ConflictPolicy/error`` was asked for;
  ///   `invalidValue` where objects were combined into something else than MessagePack; what the function that combines
  ///   them throws.
  /// - Complexity: O(n log n) in files, O(n) in keys; the memory is that of the options, however long the files are.
  @discardableResult
  public static func merge(
    _ inputs: [String], to output: String, options: MergeOptions = MergeOptions(), progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> MergeReport {
    try merge(inputs, to: output, options, plan: nil, progress)
  }

  /// - Parameter plan: how memory is divided; nil as the options say.
  static func merge(
    _ inputs: [String], to output: String, _ options: MergeOptions, plan: MemoryPlan?,
    _ progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> MergeReport {
    try Merger(inputs, options, plan: plan).run(to: output, progress)
  }
}
