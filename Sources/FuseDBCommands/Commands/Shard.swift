internal import FuseDB
internal import FuseDBInput

/// `fusedb shard`: divides a database into a set of shards.
struct Shard: Command {
  static let name = "shard"
  static let summary = "divide a file into a set of shards"
  static let operands = "FILE DIR"
  static let options: [Option] =
    [
      .value("--shards", "N", "how many shards there are, 1 to 65536"),
      .value(
        "--shard-bytes", "SIZE",
        "make the fewest shards, a power of two, that have no more bytes on average, such as 256M"),
      Arguments.compactOption,
      .flag("--family", "write version 2 of the format (default: the form of FILE)"),
      .flag("--sweep", "write nothing; remove from the set in DIR, the only operand, what jobs left behind that died"),
      .value("--older-than", "SECONDS", "with --sweep, spare what was written since (default: 0)"),
      .flag("--allow-empty", "write a set even if it has no keys"),
      .value("--least-keys", "N", "write no set with fewer keys"),
      .value("--greatest-shrink", "PERCENT", "replace no set by one that lacks more than PERCENT % of its keys"),
      Arguments.metadataOption,
    ] + Arguments.resourceOptions + [
      .flag("--json", "print the report as JSON on standard output"),
      Arguments.quietOption(),
    ]
  static let help = """
    Writes the keys and objects of FILE as a set of shards: a folder of files, of
    which each has the keys that a rule gives it, and a manifest that names them.
    FILE may be a set, too, which is divided anew. Every command takes the folder
    wherever it takes a file, and answers as for one file.

    A key is in the shard that XXH64 of its bytes says, with seed 42, modulo N:
    what Spark computes as pmod(xxhash64(key), N). So several machines can build
    shards of one set; see 'fusedb_swift.spark' and spec/sharding.md.

    The set appears in one step, or takes the place of the one that is there.
    Files have their checksum in their names and never change; those that come
    out as they were are not written again. Those of the set before stay until
    the next is published, for readers that open them late. Then everything that
    neither names is removed, as --sweep does alone.

    'fusedb merge -o FILE DIR' makes one file of a set.

    Example:
      $ fusedb shard networks.fsdb networks/ --shards 4
      networks/: 3 keys in 4 shards, 6.5 kB, generation 1
      $ fusedb get networks/ 8.8.8.8 --field org
      8.8.8.0/24\tGoogle LLC
    """

  private var path = ""
  private var folder: String
  private var plan = ShardPlan.shardByteCount(.max)
  private var form: FuseWriter.Form?
  private var options = FuseWriter.Options()
  private var sweepsAlone: Bool
  private var age: Double
  private var printsJSON: Bool
  private var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
    sweepsAlone = arguments.has("--sweep")
    age = try arguments.number(of: "--older-than", in: 0...1e12) ?? 0
    if !sweepsAlone { path = try arguments.path("FILE") }
    folder = try arguments.path("DIR")
    for path in [path, folder] where path == Arguments.standardInput {
      throw arguments.error("databases are files and folders, and '-' is none")
    }
    if sweepsAlone {
      for option in ["--shards", "--shard-bytes"] where arguments.has(option) {
        throw arguments.error("--sweep writes no shards; leave out \(option)")
      }
      return
    }
    guard !arguments.has("--older-than") else { throw arguments.error("--older-than is for --sweep") }
    guard let plan = try arguments.shardPlan() else {
      throw arguments.error("say how many shards there are, with --shards N or --shard-bytes SIZE")
    }
    self.plan = plan
    form = try arguments.form()
    guard !arguments.has("--family") || form == nil else {
      throw arguments.error("--family and --compact are two forms; give one of them")
    }
    if arguments.has("--family") { form = .family }
    if let metadata = try arguments.metadata() { options.metadata = metadata }
    options.leastKeyCount = try arguments.leastKeyCount()
    options.greatestShrink = try arguments.greatestShrink()
    let resources = try arguments.resources()
    options.memory = resources.memory ?? MachineMemory.availableByteCount / 4
    options.threadCount = resources.threadCount ?? Parallel.processorCount
    options.temporaryFolder = resources.temporaryFolder ?? FuseDBCommands.folder(ofSet: folder)
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    if sweepsAlone { return try sweep(console) }
    if let refusal = Overwriting.refusalOfSet(folder) { return console.explain(UsageError(refusal, in: Self.name)) }
    console.willReplaceSet(folder)
    let bar = ProgressBar(console.err, isQuiet: isQuiet)
    let source = try FuseReader.forCommand(path)
    var options = options
    options.form = if let form { form } else { try source.form }
    let report: FuseSet.Report
    do throws(FuseError) {
      report = try FuseSet.split(
        source, into: folder, by: plan.rule(forByteCount: source.byteCount), options: options
      ) { share in bar.show(share, folder) }
    } catch {
      bar.clear()
      throw error.withReplacementOptions
    }
    bar.clear()
    try tell(report, seconds: bar.elapsed, console)
    return .done
  }

  private func sweep(_ console: Console) throws(FuseError) -> ExitStatus {
    let swept = try FuseSet.sweep(folder, olderThan: age)
    if printsJSON {
      try console.out.line { writer throws(FuseError) in
        writer.append(members: [("output", .text(folder)), ("swept", .list(swept.map { .text($0) }))])
      }
    } else if !isQuiet {
      try? console.err.sentence("\(folder): \(Humans.count(swept.count, "file")) removed")
    }
    return .done
  }

  private func tell(_ report: FuseSet.Report, seconds: Double, _ console: Console) throws(FuseError) {
    guard !printsJSON else {
      return try console.out.line { writer throws(FuseError) in
        writer.append(
          members: [
            ("output", .text(folder)), ("keys", .count(report.keyCount)),
            ("replaced", .replaced(keys: report.replacedKeyCount)), ("bytes", .count(report.byteCount)),
          ] + SetReport(of: report).members + [("seconds", .number((seconds * 1000).rounded() / 1000))])
      }
    }
    guard !isQuiet else { return }
    try? console.err.sentence(
      "\(folder): \(Humans.keys(report.keyCount, before: report.replacedKeyCount)) in \(Humans.count(report.shardCount, "shard")), \(Humans.size(report.byteCount)), generation \(report.generation)"
    )
    for line in SetReport(of: report).lines.dropFirst() { try? console.err.sentence(line) }
  }
}

/// What is told of a set that was published.
struct SetReport {
  let report: FuseSet.Report

  init(of report: FuseSet.Report) { self.report = report }

  var members: [(name: String, value: ReportValue)] {
    [
      ("shards", .count(report.shardCount)), ("keptShards", .count(report.keptShardCount)),
      ("generation", .count(report.generation)), ("swept", .list(report.sweptFiles.map { .text($0) })),
    ]
  }

  var lines: [String] {
    var lines = ["  \(Humans.count(report.shardCount, "shard")), generation \(report.generation)"]
    if report.keptShardCount > 0 {
      lines.append("  \(Humans.count(report.keptShardCount, "shard")) as before, and not written again")
    }
    if !report.sweptFiles.isEmpty {
      lines.append("  \(Humans.count(report.sweptFiles.count, "file")) of earlier sets removed")
    }
    return lines
  }
}
