internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Parses blocks on one thread and gives their records to the writer.
@safe
final class RecordWorker: @unchecked Sendable {
  // SAFETY: used by the one thread that it was made for, and by the one that waited for its end.
  private let sink: RecordSink
  private let lines: NDJSONReader
  private let rows: TableReader
  private let values: MessagePackReader
  private let inputNames: [String]
  private let policy: FlawPolicy
  private let names: OptionNames
  /// The ranges of addresses that were read; nil where records have none.
  let ranges: RangeStore?

  init(
    _ shard: WriterShard, inputNames: [String], fields: FieldSelection?, table: TableOptions,
    blockByteCount: Int, limit: RecordLimit, rules: KeyRules, ranges: RangeStore?,
    policy: FlawPolicy, valueFields: FieldSelection? = nil
  ) throws(FuseError) {
    sink = try RecordSink(
      shard, blockByteCount: blockByteCount, limit: limit, rules: rules, ranges: ranges, policy: policy)
    self.ranges = ranges
    self.inputNames = inputNames
    self.policy = policy
    names = limit.names
    lines = NDJSONReader(sink, fields: fields, valueFields: valueFields)
    rows = TableReader(sink, options: table)
    values = MessagePackReader(sink, fields: fields, valueFields: valueFields)
  }

  /// The fields that hold keys, and which of them records had that are no rows.
  var fields: FieldSelection? {
    guard var fields = lines.fields, let others = values.fields else { return nil }
    fields.merge(others)
    return fields
  }

  /// The fields of values that stay, and which of them there were.
  var valueFields: FieldSelection? {
    guard var fields = lines.valueFields, let others = values.valueFields else { return nil }
    fields.merge(others)
    return fields
  }

  /// Parses blocks until none follows.
  func work(_ blocks: BlockExchange) {
    while let block = blocks.take() { work(block, blocks) }
  }

  /// Parses a block.
  func work(_ block: InputBlock, _ blocks: BlockExchange) {
    do throws(FuseError) {
      try read(block)
      note(flawsOf: block, blocks)
      // It may be filled again from now on.
      blocks.takeBack(block, FuseInput.Counts(recordCount: sink.recordCount, keyCount: sink.keyCount))
    } catch {
      note(flawsOf: block, blocks)
      blocks.fail(block: block.number, error)
    }
  }

  /// Tells of the bad records of a block.
  private func note(flawsOf block: InputBlock, _ blocks: BlockExchange) {
    let flaws = sink.flaws.map { flaw in located(flaw.error, block, line: flaw.line, textLine: flaw.textLine) }
    blocks.note(flaws, count: sink.flawCount, block: block.number)
  }

  private func read(_ block: InputBlock) throws(FuseError) {
    sink.removeAll()
    sink.input = block.input
    do throws(FuseError) {
      switch block.format {
      case .ndjson, .json: try lines.read(block)
      case .csv, .tsv: try rows.read(block)
      case .msgpack: try values.read(block)
      case .mmdb: preconditionFailure("a MaxMind DB is not cut into blocks")
      }
    } catch {
      // What fails at the temporary file is no matter of the record.
      guard error.code != .inputOutput else { throw error }
      throw located(error.ending(policy, names), block, line: sink.line, textLine: sink.textLine)
    }
    try sink.finish()
  }

  /// An error with the place of its record.
  private func located(_ error: FuseError, _ block: InputBlock, line: Int, textLine: Int) -> FuseError {
    let name = inputNames[block.input]
    // Only where there are no lines is the offset one in the input.
    return error.located(
      at: block.format == .json ? "\(name):\(textLine): record \(line)" : block.format.position(in: name, line),
      offset: block.format == .msgpack ? error.offset : nil)
  }
}
