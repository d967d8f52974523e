/// What came of the lines.
struct EnrichCounts {
  struct Answers {
    var answered = 0
    var unknown = 0
    var withoutKey = 0
    /// How many fields answers lacked.
    var absentFields = 0
  }

  var lineCount = 0
  var badLineCount = 0
  var keptFieldCount = 0
  var replacedFieldCount = 0
  var answers: [Answers]
  /// The first bad lines: where, and why.
  private(set) var badLines: [(input: Int, line: Int, text: String)] = []
  private static let mostBadLines = 10

  init(questionCount: Int) { answers = [Answers](repeating: Answers(), count: questionCount) }

  mutating func add(_ other: EnrichCounts) {
    lineCount += other.lineCount
    badLineCount += other.badLineCount
    keptFieldCount += other.keptFieldCount
    replacedFieldCount += other.replacedFieldCount
    for number in answers.indices {
      answers[number].answered += other.answers[number].answered
      answers[number].unknown += other.answers[number].unknown
      answers[number].withoutKey += other.answers[number].withoutKey
      answers[number].absentFields += other.answers[number].absentFields
    }
    badLines = Array(
      (badLines + other.badLines).sorted { ($0.input, $0.line) < ($1.input, $1.line) }.prefix(Self.mostBadLines))
  }

  /// Counts a line that is not enriched.
  mutating func addBadLine(input: Int, line: Int, _ text: String) {
    badLineCount += 1
    if badLines.count < Self.mostBadLines { badLines.append((input, line, text)) }
  }
}
