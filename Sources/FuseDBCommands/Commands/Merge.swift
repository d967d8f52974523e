internal import FuseDB

/// `fusedb merge`: merges several databases into one.
struct Merge: Command {
  var output: String
  var isOutputOption: Bool
  var inputs: [String]
  /// The files that are read: of a set of shards, all of its.
  private var sources: [String]
  var options = MergeOptions()
  var printsJSON: Bool
  var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    (output, isOutputOption) = try arguments.output()
    inputs = try [arguments.path("INPUT")] + arguments.remainingPaths("INPUT")
    sources = inputs
    for path in [output] + inputs where path == Arguments.standardInput {
      throw arguments.error("databases are files, and '-' is none")
    }
    printsJSON = arguments.has("--json")
    isQuiet = arguments.has("--quiet")
    options.onConflict =
      try arguments.choice(of: "--on-conflict", ["last": .last, "first": .first, "error": .error]) ?? .last
    options.subtracting = try arguments.paths(of: "--subtract", "FILE")
    options.prefixes = arguments.values(of: "--only-prefix")
    options.order = try arguments.choice(of: "--order", ["key": .key, "insertion": .insertion]) ?? .key
    options.layout = arguments.has("--plain") ? .plain : .indexed
    if let metadata = try arguments.metadata() {
      guard options.layout == .indexed else {
        throw arguments.error("--meta needs the index that --plain leaves out; give one of them")
      }
      options.metadata = metadata
    }
    if let form = try arguments.form() {
      guard options.layout == .indexed else {
        throw arguments.error("--compact files have their index always, and --plain leaves it out; give one of them")
      }
      options.form = form
    }
    options.leastKeyCount = try arguments.leastKeyCount()
    options.greatestShrink = try arguments.greatestShrink()
    options.outputLink = try arguments.outputLink()
    options.keepsOtherFiles = true
    let resources = try arguments.resources()
    options.memory = resources.memory
    options.temporaryFolder = resources.temporaryFolder
    options.threadCount = resources.threadCount
  }
}

extension Merge {
  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    if let refusal = refusalToOverwrite { return console.explain(UsageError(refusal, in: Self.name)) }
    console.willReplace(output)
    let bar = ProgressBar(console.err, isQuiet: isQuiet)
    let options = optionsInUse
    do throws(FuseError) {
      var files: [String] = []
      for path in sources { files += try ShardedReader.files(at: path) }
      let report = try FuseWriter.merge(files, to: output, options: options) { share in bar.show(share, output) }
      bar.clear()
      try tell(report, options, seconds: bar.elapsed, console)
      return .done
    } catch {
      bar.clear()
      let error = error.withReplacementOptions
      // An input that cannot be read counts as missing, whatever the system's error is.
      let isInput = error.path.map { (inputs + options.subtracting).contains($0) && $0 != output } ?? false
      if error.code == .inputOutput, isInput { return console.report(error, status: .noInput) }
      return console.report(error)
    }
  }

  /// Why ``output`` must not be overwritten.
  private var refusalToOverwrite: String? {
    if !isOutputOption, inputs.count == 1, Overwriting.isThere(output) {
      return """
        '\(output)' is there, and would be replaced by the keys of '\(inputs[0])' alone: OUTPUT comes first. If that is \
        meant, say '-o \(output) \(inputs[0])'
        """
    }
    return Overwriting.refusal(
      of: output, unless: Overwriting.database, links: options.outputLink,
      advice: (isOutputOption ? "" : "OUTPUT comes first: ") + "give it another name, or remove that file")
  }

  /// The options, with a merge's defaults written out.
  private var optionsInUse: MergeOptions {
    var options = options
    options.memory = options.memory ?? MachineMemory.availableByteCount / 4
    options.threadCount = options.threadCount ?? Parallel.processorCount
    options.temporaryFolder = options.temporaryFolder ?? folder(of: output)
    return options
  }
}
