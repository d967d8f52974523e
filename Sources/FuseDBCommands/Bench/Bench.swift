internal import FuseDB

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
    gives the time of a look-up in floors. A plain FILE opens slowly and has its
    index in memory; 'fusedb reindex' changes that.

    Measure on an idle machine. Ratios say more about other machines than times.

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
    seconds = try arguments.count(of: "--seconds") ?? 10
    batch = try arguments.count(of: "--batch") ?? 64
    guard seconds <= 86_400 else { throw arguments.error("--seconds takes at most a day, 86400") }
    guard batch > 0, batch <= 1 << 20 else { throw arguments.error("--batch takes a number from 1 to 1048576") }
    printsJSON = arguments.has("--json")
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let bar = ProgressBar(console)
    let reader = try FuseReader.forCommand(path, expecting: .few)
    let trials = try FuseReader.reading { () throws(FuseError) in try measure(bar) }
    bar.clear()
    let report = BenchReport(of: reader, trials, batch: batch)
    if printsJSON {
      try console.out.line { writer throws(FuseError) in writer.append(members: report.members) }
    } else {
      for line in report.table { try console.out.line(line) }
    }
    if reader.isPlain {
      console.note(
        "\(path) is plain: opening makes its index in memory; 'fusedb reindex \(path)' puts it into the file")
    }
    guard trials.damageCount() == 0 else {
      console.note("\(path) is damaged; 'fusedb verify \(path)' lists the damage")
      return .badData
    }
    return .done
  }

  private func measure(_ bar: ProgressBar) throws(FuseError) -> Trials {
    let trials = try Trials(path, batch: batch, questionLimit: questionLimit) { fraction, text in
      bar.show(fraction, text)
    }
    // However short, it must be long enough for slices to be found.
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
