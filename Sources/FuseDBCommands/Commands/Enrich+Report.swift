internal import FuseDB
internal import FuseDBInput

extension Enrich {
  /// Says what came of the lines, on standard error: the lines are on standard output.
  func tell(_ counts: EnrichCounts, _ replaced: ReplacedFile?, seconds: Double, _ console: Console) {
    if printsJSON {
      try? console.err.line { writer throws(FuseError) in
        writer.append(members: members(of: counts, replaced, seconds: seconds))
      }
    }
    guard !isQuiet, !printsJSON else { return }
    let before = replaced.map { " (before: \(Humans.size($0.byteCount)))" } ?? ""
    let count = Humans.count(counts.lineCount, table == nil ? "line" : "row")
    try? console.err.sentence((output.map { $0 + ": " } ?? "") + count + before)
    for (source, answers) in zip(sources, counts.answers) {
      var parts = ["\(Humans.number(answers.answered)) answered", "\(Humans.number(answers.unknown)) unknown"]
      if answers.withoutKey > 0 { parts.append("\(Humans.number(answers.withoutKey)) without a key") }
      if answers.absentFields > 0 { parts.append("\(Humans.count(answers.absentFields, "field")) absent") }
      try? console.err.sentence("  \(source.path): \(parts.joined(separator: ", "))")
      for hint in hints(on: source, answers, counts) { try? console.err.sentence("    " + hint) }
    }
    if counts.keptFieldCount > 0 {
      try? console.err.sentence("  \(Humans.count(counts.keptFieldCount, "field")) kept that lines had already")
    }
    if counts.replacedFieldCount > 0 {
      try? console.err.sentence("  \(Humans.count(counts.replacedFieldCount, "field")) replaced that lines had already")
    }
    tellBadLines(counts, console)
  }

  /// What to say where a name was probably not meant: nothing failed, and nothing was found.
  private func hints(
    on source: EnrichSource, _ answers: EnrichCounts.Answers, _ counts: EnrichCounts
  ) -> [String] {
    if answers.withoutKey > 0, answers.answered + answers.unknown == 0 {
      let hint = counts.otherFields.hint(for: source.key.text)
      return ["no line has a key at \(quoted(source.key.columnName)), which --on names\(hint)"]
    }
    guard answers.answered > 0 else { return [] }
    var known: FieldNames?
    var hints: [String] = []
    for (field, isSeen) in zip(source.fields, answers.areFieldsSeen) where !isSeen {
      guard case .part(let path) = field.content else { continue }
      let names = known ?? FieldNames(inFileAt: source.path)
      known = names
      hints.append(
        "no answer has the field \(quoted(path.columnName)), which --field names\(names.hint(for: path.text))")
    }
    return hints
  }

  /// Names bad lines that were passed on or left out.
  func tellBadLines(_ counts: EnrichCounts, _ console: Console) {
    guard !isQuiet, counts.badLineCount > 0 else { return }
    let fate = badLines == .drop ? "left out" : "passed on as they are"
    try? console.err.sentence("  \(Humans.count(counts.badLineCount, "bad \(table == nil ? "line" : "row")")) \(fate)")
    for line in counts.badLines { try? console.err.sentence("    \(line.text)") }
    if counts.badLines.count < counts.badLineCount { try? console.err.sentence("    …") }
  }

  private func members(of counts: EnrichCounts, _ replaced: ReplacedFile?, seconds: Double) -> [(
    name: String, value: ReportValue
  )] {
    let files = zip(sources, counts.answers).map { source, answers in
      ReportValue.members([
        ("file", .text(source.path)), ("answered", .count(answers.answered)), ("unknown", .count(answers.unknown)),
        ("withoutKey", .count(answers.withoutKey)), ("absentFields", .count(answers.absentFields)),
      ])
    }
    let written: [(name: String, value: ReportValue)] =
      output.map { output in
        [
          ("output", .text(output)),
          ("replaced", replaced.map { .members([("bytes", .count($0.byteCount))]) } ?? .null),
        ]
      } ?? []
    return written + [
      ("lines", .count(counts.lineCount)), ("badLines", .count(counts.badLineCount)),
      ("keptFields", .count(counts.keptFieldCount)), ("replacedFields", .count(counts.replacedFieldCount)),
      ("files", .list(files)), ("seconds", .number((seconds * 1000).rounded() / 1000)),
      ("threads", .count(threadCount)),
    ]
  }
}
