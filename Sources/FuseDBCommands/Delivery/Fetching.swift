package import FuseDB
internal import FuseDBInput

/// What `fusedb fetch` and `fusedb follow` have in common.
package struct FetchArguments {
  package var remote: String
  package var ref: String
  package var path: String
  package var trusted: [String]
  package var rules = SwapRules()
  package var keptFileCount: Int
  package var greatestRate: Int?
  package var deadline: Double?
  package var retryCount: Int?

  static let operands = "REMOTE NAME OUTPUT"
  static let options: [Option] = [
    Arguments.channelOption,
    .value(
      "--trust", "KEY", "take what this public key signed alone, a file or its text; may be repeated", repeats: true),
    .value(
      "--check", "LEVEL", choices: ["structure", "full"],
      "how much to verify: structure or full (default: full; structure with --trust)"),
    .flag("--allow-empty", "let a file without keys replace one with keys"),
    .value("--least-keys", "N", "refuse a file with fewer keys"),
    .value("--greatest-shrink", "PERCENT", "refuse a file that lacks more than PERCENT % of the keys"),
    .value("--require", "KEY", "refuse a file without KEY; may be repeated", repeats: true),
    .value("--keep", "N", "keep N earlier files, as OUTPUT.before-GENERATION (default: 0)"),
    .value("--max-rate", "SIZE", "transfer so many bytes a second at most, such as 2M"),
    .value("--timeout", "TIME", "how long a transfer may take (default: 1h)"),
    .value("--retries", "N", "how often to try again what failed (default: 4)"),
  ]

  init(parsing arguments: inout Arguments) throws(UsageError) {
    remote = try arguments.remote()
    ref = try arguments.refName()
    path = try arguments.path("OUTPUT")
    try arguments.requireFile(path, "OUTPUT")
    trusted = try arguments.paths(of: "--trust", "KEY")
    let level: VerificationLevel? = try arguments.choice(of: "--check", ["structure": .checksums, "full": .full])
    guard level != .checksums || !trusted.isEmpty else {
      throw arguments.error("--check structure is for files that a key signed: name it with --trust")
    }
    rules.check = level ?? (trusted.isEmpty ? .full : .checksums)
    rules.allowsEmpty = arguments.has("--allow-empty")
    rules.leastKeyCount = try arguments.count(of: "--least-keys") ?? 0
    rules.greatestShrink = try arguments.greatestShrink()
    rules.requiredKeys = arguments.values(of: "--require")
    keptFileCount = try arguments.count(of: "--keep", in: 0...1000) ?? 0
    greatestRate = try arguments.size(of: "--max-rate")
    deadline = try arguments.seconds(of: "--timeout")
    retryCount = try arguments.count(of: "--retries", in: 0...100)
  }
}

/// `fusedb fetch`: makes a file the version that a remote announces.
package struct Fetch: DeliveryCommand {
  static let name = "fetch"
  static let summary = "make a file the newest version of a remote: fetch what changed"
  static let operands = FetchArguments.operands
  static let isEnding = true
  // It writes a file of its own, and prints a report.
  static let printsToFile = false
  static let options: [Option] =
    FetchArguments.options + [
      .flag("--dry-run", "say what it would cost, and fetch no more than documents"),
      .flag("--json", "print the report as one JSON object"),
      Arguments.quietOption(),
    ]
  static let help = """
    REMOTE is a folder or a URL (http:// or https://). What OUTPUT lacks is
    fetched as patches, or as a whole where that costs less. The new file is
    made beside OUTPUT, compared with the SHA-256 that was announced, verified
    and held against the rules; then it takes the place of OUTPUT in one step.
    If anything fails, OUTPUT stays. Nothing new: one small request.

    OUTPUT.origin says where OUTPUT came from: an older state of the remote is
    refused. A transfer that was interrupted goes on where it ended.

    Exit status: 65 when what came is refused, 66 when the remote lacks it, 69
    when the remote cannot be reached.

    Example:
      $ fusedb fetch https://data.example.com/fuse networks networks.fsdb
      networks.fsdb: generation 2 by 1 patch: 1.4 kB in 3 requests
    """

  package var arguments: FetchArguments
  package var isTrial: Bool
  package var printsJSON: Bool
  package var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    self.arguments = try FetchArguments(parsing: &arguments)
    isTrial = arguments.has("--dry-run")
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
  }

  var request: DeliveryRequest { .fetch(self) }
}

/// `fusedb follow`: fetches again and again.
package struct Follow: DeliveryCommand {
  static let name = "follow"
  static let summary = "keep a file at the newest version of a remote"
  static let operands = FetchArguments.operands
  static let isEnding = false
  static let options: [Option] =
    FetchArguments.options + [
      .value("--interval", "TIME", "how often to ask, give or take a fifth (default: 30s)"),
      .value("--metrics", "OUTPUT", "write counters to the file OUTPUT after each attempt, as Prometheus reads them"),
      .value(
        "--listen", "ADDRESS:PORT",
        "give the counters to GET /metrics at a numeric address, such as 127.0.0.1:9187; port 0 is a free one"),
      .flag("--json", "print one JSON object a line, with an \"event\": serving, updated, failed or listening"),
    ]
  static let help = """
    Does what 'fusedb fetch' does, whenever the remote announces another
    version, until it is interrupted. Programs that have OUTPUT open reload it,
    as 'fusedb watch' shows. While attempts fail, the time between them grows to
    ten minutes; each reason is printed once, and OUTPUT stays.

    Example:
      $ fusedb follow https://data.example.com/fuse networks networks.fsdb
      2026-11-29T16:11:12Z serving networks.fsdb: generation 1
      2026-11-29T17:00:03Z updated networks.fsdb: generation 2 by 1 patch: 1.4 kB in 3 requests
      2026-11-29T18:00:03Z failed: the transfer failed: Could not resolve host
    """

  package var arguments: FetchArguments
  package var interval: Double
  package var metricsPath: String?
  package var listensAt: ListenAddress?
  package var printsJSON: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    self.arguments = try FetchArguments(parsing: &arguments)
    interval = try arguments.seconds(of: "--interval") ?? 30
    metricsPath = try arguments.path(of: "--metrics", "OUTPUT")
    if let word = arguments.text(of: "--listen") {
      guard let address = ListenAddress(word) else {
        throw arguments.error(
          "--listen takes a numeric address and a port, such as 127.0.0.1:9187 or [::1]:9187, and got '\(word)'")
      }
      listensAt = address
    }
    printsJSON = arguments.has("--json")
  }

  var request: DeliveryRequest { .follow(self) }
}
