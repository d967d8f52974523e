internal import FuseDB

/// Reads records that are MessagePack values, one behind the other. See spec/json.md, "MessagePack". [S3]
final class MessagePackReader {
  private let sink: RecordSink
  private let records: MessagePackRecords

  init(_ sink: RecordSink, fields: FieldSelection?) {
    self.sink = sink
    records = MessagePackRecords(sink, fields: fields)
  }

  /// Which fields hold keys, or nil when there are only arrays of keys and a value.
  var fields: FieldSelection? { records.fields }

  /// Reads all records of `file`.
  ///
  /// - Throws: ``FuseError`` that names the input, the number of the record and the offset in the unpacked input.
  func read(_ file: InputFile) throws(FuseError) {
    sink.begin(file, countsLines: false)
    let buffer = InputBuffer(file, dropsByteOrderMark: false)
    var recordOffset = 0
    while true {
      sink.line += 1
      do throws(FuseError) {
        guard let byteCount = try nextByteCount(buffer) else { return }
        let bytes = buffer.bytes
        try records.add(bytes.rawSpan.extracting(buffer.start..<buffer.start + byteCount))
        buffer.use(upTo: buffer.start + byteCount)
        recordOffset += byteCount
      } catch {
        // Within the record, by itself.
        throw sink.located(error, at: recordOffset + Int(clamping: error.offset ?? 0))
      }
    }
  }

  /// How many bytes the record has that begins at the buffer's start, all of which are there then; nil behind the last.
  private func nextByteCount(_ buffer: InputBuffer) throws(FuseError) -> Int? {
    while true {
      let bytes = buffer.bytes
      let unused = bytes.rawSpan.extracting(buffer.start..<buffer.end)
      if let byteCount = try MessagePackCursor.byteCountOfFirstValue(in: unused) { return byteCount }
      // As far as a record goes, it is looked at again when there is more of it; the buffer doubles, so that this adds up to little.
      if try buffer.fill() { continue }
      guard buffer.start < buffer.end else { return nil }
      throw FuseError(
        .invalidValue, "the record ends in its middle; copy or write the input again",
        offset: UInt64(buffer.end - buffer.start))
    }
  }
}
