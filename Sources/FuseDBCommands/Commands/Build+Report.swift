internal import FuseDB
internal import FuseDBInput

extension Build {
  /// Says what was done.
  func tell(
    _ report: BuildReport, _ writer: FuseWriter, _ recordCount: Int, seconds: Double, _ console: Console
  ) throws(FuseError) {
    if printsJSON {
      let members =
        members(of: report) + [
          ("records", .count(recordCount)), ("seconds", .number((seconds * 1000).rounded() / 1000)),
          ("threads", .count(writer.options.threadCount ?? 1)), ("memory", .count(writer.options.memory ?? 0)),
          ("peakMemory", .count(MachineMemory.peakByteCount ?? 0)),
          ("spilledBytes", .count(writer.spilledByteCount)),
        ]
      try console.out.line { writer throws(FuseError) in writer.append(members: members) }
    }
    guard !isQuiet, !printsJSON else { return }
    for line in summary(of: report) { try? console.err.line(line) }
  }

  /// What depends on the records alone.
  private func members(of report: BuildReport) -> [(name: String, value: ReportValue)] {
    let duplicates = report.duplicates.map { duplicate in
      ReportValue.members([
        ("key", .key(duplicate.key)), ("kept", .text(position(duplicate.kept))),
        ("dropped", .text(position(duplicate.dropped))),
      ])
    }
    return [
      ("output", .text(output)), ("keys", .count(report.keyCount)),
      ("replaced", .replaced(keys: report.replacedKeyCount)), ("objects", .count(report.objectCount)),
      ("objectsShared", .count(report.sharedObjectCount)),
      ("unreachedObjects", .count(report.unreachedObjectCount)),
      ("bytes", .count(report.byteCount)), ("bytesSavedBySharing", .count(report.bytesSavedBySharing)),
      ("duplicateKeys", .count(report.duplicateKeyCount)), ("duplicates", .list(duplicates)),
    ]
  }

  /// The report in a line, and a line for each thing that may surprise.
  private func summary(of report: BuildReport) -> [String] {
    var first = "\(output): \(Humans.keys(report.keyCount, before: report.replacedKeyCount)) -> "
    first += "\(Humans.count(report.objectCount, "object")), "
    first += Humans.size(report.byteCount)
    if report.bytesSavedBySharing > 0 { first += "; sharing saved \(Humans.size(report.bytesSavedBySharing))" }
    var lines = [first]
    if report.duplicateKeyCount > 0 {
      let kept: String = if case .first = writerOptions.onDuplicate { "first" } else { "last" }
      lines.append(
        "  \(Humans.count(report.duplicateKeyCount, "addition")) of a key that was there already; the \(kept) one counts"
      )
      for duplicate in report.duplicates {
        lines.append("    \(quoted(duplicate.key)): \(position(duplicate.kept)), not \(position(duplicate.dropped))")
      }
      if report.duplicates.count < report.duplicateKeyCount { lines.append("    …") }
    }
    if report.unreachedObjectCount > 0 {
      let fate = writerOptions.order == .key ? "left out" : "kept"
      lines.append("  \(Humans.count(report.unreachedObjectCount, "object")) without a key \(fate)")
    }
    return lines
  }
}
