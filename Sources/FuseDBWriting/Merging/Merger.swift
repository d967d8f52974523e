internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues
internal import Synchronization

/// Merges files. See spec/decisions/0010-merge.md.
///
/// 1. Threads take file after file. A file's keys go, as they come, into a run of sorted keys, with the numbers of their
///    objects in the store.
/// 2. Where objects are to be combined, the runs are merged into one.
/// 3. A writer builds a file of the runs as of any others.
struct Merger {
  /// Of the work, how much is done once all files are read.
  private static let shareOfReading = 0.4

  private let inputs: [MergeInput]
  private let subtracted: [MergeFile]
  private let ranges: [KeyRange]
  private let options: MergeOptions
  /// Whether files have different rules for keys, so that the new one has none.
  private let losesRules: Bool
  private let writer: FuseWriter

  init(_ inputs: [String], _ options: MergeOptions, plan: MemoryPlan?) throws(FuseError) {
    guard inputs.count <= MergePosition.mostInputs else {
      throw FuseError(
        .limitExceeded,
        "there are \(inputs.count) files and \(MergePosition.mostInputs) can be merged; merge some first")
    }
    guard options.subtracting.count <= MergeOptions.mostSubtracted else {
      throw FuseError(
        .limitExceeded,
        """
        there are \(options.subtracting.count) files to subtract and \(MergeOptions.mostSubtracted) can be; merge some \
        first
        """)
    }
    _ = try MetadataSection.bytes(of: options.metadata)
    var opened: [MergeInput] = []
    let folder = options.temporaryFolder ?? WriterStorage.usualFolder
    for path in inputs {
      opened.append(try MergeInput(path, staysOpen: opened.count < MergeInput.mostOpen, folder: folder))
    }
    self.inputs = opened
    var options = options
    // A rule that all keys were written by goes on. [F8]
    let name = KeyNormalisation.metadataName
    let rules = Set(opened.map(\.rule))
    losesRules = rules.count > 1 && options.metadata[name] == nil
    if options.layout == .indexed, rules.count == 1, let rule = rules.first! {
      options.metadata.merge([name: rule]) { given, _ in given }
    }
    self.options = options
    var subtracted: [MergeFile] = []
    for path in options.subtracting { subtracted.append(try MergeFile(path, folder: folder)) }
    self.subtracted = subtracted
    ranges = KeyRange.ranges(ofPrefixes: options.prefixes)
    writer = FuseWriter(options.writerOptions, plan: plan)
    for input in opened {
      writer.sections = writer.sections.keeping(input.sections.0, aliases: input.sections.aliases)
    }
  }

  func run(to output: String, _ progress: ((Double) -> Void)?) throws(FuseError) -> MergeReport {
    let output = PinnedPath(output)
    var report = MergeReport()
    let files =
      inputs.map { ($0.path, $0.stamp as FileStamp?) } + subtracted.map { ($0.reader.path, $0.stamp) }
    writer.source = try OutputPlace(output, links: options.outputLink).source(among: files)
    for input in subtracted { try input.checkWhole() }
    try readAll(&report, progress)
    guard report.inputKeyCount - report.subtractedKeyCount <= FormatLimits.count else {
      throw FuseError(
        .limitExceeded,
        "the files have \(report.inputKeyCount) keys and the format allows \(FormatLimits.count); merge fewer of them")
    }
    let built: BuildReport
    if case .combine(let combiner) = options.onConflict {
      let outcome = try combine(combiner)
      built = try build(to: output, merging: nil, progress)
      report.conflictCount = outcome.duplicateCount
      report.combinedCount = outcome.combinedCount
      report.conflicts = outcome.duplicates.map { MergeConflict($0) }
    } else {
      built = try build(to: output, merging: inputs, progress)
      report.conflictCount = built.duplicateKeyCount
      report.conflicts = built.duplicates.map { MergeConflict($0) }
    }
    report.keyCount = built.keyCount
    report.objectCount = built.objectCount
    report.byteCount = built.byteCount
    report.replacedKeyCount = built.replacedKeyCount
    report.networkCount = built.networkCount
    report.literalKeyCount = built.literalKeyCount
    report.bytesSavedBySharing = built.bytesSavedBySharing
    report.spilledByteCount = writer.spilledByteCount
    report.losesRules = losesRules
    return report
  }

  // MARK: Reading

  /// What a thread brings back.
  private struct Reading {
    var keyCount = 0
    var subtractedCount = 0
    var failure: (input: Int, error: FuseError)?
  }

  private func readAll(_ report: inout MergeReport, _ progress: ((Double) -> Void)?) throws(FuseError) {
    let storage = try writer.openStorage()
    // In the order of insertion, one thread adds the objects.
    let shardCount = options.order == .insertion ? 1 : max(1, min(storage.plan.shardCount, inputs.count))
    for _ in 0..<shardCount { _ = try writer.makeShard() }
    // SAFETY: each thread uses the shard of its number.
    nonisolated(unsafe) let shards = writer.shards
    let (inputs, ranges, subtracted) = (inputs, ranges, subtracted)
    let turn = Turn()
    let readings = Parallel.map(shardCount, threadCount: shardCount) { number in
      var reading = Reading()
      var shard = MergeShard(unsafe shards[number], storage, number: number)
      while reading.failure == nil, let input = turn.next(below: inputs.count) {
        do throws(FuseError) {
          try shard.add(inputs[input], number: input, ranges, subtracting: subtracted)
        } catch {
          reading.failure = (input, error)
          turn.end()
        }
      }
      reading.keyCount = shard.keyCount
      reading.subtractedCount = shard.subtractedCount
      return reading
    }
    // The first file that is damaged, of those that were read.
    let failures = readings.compactMap { $0.failure }
    if let failure = failures.min(by: { $0.input < $1.input }) { throw failure.error }
    for reading in readings {
      report.inputKeyCount += reading.keyCount
      report.subtractedKeyCount += reading.subtractedCount
    }
    progress?(Self.shareOfReading)
  }

  /// Says whose turn it is.
  private final class Turn: Sendable {
    private let taken = Atomic(0)

    func next(below count: Int) -> Int? {
      let number = taken.wrappingAdd(1, ordering: .relaxed).oldValue
      return number < count ? number : nil
    }

    /// No shard's any more.
    func end() { taken.store(Int.max / 2, ordering: .relaxed) }
  }

  // MARK: Writing

  /// Merges all runs into one, in which each key has the object that the objects under it were combined into.
  private func combine(_ combiner: @escaping MergeOptions.Combiner) throws(FuseError) -> KeyPipeline.Outcome {
    let storage = try writer.openStorage()
    for shard in writer.shards { try shard.finish() }
    let pipeline = try KeyPipeline(
      writer.shards, storage, policy: .last, mostKeys: writer.limits.count,
      conflicts: try MergeConflicts(inputs, storage.store, combiner: combiner))
    writer.shards = []
    let shard = try writer.makeShard()
    try shard.beginOrder()
    let outcome = try pipeline.forEachBatch { batch throws(FuseError) in
      for i in batch.rows.indices {
        let row = batch.rows[i]
        try batch.withKey(of: row) { key throws(FuseError) in
          try shard.add(key, object: row.object, position: row.position)
        }
      }
    }
    if let error = outcome.error { throw error }
    return outcome
  }

  /// - Parameter conflicting: the files, unless what they disagree about was combined before.
  private func build(
    to output: PinnedPath, merging conflicting: [MergeInput]?, _ progress: ((Double) -> Void)?
  ) throws(FuseError) -> BuildReport {
    do throws(FuseError) {
      return try writer.build(to: output, merging: conflicting) { phase, share in
        progress?(Self.shareOfReading + (1 - Self.shareOfReading) * phase.ofWhole(share))
      }
    } catch {
      guard error.code == .duplicateKey, let duplicate = writer.refusedDuplicate else { throw error }
      throw FuseError(
        .duplicateKey,
        """
        the key \(quoted(duplicate.key.rawSpan)) has another object in \(inputs[MergePosition(duplicate.kept).input].path); \
        drop one of them, or say which file counts
        """, path: inputs[MergePosition(duplicate.dropped).input].path)
    }
  }
}
