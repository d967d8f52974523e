import Foundation

/// The command `fusedb`, each time a process of its own.
final class FuseDBCommand {
  /// What a process took, from its start to its end.
  struct Run: Decodable {
    var nanoseconds: Double
    /// The most memory that it held, pages of mapped files included.
    var bytes: Int
    /// What it ended with; below zero the number of a signal.
    var status: Int
  }

  /// What each process may use.
  static let memory = "512M"

  private let path: String
  /// `run.py`.
  private let starter: LineProcess

  init(_ path: String, python: String, script: String) throws {
    self.path = path
    starter = try LineProcess([python, "-S", "-B", script])
  }

  /// Makes a database of a table that ``Workload/writeTable(to:)`` wrote.
  func build(_ output: String, of table: String) throws -> Run {
    try run(["build", output, table, "--key", "key"] + Record.types.flatMap { ["--type", $0] })
  }

  /// Makes one database of several.
  func merge(_ output: String, of inputs: [String]) throws -> Run { try run(["merge", output] + inputs) }

  private func run(_ arguments: [String]) throws -> Run {
    let command = [path] + arguments + ["--memory", Self.memory, "--quiet"]
    let line = String(decoding: try JSONEncoder().encode(command), as: UTF8.self)
    let run = try JSONDecoder().decode(Run.self, from: starter.ask(line))
    guard run.status == 0 else {
      throw PeerFailure("'\(command.joined(separator: " "))' ended with \(run.status); see its message above")
    }
    return run
  }
}
