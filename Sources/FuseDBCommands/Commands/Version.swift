internal import FuseDB
internal import FuseDBInput

/// `fusedb --version`: names the version of the command and of the format.
struct Version: Command {
  static let name = "--version"
  static let summary = "name the version of the command and of the format"
  static let operands = ""
  static let options: [Option] = []
  static let help = ""

  /// The version of this package.
  static let text = "0.1.0"

  init() {}

  init(parsing arguments: inout Arguments) {}

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    try console.out.line("fusedb \(Self.text) (FSDB format 2)")
    return .done
  }
}
