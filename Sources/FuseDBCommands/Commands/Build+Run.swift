internal import FuseDB
internal import Glibc

extension Build {
  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    if let refusal = refusalToOverwrite { return console.explain(UsageError(refusal, in: Self.name)) }
    // Before an hour's work: all inputs are there.
    for case let path? in inputs { try InputFile.check(path: path) }
    console.willReplace(output)
    let bar = ProgressBar(console, isQuiet: isQuiet)
    let sizes = inputs.map { $0.map(Self.size(of:)) ?? 0 }
    var bytesBefore = 0
    let sink = RecordSink(writerOptions) { input, keyCount in
      // Where the size of an input is unknown, so is that of the whole.
      let total = input.byteCount == nil ? 0 : sizes.reduce(0, +)
      let done = bytesBefore + input.bytesRead
      bar.show(
        total == 0 ? nil : Double(done) / Double(max(total, done)),
        "\(Humans.size(done)) read, \(Humans.count(keyCount, "key")), "
          + "\(Humans.number(Int(Double(keyCount) / max(bar.elapsed, 0.001)))) a second")
    }

    let lines = NDJSONReader(sink, fields: fields)
    let rows = fields.map { TableReader(sink, fields: $0, options: table) }
    for (input, size) in zip(inputs, sizes) {
      let file = try open(input, console)
      let format = format(of: input)
      if format.isTable { try rows?.read(file, separator: format.separator) } else { try lines.read(file) }
      bytesBefore += size
    }
    let report = try write(sink, bar)
    bar.clear()
    warnOfUnseenFields([lines.fields, rows?.fields].compactMap { $0 }, console)
    try tell(report, console)
    return .done
  }

  private func open(_ input: String?, _ console: Console) throws(FuseError) -> InputFile {
    guard let input else {
      if isatty(console.input) == 1, !isQuiet { console.note("reading records from standard input; Control-D ends it") }
      try console.err.flush()
      return try InputFile(console.input, name: InputFile.standardInputName, isOwned: false)
    }
    return try InputFile(path: input)
  }

  private static func size(of path: String) -> Int {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  private func write(_ sink: RecordSink, _ bar: ProgressBar) throws(FuseError) -> BuildReport {
    do throws(FuseError) {
      return try sink.writer.build(to: output) { fraction in bar.show(fraction, "writing \(output)") }
    } catch {
      throw sink.locatedDuplicate(error)
    }
  }

  // MARK: What was done

  /// A field that no record has is mostly a slip of the pen, though not always.
  private func warnOfUnseenFields(_ selections: [FieldSelection], _ console: Console) {
    guard !isQuiet, let first = selections.first else { return }
    for (option, fields) in [("--key", \FieldSelection.keys), ("--keep", \FieldSelection.kept)] {
      for i in first[keyPath: fields].indices where selections.allSatisfy({ !$0[keyPath: fields][i].wasSeen }) {
        console.note("warning: no record has the field \(first[keyPath: fields][i].quotedName) that \(option) names")
      }
    }
  }

  private func tell(_ report: BuildReport, _ console: Console) throws(FuseError) {
    if printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append(members: [
          ("output", .text(output)), ("keys", .count(report.keyCount)), ("objects", .count(report.objectCount)),
          ("objectsShared", .count(report.sharedObjectCount)),
          ("unreachedObjects", .count(report.unreachedObjectCount)),
          ("bytes", .count(report.byteCount)), ("bytesSavedBySharing", .count(report.bytesSavedBySharing)),
          ("duplicateKeys", .count(report.duplicateKeyCount)),
        ])
      }
    }
    guard !isQuiet, !printsJSON else { return }
    for line in summary(of: report) { try? console.err.line(line) }
  }

  /// The report in a line, and a line for each thing that may surprise.
  func summary(of report: BuildReport) -> [String] {
    var first = "\(output): \(Humans.count(report.keyCount, "key")) -> \(Humans.count(report.objectCount, "object")), "
    first += Humans.size(report.byteCount)
    if report.bytesSavedBySharing > 0 { first += "; sharing saved \(Humans.size(report.bytesSavedBySharing))" }
    var lines = [first]
    if report.duplicateKeyCount > 0 {
      let kept: String = if case .first = writerOptions.onDuplicate { "first" } else { "last" }
      lines.append(
        "  \(Humans.count(report.duplicateKeyCount, "addition")) of a key that was there already; the \(kept) one counts"
      )
    }
    if report.unreachedObjectCount > 0 {
      let fate = writerOptions.order == .key ? "left out" : "kept"
      lines.append("  \(Humans.count(report.unreachedObjectCount, "object")) without a key \(fate)")
    }
    return lines
  }
}
