internal import FuseDB

/// One command of `fusedb`: its properties are its arguments, ``run(_:)`` is its work, and the rest is its page of help.
protocol Command {
  /// The word that calls it.
  static var name: String { get }
  /// What it does, for the list of commands.
  static var summary: String { get }
  /// The operands, as they stand after the name.
  static var operands: String { get }
  /// The options that it takes, in the order of its help.
  static var options: [Option] { get }
  /// Whether it ends by itself; true unless a command says otherwise.
  static var isEnding: Bool { get }
  /// What people need to know beyond the list of options, with an example.
  static var help: String { get }

  /// Takes what it needs out of `arguments`.
  init(parsing arguments: inout Arguments) throws(UsageError)

  /// Does the work.
  func run(_ console: Console) throws(FuseError) -> ExitStatus
}
