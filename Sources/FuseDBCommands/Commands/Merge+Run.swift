internal import FuseDB

extension Merge {
  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    if let refusal = refusalToOverwrite { return console.explain(UsageError(refusal, in: Self.name)) }
    console.willReplace(output)
    let bar = ProgressBar(console, isQuiet: isQuiet)
    let options = optionsInUse
    do throws(FuseError) {
      let report = try FuseWriter.merge(inputs, to: output, options: options) { share in bar.show(share, output) }
      bar.clear()
      try tell(report, options, seconds: bar.elapsed, console)
      return .done
    } catch {
      bar.clear()
      let error = error.withReplacementOptions
      // What cannot be read is an input that is missing, whatever the system said.
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
