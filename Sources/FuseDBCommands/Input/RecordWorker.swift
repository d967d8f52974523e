internal import FuseDB

/// Parses blocks on one thread and gives their records to the writer.
@safe
final class RecordWorker: @unchecked Sendable {
  // SAFETY: used by the one thread that it was made for, and by the one that waited for its end.
  private let sink = RecordSink()
  private let lines: NDJSONReader
  private let rows: TableReader
  private let lane: WriterLane
  private let inputNames: [String]

  init(_ lane: WriterLane, inputNames: [String], fields: FieldSelection?, table: TableReader.Options) {
    self.lane = lane
    self.inputNames = inputNames
    lines = NDJSONReader(sink, fields: fields)
    rows = TableReader(sink, options: table)
  }

  /// The fields that hold keys, and which of them lines of NDJSON had.
  var fields: FieldSelection? { lines.fields }

  /// Parses blocks until none follows.
  func work(_ blocks: BlockExchange) {
    while let block = blocks.take() { work(block, blocks) }
  }

  /// Parses a block.
  func work(_ block: InputBlock, _ blocks: BlockExchange) {
    do throws(FuseError) {
      try read(block)
      blocks.takeBack(block, BlockExchange.Totals(recordCount: sink.recordCount, keyCount: sink.batch.keyCount))
    } catch {
      blocks.fail(block: block.number, error)
    }
  }

  private func read(_ block: InputBlock) throws(FuseError) {
    sink.removeAll()
    sink.input = block.input
    do throws(FuseError) {
      if block.format.isTable { try rows.read(block) } else { try lines.read(block) }
    } catch {
      throw error.located(in: inputNames[block.input], line: sink.line)
    }
    try lane.add(sink.batch)
  }
}

extension FuseError {
  /// What is wrong with a record, under the name of its input and the number of its line.
  func located(in input: String, line: Int) -> FuseError {
    path == nil ? FuseError(code, message, path: "\(input):\(line)", errno: errno) : self
  }
}
