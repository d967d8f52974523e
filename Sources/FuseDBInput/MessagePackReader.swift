internal import FuseDBFormat
internal import FuseDBJSON
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Reads records that are MessagePack values, one after the other. See spec/json.md, "MessagePack". [S3]
final class MessagePackReader {
  private let sink: RecordSink
  private let records: MessagePackRecords

  init(_ sink: RecordSink, fields: FieldSelection?) {
    self.sink = sink
    records = MessagePackRecords(sink, fields: fields)
  }

  /// Which fields hold keys, or nil when there are only arrays of keys and a value.
  var fields: FieldSelection? { records.fields }

  /// Reads all records of `block`.
  ///
  /// - Throws: ``FuseError`` with the offset in the unpacked input; the sink knows the number of the record.
  func read(_ block: InputBlock) throws(FuseError) {
    let bytes = block.bytes
    var rest = block.range
    sink.line = block.firstLine
    while !rest.isEmpty {
      do throws(FuseError) {
        let record = bytes.rawSpan.extracting(rest)
        guard let byteCount = try MessagePackCursor.byteCountOfFirstValue(in: record) else {
          throw FuseError(
            .invalidValue, "the record ends in its middle; copy or write the input again", offset: UInt64(rest.count))
        }
        guard byteCount <= sink.limit.byteCount else { throw sink.limit.tooLongValue }
        try records.add(record.extracting(0..<byteCount))
        rest = rest.lowerBound + byteCount..<rest.upperBound
      } catch {
        // Counted from the start of the record.
        let offset = block.offset + rest.lowerBound - block.range.lowerBound + Int(clamping: error.offset ?? 0)
        throw FuseError(error.code, error.message, offset: UInt64(offset), path: error.path, errno: error.errno)
      }
      sink.line += 1
    }
  }
}
