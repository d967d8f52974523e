internal import FuseDB

/// What came of the lines.
struct EnrichCounts {
  struct Answers {
    var answered = 0
    var unknown = 0
    var withoutKey = 0
    /// How many fields answers lacked.
    var absentFields = 0
    /// Which of the fields that are asked for some answer had.
    var areFieldsSeen: [Bool] = []
  }

  var lineCount = 0
  var badLineCount = 0
  var keptFieldCount = 0
  var replacedFieldCount = 0
  var answers: [Answers]
  /// The fields of some lines that lack a key.
  private(set) var otherFields = FieldNames()
  private var lookCount = 0
  private static let mostLooks = 20
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
      answers[number].areFieldsSeen.unite(other.answers[number].areFieldsSeen)
    }
    otherFields.add(other.otherFields)
    badLines = Array(
      (badLines + other.badLines).sorted { ($0.input, $0.line) < ($1.input, $1.line) }.prefix(Self.mostBadLines))
  }

  /// Notes which fields a line of JSON has that lacks a key: for who has to guess what was meant.
  @inline(never)
  mutating func note(fieldsOf line: RawSpan) {
    guard lookCount < Self.mostLooks, line.byteCount <= 1 << 16 else { return }
    lookCount += 1
    guard let packed = try? FuseJSON.messagePack(from: line.text), let view = try? FuseView(validating: packed.rawSpan)
    else { return }
    otherFields.add(view)
  }

  /// Counts a line that is not enriched.
  mutating func addBadLine(input: Int, line: Int, _ text: String) {
    badLineCount += 1
    if badLines.count < Self.mostBadLines { badLines.append((input, line, text)) }
  }
}

extension [Bool] {
  /// What is true in `other`, which is as long or empty, becomes so here.
  fileprivate mutating func unite(_ other: [Bool]) {
    if isEmpty { return self = other }
    for number in other.indices where other[number] { self[number] = true }
  }
}
