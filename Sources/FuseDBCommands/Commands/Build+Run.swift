internal import FuseDB
internal import FuseDBInput

extension Build {
  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    if let refusal = refusalToOverwrite { return console.explain(UsageError(refusal, in: Self.name)) }
    // All inputs must be readable before work begins that may take an hour.
    for case let path? in inputs.map({ $0.path }) { try Descriptor.checkReadable(path) }
    if shards == nil { console.willReplace(output) } else { console.willReplaceSet(output) }
    let progress = BuildProgress(
      ProgressBar(console.err, isQuiet: isQuiet), inputSizes: inputs.map { $0.path.map(Self.size(of:)) })
    let options = optionsInUse
    // Before anything is read: a set that another job publishes meanwhile is of later records.
    let generation = shards == nil ? 0 : try FuseSet.generation(in: output)
    let writer = FuseWriter(options)
    var job = job(options)
    job.flaws = flaws
    job.valueFields = valueFields
    job.languages = languages
    let loader = try InputLoader(job, writer)
    do throws(FuseError) {
      try loader.run { number throws(FuseError) in
        try open(inputs[number].path, console, memory: options.memory ?? 0)
      } progress: {
        progress.show($0)
      }
    } catch {
      progress.bar.clear()
      let failures = loader.failures
      for failure in failures.dropLast() { console.note(failure.description) }
      throw failures.last ?? error
    }
    if !allowsMissingFields { try loader.fields?.checkAllSeen(.command) }
    var set: FuseSet.Report?
    let report: BuildReport
    if let shards {
      (report, set) = try write(shards, after: generation, writer, progress, loader)
    } else {
      report = try write(writer, progress, loader)
    }
    progress.bar.clear()
    try tell(report, set, writer, loader, seconds: progress.bar.elapsed, console)
    return .done
  }

  /// The writer's options, with its defaults written out.
  private var optionsInUse: FuseWriter.Options {
    var options = writerOptions
    options.memory = InputLoader.memory(of: options)
    options.threadCount = options.threadCount ?? Parallel.processorCount
    if shards == nil { options.temporaryFolder = options.temporaryFolder ?? folder(of: output) }
    // Beside the set, on the same disk.
    if shards != nil, options.temporaryFolder == nil { options.temporaryFolder = folder(ofSet: output) }
    return options
  }

  private func job(_ options: FuseWriter.Options) -> InputLoader.Job {
    let memory = InputLoader.memory(of: options)
    return InputLoader.Job(
      inputs: inputs.map { ($0.name, $0.format) }, fields: fields, table: table,
      threadCount: InputLoader.threadCount(of: options), memory: memory,
      limit: recordLimit.map { RecordLimit(byteCount: $0) } ?? RecordLimit(memory: memory), records: records,
      ranges: ranges)
  }

  private func open(_ input: String?, _ console: Console, memory: Int) throws(FuseError) -> InputFile {
    let windowByteCount = PackedInput.windowByteCount(memory: memory)
    guard let input else {
      if console.input.isTerminal, !isQuiet { console.note("reading records from standard input; Control-D ends it") }
      try console.err.flush()
      return try InputFile(
        console.input, name: InputFile.standardInputName, isOwned: false, windowByteCount: windowByteCount)
    }
    return try InputFile(path: input, windowByteCount: windowByteCount)
  }

  private static func size(of path: String) -> Int {
    FileStatus(at: path)?.byteCount ?? 0
  }

  private func write(
    _ writer: FuseWriter, _ progress: BuildProgress, _ loader: InputLoader
  ) throws(FuseError) -> BuildReport {
    try writing(writer, progress, loader) { show throws(FuseError) in try writer.build(to: output, phases: show) }
  }

  private func write(
    _ plan: ShardPlan, after generation: Int, _ writer: FuseWriter, _ progress: BuildProgress, _ loader: InputLoader
  ) throws(FuseError) -> (BuildReport, FuseSet.Report) {
    try writing(writer, progress, loader) { show throws(FuseError) in
      try writer.buildSet(in: output, plan, after: generation, phases: show)
    }
  }

  private func writing<Report>(
    _ writer: FuseWriter, _ progress: BuildProgress, _ loader: InputLoader,
    _ write: ((BuildPhase, Double) -> Void) throws(FuseError) -> Report
  ) throws(FuseError) -> Report {
    let recordCount = loader.totals.recordCount
    do throws(FuseError) {
      return try write { phase, share in
        // A phase that only reports its beginning has no share done.
        progress.show(phase.rawValue, share == 0 ? nil : share, recordCount: recordCount)
      }
    } catch {
      guard error.code == .duplicateKey, let duplicate = writer.refusedDuplicate else {
        throw error.withReplacementOptions
      }
      throw FuseError(
        .duplicateKey,
        """
        a key comes twice: the key \(quoted(duplicate.key)) was added before, at \(loader.position(duplicate.kept)); \
        keep one of them, or let --on-duplicate say which one counts
        """, path: loader.position(duplicate.dropped))
    }
  }
}
