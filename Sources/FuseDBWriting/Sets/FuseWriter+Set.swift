internal import FuseDBCompact
public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// How a set is divided.
public enum ShardPlan: Sendable, Hashable {
  /// By a rule.
  case rule(ShardRule)
  /// By hashes, into the fewest shards, a power of two, that have no more than so many bytes on average: as version 2 of the format takes them. See
  /// spec/sharding.md [GC1].
  case shardByteCount(Int)

  /// The rule for so many bytes.
  package func rule(forByteCount byteCount: Int) -> ShardRule {
    switch self {
    case .rule(let rule): rule
    case .shardByteCount(let size): .hash(count: ShardRule.count(for: byteCount, shardByteCount: size))
    }
  }
}

extension FuseWriter {
  /// Writes all that was added as a set of shards in the folder at `path`, which is made where it is missing, and publishes it.
  ///
  ///     try writer.buildSet(in: "geo/", .rule(.hash(count: 64)))
  ///
  /// The shards depend on the keys, the objects, the plan and the form alone. What stands in the folder stays until all is built: readers go on with it.
  /// Shards that come out as they were are left alone.
  ///
  /// - Parameters:
  ///   - generation: what ``FuseSet/generation(in:)`` said before the first record was added; nil where that is asked for now.
  ///   - progress: called now and then with the share that is done, from 0 to 1.
  /// - Throws: ``FuseError`` as ``build(to:progress:)`` and ``FuseSet/publish(_:by:in:after:leastKeyCount:greatestShrink:)``.
  /// - Precondition: the options ask for the order of keys, and for identical objects to be stored once.
  /// - Complexity: as ``build(to:progress:)``, about twice: all keys are put in order first, and then divided.
  @discardableResult
  public func buildSet(
    in path: String, _ plan: ShardPlan, after generation: Int? = nil, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> FuseSet.Report {
    try buildSet(in: path, plan, after: generation) { phase, share in progress?(phase.ofWhole(share)) }.set
  }

  /// The same, with more to say.
  package func buildSet(
    in path: String, _ plan: ShardPlan, after generation: Int?, phases progress: (BuildPhase, Double) -> Void
  ) throws(FuseError) -> (build: BuildReport, set: FuseSet.Report) {
    precondition(
      options.order == .key && options.sharing == .identicalObjects,
      "shards are in the order of keys, and store objects once")
    let generation = if let generation { generation } else { try FuseSet.generation(in: path) }
    let folder = PinnedPath(path)
    try FolderFiles.make(folder.absolute)
    let wanted = options
    let (metadata, aliases) = (options.allMetadata(of: inputMetadata), sections.aliases)
    // All keys in one file first, without an index: nobody sees it, and it goes with this process.
    let random = String(UInt64.random(in: 0 ... .max), radix: 16)
    let whole = SetPlace.join(folder.absolute, ".part-whole.\(random).tmp")
    let (built, source) = try buildWhole(at: whole, progress)
    let rule = plan.rule(forByteCount: built.byteCount + 11 * built.keyCount)
    var options = wanted
    options.metadata = metadata
    options.normalisation = nil
    let report = try FuseSet.split(
      source, into: path, by: rule, options: options, aliases: aliases, after: generation
    ) { progress(.indexing, $0) }
    var build = built
    build.byteCount = report.byteCount
    build.replacedKeyCount = report.replacedKeyCount
    return (build, report)
  }

  /// Builds all keys as one plain file that has no name any more.
  private func buildWhole(
    at path: String, _ progress: (BuildPhase, Double) -> Void
  ) throws(FuseError) -> (BuildReport, FuseReader) {
    let (wanted, wantedSections) = (options, sections)
    options.isScratch = true
    options.layout = .plain
    options.form = .family
    options.leastKeyCount = 0
    options.greatestShrink = nil
    options.keepsOtherFiles = false
    sections = SectionRequest(networks: .never)
    defer {
      options = wanted
      sections = wantedSections
    }
    do throws(FuseError) {
      let report = try build(to: path, phases: progress)
      let mapping = try FileMapping(path: path)
      try FolderFiles.remove(path)
      // It was written a moment ago.
      return (report, try FuseReader(mapping, checksums: .skipped, expecting: .few))
    } catch {
      try? FolderFiles.remove(path)
      throw error
    }
  }
}

extension FuseReader {
  /// The form of the file; of a set, that of its first shard.
  package var form: FuseWriter.Form {
    get throws(FuseError) {
      if let shards { return try shards.shard(at: 0).form }
      guard let compact else { return .family }
      return compact.hasCodedKeys ? .compact : .compactFast
    }
  }
}
