public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What ``FuseWriter/merge(_:to:options:progress:)`` wrote.
public struct MergeReport: Sendable, Equatable {
  /// Keys that were read of all files: those with one of the prefixes, where there are some.
  public var inputKeyCount = 0
  /// Of these: keys that a file to be subtracted has.
  public var subtractedKeyCount = 0
  /// Keys under which files have different objects.
  public var conflictCount = 0
  /// Of these: keys that got a new object, which the function that combines made.
  public var combinedCount = 0
  /// The first few keys under which files have different objects, in key order.
  public var conflicts: [MergeConflict] = []
  /// Keys in the new file.
  public var keyCount = 0
  /// Objects in the new file.
  public var objectCount = 0
  /// The new file's length.
  public var byteCount = 0
  /// How many bytes longer the file would be if every key had its own copy of its object.
  public var bytesSavedBySharing = 0
  /// Keys of the database that the file replaced; nil where there was none.
  public var replacedKeyCount: Int?
  /// Blocks of addresses by which the file answers for an address; nil where it does not.
  public var networkCount: Int?
  /// Where it does, keys that stand for no block.
  public var literalKeyCount = 0
  /// Whether the files name different rules for keys, so that the new one names none: see ``FuseReader/normalisation``.
  public var losesRules = false
  /// How many bytes went to a temporary file.
  public var spilledByteCount = 0
}

/// A key under which files have different objects.
public struct MergeConflict: Sendable, Equatable {
  /// What a key got.
  public enum Outcome: Sendable, Equatable {
    /// The object of one file; `dropped` is a file with another object. Both are numbers of files, from 0 on.
    case kept(Int, dropped: Int)
    /// A new object, which the function that combines made of those of these files.
    case combined([Int])
  }

  /// The key.
  public var key: [UInt8]
  /// What it got.
  public var outcome: Outcome

  init(_ duplicate: DuplicateKey) {
    key = duplicate.key
    outcome =
      duplicate.combined.isEmpty
      ? .kept(MergePosition(duplicate.kept).input, dropped: MergePosition(duplicate.dropped).input)
      : .combined(duplicate.combined.map { MergePosition($0).input })
  }
}

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
