internal import FuseDB
internal import FuseDBInput

extension Enrich {
  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    if let output, let refusal = refusal(of: output) { return console.explain(UsageError(refusal, in: Self.name)) }
    for case let path? in inputs.map({ $0.path }) { try Descriptor.checkReadable(path) }
    let plan = try plan()
    if let output { console.willReplace(output) }
    let file = try output.map { output throws(FuseError) in
      try AtomicFile(replacing: PinnedPath(output), ReplacementRules(links: outputLink))
    }
    let lines = EnrichOutput(console.out, file)
    let started = MonotonicClock.nanoseconds
    let pipeline = EnrichPipeline(
      plan, inputNames: inputs.map { $0.name }, lines, limit: limit, threadCount: threadCount)
    let (counts, problem) = pipeline.run { number throws(FuseError) in
      guard let path = inputs[number].path else {
        return try InputFile(console.input, name: InputFile.standardInputName, isOwned: false)
      }
      return try InputFile(path: path)
    }
    var failure = problem
    var replaced: ReplacedFile?
    if failure == nil {
      do throws(FuseError) { replaced = try lines.finish() } catch { failure = error }
    }
    if let failure {
      let status = console.report(failure)
      // What was left out or passed over is to be known, too.
      if !Descriptor.isBrokenPipe(failure), counts.badLineCount > 0 { tellBadLines(counts, console) }
      return status
    }
    tell(counts, replaced, seconds: (MonotonicClock.nanoseconds - started) / 1e9, console)
    return .done
  }

  private func refusal(of output: String) -> String? {
    if let obstacle = Overwriting.obstacle(at: output, links: outputLink) { return obstacle }
    guard let status = FileStatus(at: output), status.kind == .regular, status.byteCount > 0 else { return nil }
    guard outputLink != .replaced || FileStatus(atLink: output)?.kind != .link else { return nil }
    if Overwriting.isDatabase(output) {
      return "'\(output)' is a database, and lines do not take its place; choose another name"
    }
    guard !overwrites else { return nil }
    return
      "'\(output)' is a file of \(Humans.size(status.byteCount)), and would be overwritten; say --overwrite, or choose another name"
  }

  private func plan() throws(FuseError) -> EnrichPlan {
    var questions: [EnrichPlan.Question] = []
    var firstField = 0
    for (number, source) in sources.enumerated() {
      // Where the first is no database, an INPUT may be the one that was meant.
      let others = number == 0 ? inputs.compactMap { $0.path.map { [UInt8]($0.utf8) } } : []
      let reader = try FuseReader.forCommand(source.path, expecting: .many, before: others)
      questions.append(
        EnrichPlan.Question(
          reader: reader, matching: source.matching, rule: try reader.normalisation, key: source.key,
          fields: source.fields,
          firstField: firstField))
      firstField += source.fields.count
    }
    return EnrichPlan(questions: questions, existing: existing, badLines: badLines, absent: absent, table: table)
  }
}
