import Glibc
import ProgramSupport

@testable import FuseDBCommands
@testable import FuseDBSystem

/// The command, run in a scratch folder.
extension Scratch {
  /// What a run of the command gave.
  struct Result: Equatable {
    var status: Int32
    var out: String
    var err: String

    init(_ status: Int32, out: String = "", err: String = "") {
      self.status = status
      self.out = out
      self.err = err
    }
  }

  /// Runs the command. In `words`, `@name` is a file of this folder, and so it is in what comes back.
  func run(_ words: String..., input: String = "") -> Result { run(words, input: input) }

  func run(_ words: [String], input: String = "") -> Result {
    run(words.map { Array($0.replacing("@", with: folder + "/").utf8) }, input: Array(input.utf8))
  }

  func run(_ words: [[UInt8]], input: [UInt8] = []) -> Result {
    let descriptor = unsafe open(write(input, to: "standard input"), O_RDONLY)
    defer {
      close(descriptor)
      unsafe unlink(path("standard input"))
    }
    let console = Console(
      out: Output(nil, name: "standard output"), err: Output(nil, name: "standard error"), input: Descriptor(descriptor)
    )
    let status = Tool.run(words, console)
    return Result(
      status, out: console.out.text.replacing(folder + "/", with: "@"),
      err: console.err.text.replacing(folder + "/", with: "@"))
  }
}

extension String {
  /// The text with every `old` made `new`.
  func replacing(_ old: String, with new: String) -> String {
    var result = ""
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(old) {
        result += new
        rest = rest.dropFirst(old.count)
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result
  }

  /// The lines, without their ends.
  var lines: [String] {
    // Characters would not do: a carriage return and a line feed are one.
    let lines = utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String($0)! }
    return lines.last == "" ? lines.dropLast() : lines
  }
}
