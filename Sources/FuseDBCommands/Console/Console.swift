internal import FuseDB
internal import Glibc

/// Where a command reads and writes: the process's descriptors, or a test's.
package final class Console {
  /// For results.
  let out: Output
  /// For everything else.
  let err: Output
  /// What `-` stands for.
  let input: Int32

  /// The process's standard input, output and error.
  package convenience init() {
    self.init(
      out: Output(STDOUT_FILENO, name: "standard output"), err: Output(STDERR_FILENO, name: "standard error"),
      input: STDIN_FILENO)
  }

  init(out: Output, err: Output, input: Int32) {
    self.out = out
    self.err = err
    self.input = input
  }

  /// Says something to the person who runs the command.
  func note(_ message: String) {
    // Where standard error is closed nobody wants to know.
    try? err.line("fusedb: " + message)
  }

  /// Says what failed, and returns the status for it.
  func report(_ error: FuseError) -> ExitStatus { report(error, status: ExitStatus(error)) }

  /// Says what failed, and returns `status`.
  func report(_ error: FuseError, status: ExitStatus) -> ExitStatus {
    // Whoever closed the pipe has read enough.
    if error.errno != EPIPE { note(error.description) }
    return status
  }

  /// Says how the command is called, and returns the status for that.
  func explain(_ error: UsageError) -> ExitStatus {
    if let command = error.command {
      note("\(command): \(error.message)")
      try? err.line("'fusedb help \(command)' explains the command.")
    } else {
      note(error.message)
      try? err.line(error.showsOverview ? "\n" + Help.overview : "'fusedb help' lists the commands.")
    }
    return .usage
  }
}
