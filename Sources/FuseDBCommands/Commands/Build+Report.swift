internal import FuseDB
internal import FuseDBInput

extension Build {
  /// Prints the report.
  func tell(
    _ report: BuildReport, _ set: FuseSet.Report?, _ writer: FuseWriter, _ loader: InputLoader, seconds: Double,
    _ console: Console
  ) throws(FuseError) {
    if printsJSON {
      let members =
        members(of: report, loader) + (set.map { SetReport(of: $0).members } ?? []) + [
          ("records", .count(loader.totals.recordCount)), ("seconds", .number((seconds * 1000).rounded() / 1000)),
          ("threads", .count(writer.options.threadCount ?? 1)), ("memory", .count(writer.options.memory ?? 0)),
          ("peakMemory", .count(MachineMemory.peakByteCount ?? 0)),
          ("skippedRecords", .count(loader.skipped.count)),
          ("skipped", .list(loader.skipped.first.map { .text($0.description) })),
          ("spilledBytes", .count(writer.spilledByteCount)), ("rangesCut", .count(loader.rangesCut.some)),
          ("rangesHidden", .count(loader.rangesCut.all)),
        ]
      try console.out.line { writer throws(FuseError) in writer.append(members: members) }
    }
    guard !isQuiet, !printsJSON else { return }
    for line in summary(of: report, loader) + (set.map { SetReport(of: $0).lines } ?? []) {
      try? console.err.sentence(line)
    }
  }

  /// The part of the report that depends on the records alone.
  private func members(of report: BuildReport, _ loader: InputLoader) -> [(name: String, value: ReportValue)] {
    let duplicates = report.duplicates.map { duplicate in
      ReportValue.members([
        ("key", .key(duplicate.key)), ("kept", .text(loader.position(duplicate.kept))),
        ("dropped", .text(loader.position(duplicate.dropped))),
      ])
    }
    return [
      ("output", .text(output)), ("keys", .count(report.keyCount)),
      ("replaced", .replaced(keys: report.replacedKeyCount)), ("objects", .count(report.objectCount)),
      ("objectsShared", .count(report.sharedObjectCount)),
      ("unreachedObjects", .count(report.unreachedObjectCount)),
      ("bytes", .count(report.byteCount)), ("bytesSavedBySharing", .count(report.bytesSavedBySharing)),
      ("duplicateKeys", .count(report.duplicateKeyCount)), ("duplicates", .list(duplicates)),
    ] + networkReport(of: report).members
  }

  /// The report in a line, and a line for each thing that may surprise.
  private func summary(of report: BuildReport, _ loader: InputLoader) -> [String] {
    let rangesCut = loader.rangesCut
    var first = "\(output): \(Humans.keys(report.keyCount, before: report.replacedKeyCount)) -> "
    first += "\(Humans.count(report.objectCount, "object")), "
    first += Humans.size(report.byteCount)
    if report.bytesSavedBySharing > 0 { first += "; sharing saved \(Humans.size(report.bytesSavedBySharing))" }
    var lines = [first]
    if report.duplicateKeyCount > 0, writerOptions.onDuplicate == .collect {
      lines.append(
        "  \(Humans.count(report.duplicateKeyCount, "addition")) of a key that was there already; each key has a list of all its objects"
      )
    } else if report.duplicateKeyCount > 0 {
      let kept: String = if case .first = writerOptions.onDuplicate { "first" } else { "last" }
      lines.append(
        "  \(Humans.count(report.duplicateKeyCount, "addition")) of a key that was there already; the \(kept) one counts"
      )
      for duplicate in report.duplicates {
        lines.append(
          "    \(quoted(duplicate.key)): \(loader.position(duplicate.kept)), not \(loader.position(duplicate.dropped))")
      }
      if report.duplicates.count < report.duplicateKeyCount { lines.append("    …") }
    }
    let skipped = loader.skipped
    if skipped.count > 0 {
      lines.append("  warning: \(Humans.count(skipped.count, "bad record")) skipped")
      lines += skipped.first.map { "    \($0.description)" }
      if skipped.first.count < skipped.count { lines.append("    …") }
    }
    if rangesCut.some > 0 {
      lines.append(
        "  \(Humans.count(rangesCut.some, "range")) lost addresses to others that overlap"
          + (rangesCut.all > 0 ? "; \(Humans.number(rangesCut.all)) of them lost all" : ""))
    }
    if report.unreachedObjectCount > 0 {
      let fate = writerOptions.order == .key ? "left out" : "kept"
      lines.append("  \(Humans.count(report.unreachedObjectCount, "object")) without a key \(fate)")
    }
    return lines + networkReport(of: report).lines + costOfForm(report)
  }

  /// What version 2 takes of a MaxMind DB, whose values share parts.
  private func costOfForm(_ report: BuildReport) -> [String] {
    guard hasMaxMind, writerOptions.form == .family else { return [] }
    let before = inputs.filter { $0.format == .mmdb }.reduce(0) {
      $0 + ($1.path.flatMap(FileStatus.init(at:))?.byteCount ?? 0)
    }
    let times =
      before > 0 && report.byteCount > before ? ", \(report.byteCount / before) times the bytes of the MaxMind DB" : ""
    return [
      "  version 2 writes out what values share: \(Humans.size(report.byteCount))\(times); --compact writes it once"
    ]
  }

  private func networkReport(of report: BuildReport) -> NetworkReport {
    NetworkReport(networkCount: report.networkCount, literalKeyCount: report.literalKeyCount)
  }
}

/// What a person sees while a database is built.
final class BuildProgress {
  let bar: ProgressBar
  /// The size of each input, nil if unknown.
  private let inputSizes: [Int?]
  /// The phase that is shown, and when it began.
  private var phase = ""
  private var phaseStart = 0.0

  init(_ bar: ProgressBar, inputSizes: [Int?]) {
    self.bar = bar
    self.inputSizes = inputSizes
  }

  /// Shows how far the reading is.
  func show(_ progress: InputLoader.Progress) {
    let before = inputSizes[..<progress.inputsDone].reduce(0) { $0 + ($1 ?? 0) }
    let done = before + progress.file.bytesRead
    // Where the size of one input is unknown, the total is, too.
    let total = inputSizes.reduce(Optional(0)) { sum, size in sum.flatMap { sum in size.map { sum + $0 } } }
    show("reading", total.map { Double(done) / Double(max($0, done, 1)) }, recordCount: progress.totals.recordCount)
  }

  /// Shows how far a phase is: the share that is done, or nil if unknown.
  func show(_ phase: String, _ share: Double?, recordCount: Int) {
    let elapsed = bar.elapsed
    if phase != self.phase {
      self.phase = phase
      phaseStart = elapsed
    }
    let inPhase = elapsed - phaseStart
    bar.show(
      share,
      Self.text(
        phase, recordCount: recordCount, rate: phase == "reading" ? Double(recordCount) / max(inPhase, 0.001) : nil,
        secondsLeft: share.flatMap { Self.secondsLeft(share: $0, elapsed: inPhase) },
        memory: MachineMemory.residentByteCount))
  }

  /// The seconds left when `share` took `elapsed` seconds; nil while that is too little to tell.
  static func secondsLeft(share: Double, elapsed: Double) -> Double? {
    share >= 0.02 && elapsed >= 1 ? elapsed / share - elapsed : nil
  }

  /// `reading, 0:05 left, 1,200,000 records, 612,000 a second, 310.0 MB of memory`: what matters most comes first, for the
  /// end is cut off where the terminal is narrow.
  static func text(_ phase: String, recordCount: Int, rate: Double?, secondsLeft: Double?, memory: Int?) -> String {
    var parts = [phase]
    if let secondsLeft { parts.append("\(Humans.clock(seconds: secondsLeft)) left") }
    parts.append(Humans.count(recordCount, "record"))
    if let rate { parts.append("\(Humans.number(Int(rate))) a second") }
    if let memory { parts.append("\(Humans.size(memory)) of memory") }
    return parts.joined(separator: ", ")
  }
}
