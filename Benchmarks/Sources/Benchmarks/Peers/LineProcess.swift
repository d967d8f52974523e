import Foundation

/// A child process that answers a line with a line.
final class LineProcess {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var pending = Data()

  init(_ command: [String]) throws {
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardInput = input
    process.standardOutput = output
    do { try process.run() } catch { throw PeerFailure("\(command[0]) cannot be run: \(error)") }
  }

  deinit {
    // The end of its input ends it.
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// Writes a line and returns what follows `answer` in the next line that begins so.
  func ask(_ line: String) throws -> Data {
    try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    while true {
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let answer = pending[..<end]
        pending = Data(pending[(end + 1)...])
        if answer.starts(with: Data("answer ".utf8)) { return Data(answer.dropFirst(7)) }
      }
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw PeerFailure("the child process ended; see its message above") }
      pending += more
    }
  }
}
