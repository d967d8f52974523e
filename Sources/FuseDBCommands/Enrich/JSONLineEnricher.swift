internal import FuseDB
internal import FuseDBInput

/// Adds members to lines of JSON.
struct JSONLineEnricher: LineEnricher {
  /// So many lines are asked about together: enough for their look-ups to wait together, few enough to stay in a cache.
  private static let linesAtOnce = 256

  private struct Line {
    /// Where the members go: after the last one of the object.
    let contentEnd: Int
    let isEmpty: Bool
    let start: Int
    /// Where its line feed stands.
    let end: Int
    let number: Int
    /// Whether it has members where fields go.
    let needsEdits: Bool
  }

  private let plan: EnrichPlan
  private var questions: [LineQuestions]
  private let keyNodes: [Int]
  /// Nodes at the top of a line at or below which fields go.
  private let fieldRoots: [Int]
  /// Whether no two questions have fields below one name.
  private let isSimple: Bool
  private var scanner: JSONLineScanner
  private var lines: [Line] = []
  private(set) var out: [UInt8] = []
  private var ownCounts: EnrichCounts
  /// Up to where the block's bytes are in ``out``, or are left out.
  private var copied = 0
  private var inputNumber = 0

  init(_ plan: EnrichPlan) throws(FuseError) {
    self.plan = plan
    var wanted = WantedPaths()
    keyNodes = plan.questions.map { wanted.add($0.key) }
    for question in plan.questions {
      for (number, field) in question.fields.enumerated() {
        _ = wanted.add(field: question.firstField + number, at: field.target)
      }
    }
    fieldRoots = wanted.fieldRoots
    scanner = JSONLineScanner(wanted)
    var questions: [LineQuestions] = []
    for question in plan.questions {
      let texts = try AnswerTexts(
        question.fields, .member, absent: plan.absent, isInWhole: question.fields.map { _ in true })
      questions.append(LineQuestions(question, texts, keyForm: .member))
    }
    self.questions = questions
    var owners: [[UInt8]: Int] = [:]
    var isSimple = true
    for (number, question) in plan.questions.enumerated() {
      for field in question.fields {
        if owners.updateValue(number, forKey: field.target.steps[0].name) ?? number != number { isSimple = false }
      }
    }
    self.isSimple = isSimple
    ownCounts = EnrichCounts(questionCount: plan.questions.count)
  }

  var counts: EnrichCounts {
    var counts = ownCounts
    counts.answers = questions.map { $0.outcome }
    return counts
  }

  mutating func enrich(_ block: InputBlock, input: String) throws(FuseError) {
    // Taken out for the while: every use of a class's property is a checked access.
    var bytes: [UInt8] = []
    swap(&bytes, &block.bytes)
    defer { swap(&bytes, &block.bytes) }
    out.removeAll(keepingCapacity: true)
    inputNumber = block.input
    // The last line may have no end.
    bytes[block.range.upperBound] = UInt8(ascii: "\n")
    let areUTF8 = bytes.rawSpan.extracting(block.range).isLongUTF8
    var start = block.range.lowerBound
    copied = start
    // A byte order mark is no part of the first line.
    if block.offset == 0, bytes[start..<block.range.upperBound].starts(with: [0xEF, 0xBB, 0xBF]) { start += 3 }
    var number = block.firstLine
    while start < block.range.upperBound {
      lines.removeAll(keepingCapacity: true)
      for index in questions.indices { try questions[index].removeAll() }
      var failure: FuseError?
      while start < block.range.upperBound, lines.count < Self.linesAtOnce {
        do throws(FuseError) {
          start = try take(bytes.rawSpan, start, number, areUTF8: areUTF8, input)
        } catch {
          failure = error
          break
        }
        number += 1
      }
      for index in questions.indices { try questions[index].answerAll() }
      try write(bytes.rawSpan, input)
      if let failure {
        out.append(bytes.rawSpan.extracting(copied..<start))
        throw failure
      }
    }
    if copied < block.range.upperBound { out.append(bytes.rawSpan.extracting(copied..<block.range.upperBound)) }
  }

  /// Takes the line at `start`, and returns where the next one begins.
  @inline(__always)
  private mutating func take(
    _ bytes: RawSpan, _ start: Int, _ number: Int, areUTF8: Bool, _ input: String
  ) throws(FuseError) -> Int {
    ownCounts.lineCount += 1
    guard let end = scanner.scan(bytes, from: start), case let root = scanner.place(of: 0)!, root.isObject,
      areUTF8 || bytes.extracting(start..<end).isUTF8
    else { return try passOther(bytes, start, number, input) }
    var needsEdits = false
    for node in fieldRoots where scanner.place(of: node) != nil { needsEdits = true }
    lines.append(
      Line(
        contentEnd: root.contentEnd, isEmpty: root.isEmpty, start: start, end: end, number: number,
        needsEdits: needsEdits))
    for index in questions.indices {
      guard let place = scanner.place(of: keyNodes[index]) else {
        questions[index].passWithoutKey()
        ownCounts.note(fieldsOf: bytes.extracting(start..<end))
        continue
      }
      if bytes.loadInside(at: place.start, as: UInt8.self) == UInt8(ascii: "\""), !place.hasEscapes {
        try questions[index].ask(bytes.extracting(place.start &+ 1..<place.end &- 1))
      } else {
        try questions[index].ask(value: bytes.extracting(place.range))
      }
    }
    return end &+ 1
  }

  /// Passes over a line that is empty, or no JSON object, and returns where the next one begins.
  @inline(never)
  private mutating func passOther(_ bytes: RawSpan, _ start: Int, _ number: Int, _ input: String) throws(FuseError)
    -> Int
  {
    let end = bytes.firstIndex(of: UInt8(ascii: "\n"), in: start..<bytes.byteCount)!
    let line = bytes.extracting(start..<end).array()
    guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) else {
      ownCounts.lineCount -= 1
      return end + 1
    }
    let reason = reason(bytes, start..<end, line)
    let position = FuseInput.Format.ndjson.position(in: input, number)
    guard plan.badLines != .fail else {
      ownCounts.lineCount -= 1
      throw FuseError(
        .invalidValue, "\(reason); correct the line, or let --bad-lines keep or --bad-lines drop go on after it",
        path: position)
    }
    ownCounts.addBadLine(input: inputNumber, line: number, "\(position): \(reason)")
    guard plan.badLines == .drop else { return end + 1 }
    // What comes before it is written with the lines; here it is only known that it is to be left out.
    lines.append(
      Line(contentEnd: 0, isEmpty: true, start: start, end: end, number: Self.dropped, needsEdits: false))
    for index in questions.indices { questions[index].pass() }
    return end + 1
  }

  /// Of a line that is left out.
  private static let dropped = -1

  /// Why a line is no JSON object.
  private mutating func reason(_ bytes: RawSpan, _ range: Range<Int>, _ line: [UInt8]) -> String {
    let text = bytes.extracting(range)
    let validCount = text.validUTF8Prefix
    func column(_ offset: Int) -> Int { line[..<min(max(0, offset), line.count)].count { $0 & 0xC0 != 0x80 } + 1 }
    guard scanner.scan(bytes, from: range.lowerBound) != nil else {
      let (offset, why) = scanner.flaw
      if validCount < offset - range.lowerBound { return "not UTF-8 at column \(column(validCount))" }
      let end = offset >= range.upperBound ? "the line ends, and " : ""
      return "not JSON at column \(column(offset - range.lowerBound)): \(end)\(why)"
    }
    guard validCount == line.count else { return "not UTF-8 at column \(column(validCount))" }
    let kind =
      switch line.first(where: { $0 > 0x20 }) {
      case UInt8(ascii: "["): "an array"
      case UInt8(ascii: "\""): "a string"
      case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
      case UInt8(ascii: "n"): "null"
      default: "a number"
      }
    return "a line must hold one JSON object, and this one holds \(kind)"
  }

  // MARK: Writing

  /// Writes the lines that were taken.
  private mutating func write(_ bytes: RawSpan, _ input: String) throws(FuseError) {
    let ends = questions.map { $0.ends }
    // Taken out for the while, so that it is not looked up for each line.
    let lines = lines
    for index in lines.indices {
      let line = lines[index]
      if line.number == Self.dropped {
        out.append(bytes.extracting(copied..<line.start))
        copied = line.end + 1
      } else if line.needsEdits || !isSimple {
        try edit(line, index, bytes, input)
      } else {
        add(line, index, bytes, ends)
      }
    }
  }

  /// Adds members to a line that has none where they go.
  @inline(__always)
  private mutating func add(_ line: Line, _ index: Int, _ bytes: RawSpan, _ ends: [LineEnds]) {
    var hasMembers = !line.isEmpty
    for number in ends.indices where ends[number].hasText(index) {
      if copied < line.contentEnd {
        out.append(bytes.extracting(copied..<line.contentEnd))
        copied = line.contentEnd
      }
      if hasMembers { out.append(UInt8(ascii: ",")) }
      hasMembers = true
      ends[number].append(index, to: &out)
    }
  }

  /// The text of a field in a line; nil where it is absent.
  private func text(of field: Int, _ index: Int) -> [UInt8]? {
    let number = plan.questions.lastIndex { $0.firstField <= field }!
    return questions[number].text(of: field - plan.questions[number].firstField, index)
  }

  /// Adds members to any line.
  @inline(never)
  private mutating func edit(_ line: Line, _ index: Int, _ bytes: RawSpan, _ input: String) throws(FuseError) {
    guard scanner.scan(bytes, from: line.start) != nil else { preconditionFailure("the line was scanned before") }
    var edits: [(range: Range<Int>, text: [UInt8])] = []
    do throws(FuseError) {
      try collect(0, index, &edits)
    } catch {
      out.append(bytes.extracting(copied..<line.start))
      copied = line.start
      throw error.at(path: FuseInput.Format.ndjson.position(in: input, line.number))
    }
    edits.sort { $0.range.lowerBound < $1.range.lowerBound }
    for (range, text) in edits {
      out.append(bytes.extracting(copied..<range.lowerBound))
      out.append(contentsOf: text)
      copied = range.upperBound
    }
  }

  /// Collects what changes in and below an object of the line.
  private mutating func collect(
    _ node: Int, _ index: Int, _ edits: inout [(range: Range<Int>, text: [UInt8])]
  ) throws(FuseError) {
    let place = scanner.place(of: node)!
    var added: [UInt8] = []
    for child in scanner.wanted.nodes[node].children where scanner.wanted.nodes[child].leadsToField {
      guard let value = value(of: child, index) else { continue }
      guard let there = scanner.place(of: child) else {
        if !added.isEmpty || !place.isEmpty { added.append(UInt8(ascii: ",")) }
        added += member(child, value)
        continue
      }
      if scanner.wanted.nodes[child].field == nil, there.isObject {
        try collect(child, index, &edits)
        continue
      }
      switch plan.existing {
      case .keep: ownCounts.keptFieldCount += 1
      case .replace:
        ownCounts.replacedFieldCount += 1
        edits.append((there.range, value))
      case .error:
        throw FuseError(
          .invalidValue,
          """
          the line has a field \(quoted(scanner.wanted.nodes[child].name)) already; choose another name with --as, or say \
          --existing keep or --existing replace
          """)
      }
    }
    if !added.isEmpty { edits.append((place.contentEnd..<place.contentEnd, added)) }
  }

  /// The value of a node where fields go at it or below; nil where none is there.
  private func value(of node: Int, _ index: Int) -> [UInt8]? {
    if let field = scanner.wanted.nodes[node].field { return text(of: field, index) }
    var members: [UInt8] = []
    for child in scanner.wanted.nodes[node].children where scanner.wanted.nodes[child].leadsToField {
      guard let value = value(of: child, index) else { continue }
      if !members.isEmpty { members.append(UInt8(ascii: ",")) }
      members += member(child, value)
    }
    return members.isEmpty ? nil : [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")]
  }

  private func member(_ node: Int, _ value: [UInt8]) -> [UInt8] {
    let name = scanner.wanted.nodes[node].name
    var writer = JSONWriter()
    writer.append(string: name.rawSpan)
    return writer.out + [UInt8(ascii: ":")] + value
  }
}
