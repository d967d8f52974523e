internal import FuseDB

/// `fusedb merge`: makes one database of many.
struct Merge: Command {
  var output: String
  var isOutputOption: Bool
  var inputs: [String]
  var options = MergeOptions()
  var printsJSON: Bool
  var isQuiet: Bool

  init(parsing arguments: inout Arguments) throws(UsageError) {
    (output, isOutputOption) = try arguments.output()
    inputs = try [arguments.path("INPUT")] + arguments.remainingPaths("INPUT")
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
