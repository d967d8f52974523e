internal import FuseDB
internal import FuseDBInput

/// Reads lines, lets threads enrich blocks of them, and writes the blocks in their order.
final class EnrichPipeline: Sendable {
  private static let blockByteCount = 1 << 18

  private struct State {
    /// The number of the block whose turn it is.
    var next = 0
    /// The block that failed; none after it is written.
    var failed: Int?
    /// Of a table, once its first row was read.
    var header: TableHeader?
    /// What goes before a block.
    var heads: [Int: [UInt8]] = [:]
    /// The input of the block that was written last, and whether a line end was its last byte.
    var input = 0
    var endsInLineFeed = true
  }

  private let plan: EnrichPlan
  private let inputNames: [String]
  private let limit: RecordLimit
  private let output: EnrichOutput
  private let threadCount: Int
  private let blocks: BlockExchange
  private let state = Monitor(State())

  init(_ plan: EnrichPlan, inputNames: [String], _ output: EnrichOutput, limit: RecordLimit, threadCount: Int) {
    self.plan = plan
    self.inputNames = inputNames
    self.output = output
    self.limit = limit
    self.threadCount = threadCount
    blocks = BlockExchange(
      blockByteCount: Self.blockByteCount, mostBlocks: threadCount == 1 ? 1 : threadCount + 2)
  }

  /// Does all of the work, and returns what came of it: also where it failed, and how.
  ///
  /// - Parameter open: opens the input of the given number.
  func run(open: (Int) throws(FuseError) -> InputFile) -> (counts: EnrichCounts, failure: FuseError?) {
    let helpers = (1..<threadCount).map { _ in
      BackgroundWork(isWorthThread: true) { [self] in
        let worker = EnrichWorker()
        while let block = blocks.take() { work(block, worker) }
        return worker.counts
      }
    }
    let worker = EnrichWorker()
    var nextNumber = 0
    do throws(FuseError) {
      for input in inputNames.indices {
        guard try read(input, open(input), &nextNumber, worker) else { break }
      }
    } catch {
      blocks.fail(block: nextNumber, error)
    }
    blocks.close()
    while let block = blocks.take() { work(block, worker) }
    var counts = EnrichCounts(questionCount: plan.questions.count)
    for some in [worker.counts] + helpers.map({ $0.wait() }) {
      if let some { counts.add(some) }
    }
    return (counts, blocks.failure)
  }

  // MARK: The thread that reads

  /// Cuts an input into blocks and hands them over. Returns false when the rest is of no use.
  private func read(
    _ input: Int, _ file: InputFile, _ nextNumber: inout Int, _ worker: EnrichWorker
  ) throws(FuseError) -> Bool {
    let boundary: BlockCutter.Boundary =
      if let table = plan.table, table.takesQuotes {
        .row(separator: table.separator, commentPrefix: table.commentPrefix)
      } else {
        .lineFeed
      }
    // The mark of the first input stays the first of the output.
    var cutter = BlockCutter(
      file, boundary, dropsByteOrderMark: input > 0, limit: limit, waitsForWholeBlocks: false)
    // Comments and empty lines before the row that names the columns.
    var linesBefore: [UInt8] = []
    var needsHeader = plan.table.map { $0.columns == nil } ?? false
    if let table = plan.table, let columns = table.columns, input == 0 {
      let header = try TableHeader(columns, plan, position: "--columns")
      state.change { $0.header = header }
    }
    while true {
      switch blocks.nextTurn() {
      case .stop: return false
      case .parse(let block): work(block, worker)
      case .cut(let block):
        guard try fill(block, &cutter, input, worker) else {
          blocks.takeBack(block)
          guard blocks.failure == nil else { return false }
          guard !needsHeader else {
            throw FuseError(
              .invalidValue, "the row that names the columns is missing; write it, or name them with --columns A,B,C",
              path: inputNames[input])
          }
          return true
        }
        block.input = input
        block.format = plan.table == nil ? .ndjson : .csv
        if block.offset == 0 { try checkKind(block) }
        if needsHeader {
          needsHeader = try !takeHeader(off: block, nextNumber, after: linesBefore)
          guard !needsHeader else {
            linesBefore += block.bytes[block.range]
            blocks.takeBack(block)
            continue
          }
        }
        block.number = nextNumber
        nextNumber += 1
        blocks.handOver(block)
      }
    }
  }

  private func fill(
    _ block: InputBlock, _ cutter: inout BlockCutter, _ input: Int, _ worker: EnrichWorker
  ) throws(FuseError) -> Bool {
    do throws(FuseError) {
      return try cutter.next(block) { blocks.mayLengthen(block) { work($0, worker) } }
    } catch {
      guard error.code == .limitExceeded else { throw error }
      throw FuseError(
        error.code,
        """
        \(plan.table == nil ? "the line" : "the row that begins here") is longer than \(Humans.size(limit.byteCount)), the limit for one; \
        see whether this is \(plan.table == nil ? "NDJSON, one object a line" : "a table, and whether a quote is open in it"), or raise --record-limit
        """, path: FuseInput.Format.ndjson.position(in: inputNames[input], cutter.nextLine))
    }
  }

  /// Throws where an input begins as something does that has no lines.
  private func checkKind(_ block: InputBlock) throws(FuseError) {
    let lines = block.bytes[block.range]
    // Lines keep their ends here, so these are not read as line feeds.
    if !lines.contains(UInt8(ascii: "\n")), lines.dropLast().contains(UInt8(ascii: "\r")) {
      throw FuseError(
        .invalidValue,
        "the lines end with a carriage return alone, as old Macs wrote them; give it line feeds first, as by tr '\\r' '\\n'",
        path: inputNames[block.input])
    }
    let head = Array(block.bytes[block.range].prefix(1 << 12))
    guard let kind = ForeignKind(head, block.format, .command, skipsBadRecords: plan.badLines != .fail) else { return }
    throw FuseError(.invalidValue, kind.refusal, path: inputNames[block.input])
  }

  /// Takes the row that names the columns. Returns false where the block has no row.
  private func takeHeader(off block: InputBlock, _ number: Int, after before: [UInt8]) throws(FuseError) -> Bool {
    guard let table = plan.table else { return false }
    let bytes = block.bytes
    var start = block.range.lowerBound
    if block.offset == 0, bytes[block.range].starts(with: [0xEF, 0xBB, 0xBF]) { start += 3 }
    var rows = TableRows(block, bytes.rawSpan, from: start, table)
    repeat {
      guard rows.advance(bytes.rawSpan) else { return false }
    } while rows.cells.isEmpty && rows.flaw == nil
    let position = FuseInput.Format.csv.position(in: inputNames[block.input], rows.number)
    if let flaw = rows.flaw { throw FuseError(.invalidValue, flaw.reason, path: position) }
    let columns = rows.cells.map { rows.text($0, bytes.rawSpan) }
    var head = before + bytes[block.range.lowerBound..<rows.start]
    if let known = state.change({ $0.header }) {
      guard known.columns == columns else {
        throw FuseError(
          .invalidValue,
          """
          the columns are \(FieldSelection.listedNames(columns)), and those of \(inputNames[0]) are \
          \(FieldSelection.listedNames(known.columns)); enrich inputs of other columns apart
          """, path: position)
      }
    } else {
      let header = try TableHeader(columns, plan, position: position)
      let form = CellForm(separator: table.separator, takesQuotes: table.takesQuotes)
      head += bytes[rows.start..<rows.end]
      for name in header.newColumns {
        head.append(table.separator)
        let start = head.count
        head += name
        try form.quote(&head, from: start)
      }
      head += bytes[rows.end..<rows.next]
      state.change { $0.header = header }
    }
    block.range = rows.next..<block.range.upperBound
    block.firstLine = rows.nextLine
    // Of what follows the header, nothing is the start of the input.
    block.offset += 1
    state.change { $0.heads[number] = head }
    return true
  }

  // MARK: All threads

  private func work(_ block: InputBlock, _ worker: EnrichWorker) {
    let number = block.number
    var (lines, failure) = worker.enrich(block, inputNames[block.input], plan) { state.change { $0.header } }
    let input = block.input
    // It is this block's turn when all before it were written, or never.
    let turn: (head: [UInt8], addsLineFeed: Bool)? = state.wait { state -> (head: [UInt8], addsLineFeed: Bool)?? in
      if let failed = state.failed, failed < number { return .some(nil) }
      guard state.next == number else { return nil }
      let head = state.heads.removeValue(forKey: number) ?? []
      guard !head.isEmpty || !lines.isEmpty else { return .some((head, false)) }
      let addsLineFeed = state.input != input && !state.endsInLineFeed
      state.input = input
      state.endsInLineFeed = (lines.last ?? head.last) == UInt8(ascii: "\n")
      return .some((head, addsLineFeed))
    }
    guard let turn else { return blocks.takeBack(block) }
    do throws(FuseError) {
      if turn.addsLineFeed { try output.write([UInt8(ascii: "\n")]) }
      if !turn.head.isEmpty { try output.write(turn.head) }
      if !lines.isEmpty { try output.write(lines) }
    } catch {
      failure = error
    }
    if let failure { blocks.fail(block: number, failure) }
    let hasFailed = failure != nil
    state.change { state in
      if hasFailed { state.failed = number }
      state.next = number + 1
    }
    blocks.takeBack(block)
  }
}
