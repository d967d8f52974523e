internal import FuseDB
internal import FuseDBInput

/// Adds cells to rows.
struct RowEnricher: LineEnricher {
  private static let rowsAtOnce = 256

  private struct Row {
    let start: Int
    let end: Int
    let next: Int
    /// Whether it is written, and with cells added.
    let fate: Fate
    /// Where the cells stand that fields go to, in ``targets``.
    let firstTarget: Int
  }

  private enum Fate { case enriched, dropped }

  private let plan: EnrichPlan
  private let table: EnrichPlan.Table
  private let header: TableHeader
  private var questions: [LineQuestions]
  /// Fields that go to columns that are there, with the number of the question, and of the field in it.
  private let existing: [(question: Int, field: Int, column: Int)]
  private var rows: [Row] = []
  private var targets: [Range<Int>] = []
  private(set) var out: [UInt8] = []
  private var ownCounts: EnrichCounts
  private var copied = 0
  private var inputNumber = 0

  init(_ plan: EnrichPlan, _ table: EnrichPlan.Table, _ header: TableHeader) throws(FuseError) {
    self.plan = plan
    self.table = table
    self.header = header
    let form = AnswerTexts.Form.cell(CellForm(separator: table.separator, takesQuotes: table.takesQuotes))
    var questions: [LineQuestions] = []
    var existing: [(question: Int, field: Int, column: Int)] = []
    for (number, question) in plan.questions.enumerated() {
      let columns = header.fieldColumns[question.firstField..<question.firstField + question.fields.count]
      let isNew = columns.map { $0 == nil }
      let texts = try AnswerTexts(question.fields, form, absent: plan.absent, isInWhole: isNew)
      questions.append(LineQuestions(question, texts, keyForm: form))
      for (field, column) in zip(question.fields.indices, columns) {
        guard let column else { continue }
        existing.append((number, field, column))
      }
    }
    self.questions = questions
    self.existing = existing.sorted { $0.column < $1.column }
    ownCounts = EnrichCounts(questionCount: plan.questions.count)
  }

  var counts: EnrichCounts {
    var counts = ownCounts
    counts.answers = questions.map { $0.outcome }
    return counts
  }

  mutating func enrich(_ block: InputBlock, input: String) throws(FuseError) {
    var bytes: [UInt8] = []
    swap(&bytes, &block.bytes)
    defer { swap(&bytes, &block.bytes) }
    out.removeAll(keepingCapacity: true)
    inputNumber = block.input
    copied = block.range.lowerBound
    var scan = TableRows(block, bytes.rawSpan, from: copied, table)
    var goesOn = true
    while goesOn {
      rows.removeAll(keepingCapacity: true)
      targets.removeAll(keepingCapacity: true)
      for index in questions.indices { try questions[index].removeAll() }
      var failure: FuseError?
      while rows.count < Self.rowsAtOnce {
        goesOn = scan.advance(bytes.rawSpan)
        guard goesOn else { break }
        do throws(FuseError) { try take(scan, bytes.rawSpan, input) } catch {
          failure = error
          break
        }
      }
      for index in questions.indices { try questions[index].answerAll() }
      let ends = questions.map { $0.ends }
      for index in rows.indices { write(rows[index], index, bytes.rawSpan, ends) }
      if let failure {
        out.append(bytes.rawSpan.extracting(copied..<scan.start))
        throw failure
      }
    }
    if copied < block.range.upperBound { out.append(bytes.rawSpan.extracting(copied..<block.range.upperBound)) }
  }

  private mutating func take(_ scan: borrowing TableRows, _ bytes: RawSpan, _ input: String) throws(FuseError) {
    if scan.cells.isEmpty, scan.flaw == nil { return }
    ownCounts.lineCount += 1
    guard scan.flaw == nil, scan.cells.count == header.columns.count else { return try passBad(scan, input) }
    rows.append(Row(start: scan.start, end: scan.end, next: scan.next, fate: .enriched, firstTarget: targets.count))
    for target in existing { targets.append(scan.cells[target.column]) }
    for index in questions.indices {
      let cell = scan.cells[header.keyColumns[index]]
      if cell.isEmpty {
        questions[index].passWithoutKey()
      } else if table.takesQuotes, bytes.loadInside(at: cell.lowerBound, as: UInt8.self) == UInt8(ascii: "\"") {
        let text = scan.text(cell, bytes)
        try questions[index].ask(text.rawSpan)
      } else {
        try questions[index].ask(bytes.extracting(cell))
      }
    }
  }

  private mutating func passBad(_ scan: borrowing TableRows, _ input: String) throws(FuseError) {
    let reason =
      scan.flaw?.reason
      ?? "the row has \(Humans.count(scan.cells.count, "cell")) and there are \(Humans.count(header.columns.count, "column"))"
    let position = FuseInput.Format.csv.position(in: input, scan.number)
    if case .openQuote = scan.flaw {
      // All that follows is inside of it.
      ownCounts.lineCount -= 1
      throw FuseError(
        .invalidValue, "\(reason); where the next row begins is not known, so nothing goes on after it", path: position)
    }
    guard plan.badLines != .fail else {
      ownCounts.lineCount -= 1
      throw FuseError(
        .invalidValue, "\(reason); correct the row, or let --bad-lines keep or --bad-lines drop go on after it",
        path: position)
    }
    ownCounts.addBadLine(input: inputNumber, line: scan.number, "\(position): \(reason)")
    guard plan.badLines == .drop else { return }
    rows.append(Row(start: scan.start, end: scan.end, next: scan.next, fate: .dropped, firstTarget: targets.count))
    for index in questions.indices { questions[index].pass() }
  }

  // MARK: Writing

  private mutating func write(_ row: Row, _ index: Int, _ bytes: RawSpan, _ ends: [LineEnds]) {
    guard row.fate == .enriched else {
      out.append(bytes.extracting(copied..<row.start))
      copied = row.next
      return
    }
    for (place, target) in existing.enumerated() { edit(target, targets[row.firstTarget + place], index, bytes) }
    out.append(bytes.extracting(copied..<row.end))
    copied = row.end
    for number in ends.indices { ends[number].append(index, to: &out) }
  }

  /// Fills a cell that is there, or leaves it.
  private mutating func edit(
    _ target: (question: Int, field: Int, column: Int), _ cell: Range<Int>, _ index: Int, _ bytes: RawSpan
  ) {
    guard let text = questions[target.question].text(of: target.field, index) else { return }
    if !cell.isEmpty {
      guard plan.existing == .replace else { return ownCounts.keptFieldCount += 1 }
      ownCounts.replacedFieldCount += 1
    }
    out.append(bytes.extracting(copied..<cell.lowerBound))
    out.append(contentsOf: text)
    copied = cell.upperBound
  }
}
