public import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// What ``FuseWriter/build(to:progress:)`` wrote.
public struct BuildReport: Sendable, Equatable {
  /// Keys in the file.
  public var keyCount = 0
  /// Objects in the file.
  public var objectCount = 0
  /// Additions of an object that found the same bytes stored already.
  public var sharedObjectCount = 0
  /// Objects at which no key points: kept in insertion order, left out in key order.
  public var unreachedObjectCount = 0
  /// Additions of a key that was there already.
  public var duplicateKeyCount = 0
  /// The file's length.
  public var byteCount = 0
  /// How many bytes longer the file would be if every key had its own copy of its object.
  public var bytesSavedBySharing = 0
  /// Keys of the database that the file replaced; nil where there was none.
  public var replacedKeyCount: Int?
  /// Blocks of addresses by which the file answers for an address; nil where it does not.
  public var networkCount: Int?
  /// Where it does, keys that stand for no block.
  public var literalKeyCount = 0
  /// The first few additions of a key that was there already, in key order.
  package var duplicates: [DuplicateKey] = []
}

extension FuseWriter {
  /// Writes all that was added as the file at `path`, which appears complete or not at all.
  ///
  /// A file that is there is replaced in one step; readers that have it open keep the old one. The new one has its mode,
  /// and its owner and group where the process may give them; otherwise it has the permissions that the process gives to
  /// new files. When this returns, the file is durable. The writer may go on and build again.
  ///
  /// - Parameter progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` with code `duplicateKey` under ``DuplicatePolicy/error``, `refused` when the file has fewer
  ///   keys than the options allow, `inputOutput` when the file cannot be written, or when at `path` there is a folder, a
  ///   device or, under ``OutputLink/refused``, a symbolic link. Nothing is left behind then, and what was at `path` is
  ///   still there. If only the very last step fails, which makes the folder durable, the new file is there, and the
  ///   message says so.
  /// - Complexity: O(n log n) in keys, and as much memory as ``Options/memory`` says; what does not fit is written to
  ///   the temporary folder and read again, once or, of very many keys or objects, a few times.
  @discardableResult
  public func build(to path: String, progress: ((Double) -> Void)? = nil) throws(FuseError) -> BuildReport {
    try build(to: path) { phase, share in progress?(phase.ofWhole(share)) }
  }

  /// The same, with more to say.
  ///
  /// - Parameter progress: called now and then with what is being done, and the share of that which is done.
  @discardableResult
  package func build(
    to path: String, phases progress: (BuildPhase, Double) -> Void
  ) throws(FuseError) -> BuildReport {
    try build(to: PinnedPath(path), merging: nil, phases: progress)
  }

  /// The same of keys that come from files.
  ///
  /// - Parameter inputs: the files, which tell a conflict from the same object; nil where a key is a duplicate whenever
  ///   it comes again.
  func build(
    to path: PinnedPath, merging inputs: [MergeInput]?, phases progress: (BuildPhase, Double) -> Void
  ) throws(FuseError) -> BuildReport {
    let metadata = try MetadataSection.bytes(of: options.allMetadata(of: inputMetadata))
    precondition(options.form == .family || options.layout == .indexed, "a compact file is never plain")
    precondition(metadata == nil || options.layout == .indexed, "a plain file has no place for metadata")
    if options.onDuplicate == .collect { return try buildLists(to: path, phases: progress) }
    let storage = try openStorage()
    var report = BuildReport()
    progress(.sorting, 0)
    let isResident = try finishAdding(storage)
    let conflicts = try inputs.map { inputs throws(FuseError) in
      try MergeConflicts(inputs, storage.store, combiner: nil)
    }
    let pipeline = try KeyPipeline(
      shards, storage, policy: options.onDuplicate, mostKeys: limits.count, conflicts: conflicts)
    let total = max(1, pipeline.keyCount)
    let assembly: FileAssembly
    let outcome: KeyPipeline.Outcome
    if isResident {
      let objects = try ResidentAssembly(storage, pipeline, order: options.order)
      assembly = try self.assembly(storage, path, pipeline, dataByteCount: objects.dataByteCount)
      outcome = try objects.run(assembly, &report) { progress(.writing, Double($0) / Double(total)) }
      try check(outcome)
    } else {
      var objects = try PartitionedAssembly(storage, pipeline, order: options.order)
      let prepared = try objects.prepare(&report) { progress(.sorting, Double($0) / Double(total)) }
      outcome = prepared.outcome
      try check(outcome)
      assembly = try self.assembly(storage, path, pipeline, dataByteCount: prepared.dataByteCount)
      try objects.write(to: assembly, dataByteCount: prepared.dataByteCount) {
        progress(.writing, Double($0) / Double(total))
      }
    }
    guard report.objectCount <= limits.count else { throw limits.tooManyObjects }
    report.keyCount = assembly.keyCount
    report.duplicateKeyCount = outcome.duplicateCount
    report.duplicates = outcome.duplicates
    let published = try assembly.publish(objectCount: report.objectCount, metadata: metadata, progress)
    report.byteCount = published.byteCount
    report.replacedKeyCount = published.replacedKeyCount
    report.networkCount = published.networks?.networkCount
    report.literalKeyCount = published.networks?.literalKeyCount ?? 0
    progress(.syncing, 1)
    return report
  }

  /// Sorts what was added last. Returns whether all objects are in memory; where they are not, keys are not either.
  @discardableResult
  func finishAdding(_ storage: WriterStorage) throws(FuseError) -> Bool {
    let isResident = try storage.store.finish()
    for shard in shards {
      try shard.finish()
      if !isResident { try shard.spillRuns() }
    }
    return isResident
  }

  private func assembly(
    _ storage: WriterStorage, _ path: PinnedPath, _ pipeline: KeyPipeline, dataByteCount: Int
  ) throws(FuseError) -> FileAssembly {
    let keyCount = pipeline.keyCount
    var file = try AtomicFile(replacing: path, options.replacement)
    file.source = source
    var compact: CompactTarget?
    if options.form != .family {
      compact = CompactTarget(
        file: file, keysAreRaw: options.form == .compactFast, memory: storage.plan.extensionBlock, sections: sections)
      file = try AtomicFile(scratchBeside: file.place)
    }
    return try FileAssembly(
      file, options.layout, keyCountAtMost: keyCount, dataByteCountAtMost: dataByteCount,
      indexByteCountAtMost: pipeline.keyByteCount + keyCount * IndexEntry.overhead, sections: sections,
      limits: BlockLimits(
        memory: storage.plan.extensionBlock, temporaryFolder: storage.temporaryFolder,
        threadCount: storage.plan.shardCount), compact: compact)
  }

  /// What went wrong with the merge of the keys.
  private func check(_ outcome: KeyPipeline.Outcome) throws(FuseError) {
    guard let error = outcome.error else { return }
    refusedDuplicate = outcome.duplicates.first
    throw error
  }
}

/// What a build is doing.
package enum BuildPhase: String, Sendable {
  /// What was added is brought into order.
  case sorting
  /// Data and keys are written.
  case writing
  /// The extension block is made.
  case indexing
  /// The file is made durable and moved to its name.
  case syncing

  /// The share of a whole build that is done when this phase begins,
  private var start: Double {
    switch self {
    case .sorting: 0
    case .writing: 0.1
    case .indexing: 0.6
    case .syncing: 0.95
    }
  }

  /// and when it ends.
  private var end: Double {
    switch self {
    case .sorting: 0.1
    case .writing: 0.6
    case .indexing: 0.95
    case .syncing: 1
    }
  }

  /// The share of a whole build that is done, about, when `share` of this phase is.
  func ofWhole(_ share: Double) -> Double { start + (end - start) * share }
}
