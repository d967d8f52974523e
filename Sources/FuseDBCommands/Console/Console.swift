package import FuseDB

/// Where a command reads and writes: the process's descriptors, or a test's.
package final class Console {
  /// For results.
  package private(set) var out: Output
  /// For everything else.
  package let err: Output
  /// What `-` stands for.
  package let input: Descriptor
  /// Whether only what fails is said: the option `--quiet`.
  var isQuiet = false
  /// Whether this is the process's own console, and its signals are the command's to handle.
  private let handlesSignals: Bool
  /// What does the commands that are this program's; nil in `fusedb`, which becomes another program for them.
  let worker: (any HelperWorker)?
  /// The words of the command line.
  var words: [[UInt8]] = []

  /// The process's standard input, output and error.
  package convenience init(worker: (any HelperWorker)? = nil) {
    self.init(
      out: Output(.standardOutput, name: "standard output"), err: Output(.standardError, name: "standard error"),
      input: .standardInput, handlesSignals: true, worker: worker)
  }

  init(
    out: Output, err: Output, input: Descriptor, handlesSignals: Bool = false,
    worker: (any HelperWorker)? = nil
  ) {
    self.worker = worker
    self.out = out
    self.err = err
    self.input = input
    self.handlesSignals = handlesSignals
  }

  /// Runs `body`, whose results go to a new file at `path` instead of to standard output. The file appears when `body` has
  /// succeeded, complete or not at all.
  func printing(to path: String, _ body: () throws(FuseError) -> ExitStatus) throws(FuseError) -> ExitStatus {
    willReplace(path)
    let file = try AtomicFile(replacing: PinnedPath(path))
    let standardOutput = out
    out = Output(Descriptor(file.descriptor), name: path)
    defer { out = standardOutput }
    let status = try body()
    guard status != .usage else { return status }
    try out.flush()
    try file.publish(header: [])
    return status
  }

  /// Call this before the work on a new file at `path` begins, so that a signal that ends the command leaves nothing
  /// after and says what has become of the file.
  package func willReplace(_ path: String) {
    guard handlesSignals else { return }
    // A progress bar may stand in the line.
    let start =
      (err.isTerminal ? ProgressBar.erasure : "") + "fusedb: interrupted; \(EscapedText.harmless(path)) is "
    Interruption.write(start + "as it was\n", whenPublished: start + "complete\n")
  }

  /// The same of a set of shards, whose files appear one by one.
  package func willReplaceSet(_ path: String) {
    guard handlesSignals else { return }
    let sentence =
      (err.isTerminal ? ProgressBar.erasure : "")
      + "fusedb: interrupted; \(EscapedText.harmless(path)) is as it was or complete, and the next build removes what is left\n"
    Interruption.write(sentence, whenPublished: sentence)
  }

  /// Call this before a command waits for something that may never come: a signal then ends it also where it is the
  /// first process of a container, which the system spares.
  package func willWait() {
    guard handlesSignals else { return }
    Interruption.write("", whenPublished: "")
  }

  /// Says something to the person who runs the command, unless that person wants quiet.
  package func note(_ message: String) {
    // Where standard error is closed there is no way to report anything.
    if !isQuiet { try? err.sentence("fusedb: " + message) }
  }

  /// The same of a key, or of other bytes, which come last.
  func note(_ message: String, _ bytes: RawSpan) {
    guard !isQuiet else { return }
    try? err.line { writer throws(FuseError) in
      writer.append("fusedb: " + EscapedText.harmless(message) + ": ")
      EscapedText.append(bytes, to: &writer.out)
    }
  }

  /// Says what failed.
  func complain(_ message: String) {
    try? err.sentence(message, after: err.styled("fusedb:", .failure) + " ")
  }

  /// Says what failed, and where it is a file that is missing, what may have been meant.
  func complain(_ error: FuseError) {
    complain(error.description + (Suggestion.path(for: error) ?? ""))
  }

  /// Says what failed, and returns the status for it.
  package func report(_ error: FuseError) -> ExitStatus { report(error, status: ExitStatus(error)) }

  /// Says what failed, and returns `status`.
  func report(_ error: FuseError, status: ExitStatus) -> ExitStatus {
    // The reader closed the pipe, and has read enough.
    if !Descriptor.isBrokenPipe(error) { complain(error) }
    return status
  }

  /// Says how the command is called, and returns the status for that; with `overview`, the list of commands, where that
  /// helps.
  func explain(_ error: UsageError, overview: String? = nil) -> ExitStatus {
    if let command = error.command {
      complain("\(command): \(error.message)")
      try? err.line("'fusedb help \(command)' explains the command.")
    } else {
      complain(error.message)
      try? err.line(overview.map { "\n" + $0 } ?? "'fusedb help' lists the commands.")
    }
    return .usage
  }
}

/// What a command tells the shell.
package enum ExitStatus: Int32 {
  /// All was done.
  case done = 0
  /// A definite no: a key is absent, files differ, or what ``Verify`` looked at is not sound.
  case no = 1
  /// The command was called wrongly.
  case usage = 64
  /// Data is bad: an input, a database that is damaged or none, or a result that was refused.
  case badData = 65
  /// An input is missing or cannot be read.
  case noInput = 66
  /// A remote gives no answer.
  case unavailable = 69
  /// A result could not be written.
  case inputOutput = 74

  /// The status for an error. Failing to read an input is `notFound`, so `inputOutput` is left for writing.
  init(_ error: FuseError) {
    self =
      switch error.code {
      case .notADatabase, .unsupportedVersion, .corrupted, .truncated, .limitExceeded, .duplicateKey, .invalidValue,
        .patchMismatch, .refused, .invalidArgument:
        .badData
      case .notFound: .noInput
      case .unavailable: .unavailable
      case .inputOutput, .outputChanged, .cancelled: .inputOutput
      }
  }

  /// What each status says, for the help.
  static let meanings: [(status: Int32, meaning: String)] = [
    (0, "done"),
    (1, "a definite no: a key or field is absent (get), files differ (diff), or a file is not sound (verify)"),
    (64, "wrong usage, or OUTPUT is a file that must not be overwritten"),
    (65, "bad input data, a damaged database or none (except for verify), or a result that was refused"),
    (66, "an input is missing or cannot be read"),
    (69, "a remote cannot be reached; trying again later may help"),
    (74, "a result cannot be written, or memory is short"),
  ]
}
