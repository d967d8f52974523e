import ProgramSupport

/// The answers of what must be one file.
struct Tally {
  private(set) var build: Int?
  private(set) var answerCount = 0

  /// Counts an answer that was of a build.
  mutating func count(_ answer: Int, from way: String) throws {
    if let build, build != answer {
      throw Violation("\(way): build \(answer) after build \(build) of what should be one file")
    }
    build = answer
    answerCount += 1
  }

  /// Counts an answer that any file gives.
  mutating func count(_ isRight: Bool, from way: String) throws {
    guard isRight else { throw Violation("\(way): a wrong answer") }
    answerCount += 1
  }
}
