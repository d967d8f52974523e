internal import FuseDB
internal import FuseDBInput

/// `fusedb bench`: measures one file on this machine.
struct Bench: Command {
  static let name = "bench"
  static let summary = "measure how fast a file is on this machine"
  static let operands = "FILE"
  static let options: [Option] = [
    .value("--seconds", "S", "measure for about S seconds (default: 10)"),
    .value("--batch", "N", "how many keys a batch has (default: 64)"),
    .flag("--json", "print the results as one JSON object"),
  ]
  static let help = """
    Opens FILE, draws up to a million of its keys at random, makes as many similar
    keys that it does not have, and measures, with the file in memory:

      open                 from the path until the first key can be looked up
      floor                the memory alone: the cache lines of each hit, read at
                           addresses known beforehand
      get-hit, get-miss    one key after the other, present or absent
      get-batch-N          keys that are present, N in a call
      get-hit-two-threads  two threads at once; time for one key, both together
      scan                 all keys and objects in key order; time for one key
      verify               the whole file, with all processors

    Each is measured in each of 5 rounds; the medians are printed. The last column
    is the time of a look-up divided by that of the floor. A plain FILE opens
    slowly and has its index in memory; 'fusedb reindex' changes that.

    Measure on an idle machine. Ratios carry over to other machines better than
    times do.

    Example:
      $ fusedb bench networks.fsdb --seconds 1 --batch 16
    """
  /// In how many rounds each trial has its turn.
  static let rounds = 5

  var path: String
  var seconds: Int
  var batch: Int
  var printsJSON: Bool
  /// The most keys to draw; tests need few.
  var questionLimit: Int?

  init(parsing arguments: inout Arguments) throws(UsageError) {
    path = try arguments.path("FILE")
    // At most a day.
    seconds = try arguments.count(of: "--seconds", in: 0...86_400) ?? 10
    batch = try arguments.count(of: "--batch", in: 1...1 << 20) ?? 64
    printsJSON = arguments.has("--json")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let bar = ProgressBar(console.err, isQuiet: console.isQuiet)
    let reader = try FuseReader.forCommand(path, expecting: .few)
    let trials = try FuseReader.reading { () throws(FuseError) in try measure(bar) }
    bar.clear()
    let report = BenchReport(of: reader, trials, batch: batch)
    if printsJSON {
      try console.out.line { writer throws(FuseError) in writer.append(members: report.members) }
    } else {
      for line in report.table { try console.out.sentence(line) }
    }
    if reader.isPlain {
      console.note(
        "\(path) is plain: opening makes its index in memory; 'fusedb reindex \(path)' puts it into the file")
    }
    guard trials.damageCount() == 0 else {
      console.complain("\(path) is damaged; 'fusedb verify \(path)' lists the damage")
      return .badData
    }
    return .done
  }

  private func measure(_ bar: ProgressBar) throws(FuseError) -> Trials {
    let trials = try Trials(path, batch: batch, questionLimit: questionLimit) { fraction, text in
      bar.show(fraction, text)
    }
    // In nanoseconds. Less than 20 ms would be too short to find how many operations make a slice.
    let share = max(Double(seconds) * 1e9 / Double(trials.all.count), 2e7)
    for trial in trials.all { try trial.warmUp(budget: share) }
    let turns = Self.rounds * trials.all.count
    for round in 0..<Self.rounds {
      for (number, trial) in trials.all.enumerated() {
        bar.show(Double(round * trials.all.count + number) / Double(turns), "measuring \(trial.name)")
        try trial.takeTurn(budget: share / Double(Self.rounds))
      }
    }
    return trials
  }
}

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

  /// The time of a look-up divided by that of the floor; nil for a trial that is no look-up.
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

  /// Operations a second; for what reads the whole file, bytes a second.
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
