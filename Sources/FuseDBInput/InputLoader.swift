package import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
package import FuseDBValues
package import FuseDBWriting

/// Reads the records of all inputs into a writer: one thread reads and cuts, and all parse.
package final class InputLoader {
  /// What is read, and how.
  package struct Job {
    /// The names of the inputs for messages, and how their records are written.
    var inputs: [(name: String, format: FuseInput.Format)]
    /// Which fields hold keys, or nil when lines are in the native form.
    var fields: FieldSelection?
    var table: TableOptions
    var threadCount: Int
    /// How much is handed from thread to thread.
    var blockByteCount: Int
    /// How large a record may be.
    var limit: RecordLimit
    /// Where the array of the records is in JSON.
    var records: FusePath?
    /// What happens to bad records.
    package var flaws = FlawPolicy.told(atMost: 1)
    /// What happens to ranges of addresses that overlap.
    var ranges: RangeOptions
    /// Which fields of values stay, where records have keys of their own; nil for all.
    package var valueFields: FieldSelection?
    /// Of MaxMind DB files, the languages whose names stay; nil for all.
    package var languages: [[UInt8]]?

    init(
      inputs: [(name: String, format: FuseInput.Format)], fields: FieldSelection?, table: TableOptions = TableOptions(),
      threadCount: Int = 1, blockByteCount: Int = 1 << 18, limit: RecordLimit = .none,
      records: FusePath? = nil, ranges: RangeOptions = RangeOptions()
    ) {
      self.inputs = inputs
      self.fields = fields
      self.table = table
      self.threadCount = threadCount
      self.blockByteCount = blockByteCount
      self.limit = limit
      self.records = records
      self.ranges = ranges
    }

    /// Hands as much from thread to thread as suits `memory`.
    package init(
      inputs: [(name: String, format: FuseInput.Format)], fields: FieldSelection?, table: TableOptions,
      threadCount: Int, memory: Int, limit: RecordLimit, records: FusePath? = nil, ranges: RangeOptions
    ) {
      self.init(
        inputs: inputs, fields: fields, table: table, threadCount: threadCount,
        blockByteCount: InputLoader.blockByteCount(memory: memory, threadCount: threadCount), limit: limit,
        records: records, ranges: ranges)
    }
  }

  /// How much memory a writer with these options has.
  package static func memory(of options: FuseWriter.Options) -> Int {
    options.memory ?? MachineMemory.availableByteCount / 4
  }

  /// How many threads read for a writer with these options: where objects stand in the order of the input, one adds them.
  package static func threadCount(of options: FuseWriter.Options) -> Int {
    options.order == .insertion ? 1 : options.threadCount ?? Parallel.processorCount
  }

  /// How far the reading is.
  package struct Progress {
    /// How many inputs were read to their end.
    package var inputsDone: Int
    /// The one that is being read.
    package var file: InputFile
    package var totals: FuseInput.Counts
  }

  /// How much is handed from thread to thread, of the memory that there is: enough for a thread to be busy, and little
  /// enough to stay in its cache. Each thread has a block, and about twice as much in what it makes of it.
  static func blockByteCount(memory: Int, threadCount: Int) -> Int {
    min(max(memory / (32 * max(2, threadCount)), 1 << 16), 1 << 20)
  }

  private var job: Job
  private let blocks: BlockExchange
  private var workers: [RecordWorker]
  /// Takes the blocks of ranges.
  private let shard: WriterShard
  private var nextNumber = 0
  private let writer: FuseWriter
  private let rules: KeyRules
  /// What was read of MaxMind DB files.
  private var maxMindTotals = FuseInput.Counts()
  /// The fields that hold keys, and which of them there were.
  package private(set) var fields: FieldSelection?

  /// - Throws: ``FuseError`` as the writer does for want of a temporary file.
  package init(_ job: Job, _ writer: FuseWriter) throws(FuseError) {
    self.job = job
    self.writer = writer
    fields = job.fields ?? job.valueFields
    let threadCount = max(1, job.threadCount)
    // Every thread has one, and two wait; a single thread does not wait.
    blocks = BlockExchange(
      blockByteCount: max(job.blockByteCount, BlockCutter.fewestBytes),
      mostBlocks: threadCount == 1 ? 1 : threadCount + 2, policy: job.flaws)
    var workers: [RecordWorker] = []
    var rules = writer.options.keyRules
    rules.names = (job.limit.names.masking, job.limit.names.normaliseNetworks)
    self.rules = rules
    let shards = try (0..<threadCount).map { _ throws(FuseError) in try writer.makeShard() }
    for shard in shards {
      let ranges = job.fields?.range == nil ? nil : try RangeStore(writer, threadCount: threadCount)
      workers.append(
        try RecordWorker(
          shard, inputNames: job.inputs.map { $0.name }, fields: job.fields, table: job.table,
          blockByteCount: blocks.blockByteCount, limit: job.limit, rules: rules, ranges: ranges, policy: job.flaws,
          valueFields: job.fields == nil ? job.valueFields : nil))
    }
    self.workers = workers
    shard = shards[0]
  }

  /// What was read.
  package var totals: FuseInput.Counts {
    var totals = blocks.totals
    totals.keyCount += rangeKeyCount + maxMindTotals.keyCount
    totals.recordCount += maxMindTotals.recordCount
    return totals
  }
  private var rangeKeyCount = 0
  /// What failed where ``run(open:progress:)`` threw, in the order of the inputs: as many bad records as are told.
  package var failures: [FuseError] { blocks.failures }
  /// The bad records that were skipped: how many, and the first of them.
  package var skipped: (count: Int, first: [FuseError]) { blocks.skipped }

  /// The position of a record, for messages: file and line, or number.
  package func position(_ number: UInt64) -> String {
    let position = InputPosition(number)
    let input = job.inputs[position.input]
    return input.format.position(in: input.name, position.line)
  }

  /// How many ranges lost addresses to others, and how many of them all.
  package private(set) var rangesCut = (some: 0, all: 0)

  /// Reads all inputs.
  ///
  /// - Parameters:
  ///   - open: opens the input of the given number.
  ///   - progress: called now and then by this thread.
  /// - Throws: the ``FuseError`` of the first record, in the order of the inputs, that cannot be read, whatever the
  ///   threads did.
  package func run(
    open: (Int) throws(FuseError) -> InputFile, progress: (Progress) -> Void = { _ in }
  ) throws(FuseError) {
    let blocks = blocks
    let helpers = workers.dropFirst().map { worker in
      BackgroundWork(isWorthThread: true) { worker.work(blocks) }
    }
    do throws(FuseError) {
      for number in job.inputs.indices {
        guard try cut(number, open(number), progress) else { break }
      }
    } catch {
      blocks.fail(block: nextNumber, error)
    }
    blocks.close()
    workers[0].work(blocks)
    for helper in helpers { helper.wait() }
    if let failure = blocks.failure { throw failure }
    for worker in workers {
      if let seen = worker.fields ?? worker.valueFields { fields?.merge(seen) }
    }
    let stores = workers.compactMap { $0.ranges }
    // Their memory is for what comes now.
    workers = []
    blocks.releaseAll()
    guard let ranges = stores.first else { return }
    for other in stores.dropFirst() { try ranges.take(other) }
    let outcome = try ranges.addBlocks(
      to: shard, job.ranges, RangeMessages(inputs: job.inputs, names: job.limit.names))
    rangeKeyCount = outcome.keyCount
    rangesCut = (outcome.cutCount, outcome.hiddenCount)
  }

  /// Cuts an input into blocks and hands them over. Returns false when the rest is of no use.
  private func cut(_ input: Int, _ file: InputFile, _ progress: (Progress) -> Void) throws(FuseError) -> Bool {
    if job.inputs[input].format == .mmdb {
      try addMaxMind(input, file, progress)
      return !blocks.isStopped
    }
    let head = try InputHead(
      file, job.inputs[input].format, job.limit.names, skipsBadRecords: job.flaws == .skipped)
    if job.inputs[input].format == .ndjson, head.beginsArray || job.records != nil { job.inputs[input].format = .json }
    let format = job.inputs[input].format
    var cutter = BlockCutter(
      file, boundary(format), dropsByteOrderMark: format != .msgpack, endsLinesWithReturns: head.endsLinesWithReturns,
      limit: job.limit)
    var columns: TableColumns?
    if format.isTable, let names = job.table.columns { columns = try name(names, input, line: 1) }
    while true {
      progress(Progress(inputsDone: input, file: file, totals: blocks.totals))
      switch blocks.nextTurn() {
      case .stop: return false
      case .parse(let block): workers[0].work(block, blocks)
      case .cut(let block):
        guard try fill(block, &cutter, input) else {
          blocks.takeBack(block, FuseInput.Counts())
          guard !blocks.isStopped else { return false }
          guard !format.isTable || columns != nil else {
            throw FuseError(
              .invalidValue,
              "the row that names the columns is missing; write it, or name them with \(job.limit.names.columns)"
            ).located(at: format.position(in: job.inputs[input].name, cutter.nextLine))
          }
          return true
        }
        block.input = input
        block.format = format
        if format.isTable {
          if columns == nil { columns = try takeNames(off: block) }
          guard columns != nil else {
            blocks.takeBack(block, FuseInput.Counts())
            continue
          }
        }
        block.columns = columns
        block.number = nextNumber
        nextNumber += 1
        blocks.handOver(block)
      }
    }
  }

  /// Adds the networks of a MaxMind DB, on this thread.
  private func addMaxMind(_ input: Int, _ file: InputFile, _ progress: (Progress) -> Void) throws(FuseError) {
    var selection = job.valueFields
    if let fields = job.fields {
      selection = FieldSelection(keys: [], kept: fields.kept.map { $0.name }, dropped: fields.dropped.map { $0.name })
    }
    if selection?.kept.isEmpty == true, selection?.dropped.isEmpty == true { selection = nil }
    let reading = try MaxMindReading(
      file, shard, rules: rules, limit: job.limit, blockByteCount: blocks.blockByteCount, fields: selection,
      languages: job.languages)
    let before = maxMindTotals
    try reading.run(input: input) { counts in
      maxMindTotals.recordCount = before.recordCount + counts.recordCount
      maxMindTotals.keyCount = before.keyCount + counts.keyCount
      progress(Progress(inputsDone: input, file: file, totals: totals))
    }
    writer.adopt(metadata: reading.metadata, aliases: reading.aliases)
    if let seen = reading.fields { fields?.mergeValues(seen) }
  }

  private func boundary(_ format: FuseInput.Format) -> BlockCutter.Boundary {
    switch format {
    case .ndjson: .lineFeed
    case .csv, .tsv:
      job.table.takesQuotes && job.table.delimiter != .whitespace
        ? .row(separator: format.separator(job.table.delimiter), commentPrefix: job.table.commentPrefix) : .lineFeed
    case .json: .element(job.records)
    case .msgpack: .value
    case .mmdb: preconditionFailure("a MaxMind DB is not cut")
    }
  }

  private func fill(_ block: InputBlock, _ cutter: inout BlockCutter, _ input: Int) throws(FuseError) -> Bool {
    do throws(FuseError) {
      return try cutter.next(block) { blocks.mayLengthen(block) { workers[0].work($0, blocks) } }
    } catch {
      throw error.ending(job.flaws, job.limit.names).located(at: cutter.place)
    }
  }

  /// The columns that the first row names; nil when the block has no row.
  private func takeNames(off block: InputBlock) throws(FuseError) -> TableColumns? {
    let rows = CSVReader(
      takesQuotes: job.table.takesQuotes, commentPrefix: job.table.commentPrefix, delimiter: job.table.delimiter,
      limit: job.limit)
    var names: [[UInt8]]?
    do throws(FuseError) {
      try rows.takeRows(off: block, mostCells: job.limit.columnCount) { bytes, cells, _ throws(FuseError) in
        guard cells.count <= job.limit.columnCount else {
          throw job.limit.tooMany("columns", job.limit.columnCount)
        }
        names = cells.indices.map { bytes.extracting(cells[$0]).array() }
        return false
      }
    } catch {
      throw error.located(at: block.format.position(in: job.inputs[block.input].name, rows.line))
    }
    return try names.map { names throws(FuseError) in try name(names, block.input, line: rows.line) }
  }

  private func name(_ names: [[UInt8]], _ input: Int, line: Int) throws(FuseError) -> TableColumns {
    guard fields != nil else { preconditionFailure("a table needs fields that hold keys") }
    do throws(FuseError) {
      return try TableColumns(
        names, &fields!, job.table, separator: job.inputs[input].format.separator(job.table.delimiter),
        job.limit.names)
    } catch {
      let (name, format) = job.inputs[input]
      throw error.located(at: format.position(in: name, line))
    }
  }
}
