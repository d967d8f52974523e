internal import FuseDB
internal import FuseDBInput

extension Merge {
  /// Prints the report.
  func tell(
    _ report: MergeReport, _ options: MergeOptions, seconds: Double, _ console: Console
  ) throws(FuseError) {
    if printsJSON {
      let members =
        members(of: report) + [
          ("seconds", .number((seconds * 1000).rounded() / 1000)), ("threads", .count(options.threadCount ?? 1)),
          ("memory", .count(options.memory ?? 0)), ("peakMemory", .count(MachineMemory.peakByteCount ?? 0)),
          ("spilledBytes", .count(report.spilledByteCount)),
        ]
      try console.out.line { writer throws(FuseError) in writer.append(members: members) }
    }
    guard !isQuiet, !printsJSON else { return }
    for line in summary(of: report) { try? console.err.sentence(line) }
  }

  /// The part of the report that depends on the files alone.
  private func members(of report: MergeReport) -> [(name: String, value: ReportValue)] {
    let conflicts = report.conflicts.map { conflict in
      let outcome: [(name: String, value: ReportValue)] =
        switch conflict.outcome {
        case .kept(let kept, let dropped): [("kept", .text(inputs[kept])), ("dropped", .text(inputs[dropped]))]
        case .combined(let files): [("combined", .list(files.map { .text(inputs[$0]) }))]
        }
      return ReportValue.members([("key", .key(conflict.key))] + outcome)
    }
    return [
      ("output", .text(output)), ("inputs", .count(inputs.count)), ("inputKeys", .count(report.inputKeyCount)),
      ("subtractedKeys", .count(report.subtractedKeyCount)), ("keys", .count(report.keyCount)),
      ("replaced", .replaced(keys: report.replacedKeyCount)),
      ("objects", .count(report.objectCount)), ("bytes", .count(report.byteCount)),
      ("bytesSavedBySharing", .count(report.bytesSavedBySharing)), ("conflictingKeys", .count(report.conflictCount)),
      ("conflicts", .list(conflicts)),
    ] + networkReport(of: report).members
  }

  /// The report in a line, and a line for each thing that may surprise.
  private func summary(of report: MergeReport) -> [String] {
    var first = "\(output): \(Humans.count(report.inputKeyCount, "key")) of \(Humans.count(inputs.count, "file")) -> "
    first +=
      "\(Humans.keys(report.keyCount, before: report.replacedKeyCount)), \(Humans.count(report.objectCount, "object")), "
    first += Humans.size(report.byteCount)
    if report.bytesSavedBySharing > 0 { first += "; sharing saved \(Humans.size(report.bytesSavedBySharing))" }
    var lines = [first]
    if report.subtractedKeyCount > 0 {
      lines.append("  \(Humans.count(report.subtractedKeyCount, "key")) subtracted")
    }
    if report.conflictCount > 0 {
      let rule =
        switch options.onConflict {
        case .first: "the first file counts"
        case .last, .error: "the last file counts"
        case .combine: "\(report.combinedCount) combined"
        }
      lines.append("  \(Humans.count(report.conflictCount, "key")) with different objects; \(rule)")
      for conflict in report.conflicts {
        let outcome =
          switch conflict.outcome {
          case .kept(let kept, let dropped): "\(inputs[kept]), not \(inputs[dropped])"
          case .combined(let files): "combined from " + files.map { inputs[$0] }.joined(separator: ", ")
          }
        lines.append("    \(quoted(conflict.key)): \(outcome)")
      }
      if report.conflicts.count < report.conflictCount { lines.append("    …") }
    }
    if report.losesRules {
      lines.append("  different rules for keys, so the file has none; --meta normalise=RULE gives it one")
    }
    return lines + networkReport(of: report).lines
  }

  private func networkReport(of report: MergeReport) -> NetworkReport {
    NetworkReport(networkCount: report.networkCount, literalKeyCount: report.literalKeyCount)
  }
}
