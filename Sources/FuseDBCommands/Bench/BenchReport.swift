internal import FuseDB
internal import FuseDBInput

/// What was measured, for people and for programs.
struct BenchReport {
  private let reader: FuseReader
  private let trials: Trials
  private let batch: Int

  init(of reader: FuseReader, _ trials: Trials, batch: Int) {
    self.reader = reader
    self.trials = trials
    self.batch = batch
  }

  private func nanoseconds(of name: String, _ checksums: FuseReader.Checksums? = nil) -> Double? {
    trials.all.first { $0.name == name && $0.checksums == checksums }?.nanoseconds
  }

  /// How many floors a look-up takes; nil for what is none.
  private func floors(_ trial: Trial) -> Double? {
    guard trial.name.hasPrefix("get-"), let floor = nanoseconds(of: Trials.floor), floor > 0 else { return nil }
    return trial.nanoseconds / floor
  }

  /// How many times as many keys two threads look up as one.
  private func speedup(_ trial: Trial) -> Double? {
    guard trial.name == Trials.twoThreads, trial.nanoseconds > 0 else { return nil }
    return nanoseconds(of: Trials.hit, trial.checksums).map { $0 / trial.nanoseconds }
  }

  // MARK: For programs

  var members: [(name: String, value: ReportValue)] {
    [
      ("path", .text(reader.path)), ("keys", .count(reader.keyCount)), ("bytes", .count(reader.byteCount)),
      ("plain", .flag(reader.isPlain)), ("processors", .count(Parallel.processorCount)),
      ("questions", .count(trials.questionCount)), ("batch", .count(batch)), ("rounds", .count(Bench.rounds)),
      ("results", .list(trials.all.map { .members(members(of: $0)) })),
    ]
  }

  private func members(of trial: Trial) -> [(name: String, value: ReportValue)] {
    var members: [(name: String, value: ReportValue)] = [("name", .text(trial.name))]
    if let checksums = trial.checksums {
      members.append(("checksums", .text(checksums == .verified ? "verified" : "skipped")))
    }
    members += [
      ("nanoseconds", .number(trial.nanoseconds)), ("fastest", .number(trial.fastest)),
      ("slowest", .number(trial.slowest)),
    ]
    if let floors = floors(trial) { members.append(("floors", .number(floors))) }
    if let speedup = speedup(trial) { members.append(("speedup", .number(speedup))) }
    return members
  }

  // MARK: For people

  var table: [String] {
    let keys = Humans.count(reader.keyCount, "key")
    let title =
      "\(reader.path): \(keys), \(Humans.size(reader.byteCount)), \(reader.isPlain ? "plain" : "indexed"); "
      + "\(Humans.count(trials.questionCount, "look-up")) drawn, \(Humans.count(Parallel.processorCount, "processor"))"
    var rows = [["", "time", "a second", "floors"]]
    for trial in trials.all {
      let floors = floors(trial).map { Humans.decimal($0, places: 1) } ?? ""
      rows.append([label(of: trial), Humans.duration(nanoseconds: trial.nanoseconds), rate(of: trial), floors])
    }
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = rows.map { row in
      "  " + row[0].padded(to: widths[0])
        + (1..<4).map { "  " + String(repeating: " ", count: widths[$0] - row[$0].count) + row[$0] }.joined()
    }
    if let speedup = trials.all.lazy.compactMap({ self.speedup($0) }).first {
      lines.append("  two threads look up \(Humans.decimal(speedup, places: 2)) times as many keys as one")
    }
    return [title] + lines.map { $0.droppingSpacesAtEnd }
  }

  private func label(of trial: Trial) -> String {
    trial.checksums == .skipped ? trial.name + ", checksums skipped" : trial.name
  }

  /// How often in a second; for what reads the whole file, how many bytes.
  private func rate(of trial: Trial) -> String {
    let seconds = trial.nanoseconds / 1e9
    guard seconds > 0 else { return "" }
    return trial.name == Trials.verify
      ? Humans.size(Int(Double(reader.byteCount) / seconds)) : Humans.number(Int(1 / seconds))
  }
}

extension String {
  fileprivate var droppingSpacesAtEnd: String {
    String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
  }
}
