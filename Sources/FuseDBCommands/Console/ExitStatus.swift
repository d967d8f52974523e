internal import FuseDB

/// What a command tells the shell.
enum ExitStatus: Int32 {
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
  /// A result could not be written.
  case inputOutput = 74

  /// The status for an error. Whoever reads an input says `notFound` when that fails, so `inputOutput` is left for writing.
  init(_ error: FuseError) {
    self =
      switch error.code {
      case .notADatabase, .unsupportedVersion, .corrupted, .truncated, .limitExceeded, .duplicateKey, .invalidValue,
        .patchMismatch, .refused:
        .badData
      case .notFound: .noInput
      case .inputOutput, .outputChanged: .inputOutput
      }
  }

  /// What each status says, for the help.
  static let table = """
    Exit status:
      0   done
      1   a definite no: a key or field is absent (get), files differ (diff), or a
          file is not sound (verify)
      64  wrong usage, or OUTPUT is a file that must not be overwritten
      65  bad input data, a damaged database or none (except for verify), or a
          result that was refused
      66  an input is missing or cannot be read
      74  a result cannot be written, or memory is short
    """
}
