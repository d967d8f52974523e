internal import FuseDB

/// What a command tells the shell.
enum ExitStatus: Int32 {
  /// All was done.
  case done = 0
  /// A definite no: a key is absent, a file is damaged.
  case no = 1
  /// The command was called wrongly.
  case usage = 64
  /// The data to build from is bad.
  case badData = 65
  /// An input is missing or cannot be read.
  case noInput = 66
  /// A result could not be written.
  case inputOutput = 74

  /// The status for an error. Whoever reads an input says `notFound` when that fails, so `inputOutput` is left for writing.
  init(_ error: FuseError) {
    self =
      switch error.code {
      case .notADatabase, .unsupportedVersion, .corrupted, .truncated: .no
      case .limitExceeded, .duplicateKey, .invalidValue, .patchMismatch, .refused: .badData
      case .notFound: .noInput
      case .inputOutput, .outputChanged: .inputOutput
      }
  }

  /// The status for an error of a command for which 1 says something else than that a file is damaged.
  init(ofInput error: FuseError) {
    let status = ExitStatus(error)
    self = status == .no ? .badData : status
  }
}
