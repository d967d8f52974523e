internal import FuseDB

/// A file that answers, what it is asked, and what is taken of its answers.
struct EnrichSource {
  /// What of an answer goes into a line, and where.
  struct Field {
    enum Content {
      case value
      case part(FusePath)
      /// The key that answers.
      case key
    }

    let content: Content
    /// Where it goes.
    let target: FusePath

    var isKey: Bool { if case .key = content { true } else { false } }
    /// What its column in a table is called.
    var columnName: [UInt8] { target.columnName }
  }

  /// The path of the file.
  let path: String
  /// The field of a line that holds the key.
  var key: FusePath
  /// Nil where the file and the question decide.
  var matching: Get.Matching?
  /// That of the key, if there is one, comes last.
  var fields: [Field] = []

  /// The name under which a whole value goes: that of the file, without its ending.
  var defaultName: [UInt8] {
    let name = path.utf8.split(separator: UInt8(ascii: "/")).last ?? path.utf8[...]
    let stem = name.lastIndex(of: UInt8(ascii: ".")).map { name[..<$0] } ?? name
    return Array(stem)
  }
}

extension FusePath {
  /// The path as the name of a column.
  var columnName: [UInt8] { Array(steps.map { $0.name }.joined(separator: [UInt8(ascii: ".")])) }

  /// The path that is one name, whatever its characters.
  init(name: [UInt8]) {
    self.init(name.flatMap { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), $0] : [$0] })
  }
}

/// What a command does with its lines: the same for all threads.
struct EnrichPlan: Sendable {
  /// What happens to a field that a line has already.
  enum Existing: Sendable { case keep, replace, error }
  /// What happens to a line that is no JSON object, or a row that does not suit its table.
  enum BadLines: Sendable { case fail, keep, drop }

  struct Question: Sendable {
    let reader: FuseReader
    let matching: Get.Matching?
    let rule: KeyNormalisation?
    let key: FusePath
    let fields: [EnrichSource.Field]
    /// The number of its first field among all.
    let firstField: Int
  }

  let questions: [Question]
  let existing: Existing
  let badLines: BadLines
  /// What stands for what is absent: MessagePack; nil for nothing.
  let absent: [UInt8]?
  /// Nil where lines are JSON.
  let table: Table?

  struct Table: Sendable {
    let separator: UInt8
    let takesQuotes: Bool
    let commentPrefix: [UInt8]
    /// The names of the columns, where no row has them.
    let columns: [[UInt8]]?
  }
}

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
