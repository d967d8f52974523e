internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// What one thread found in a part of the data section.
struct DataPart: Sendable {
  let range: Range<Int>
  /// Whether records stand back to back from the first byte of the part to its last, and each is sound.
  private(set) var isSound = false
  /// Of a sound part.
  private(set) var recordCount = 0
  private(set) var checksum: UInt32 = 0

  /// Walks over the records of a part.
  ///
  /// - Parameter starts: is told where records begin; nil when nobody will ask.
  init(_ range: Range<Int>, of file: RawSpan, dataEnd: Int, level: VerificationLevel, starts: RecordStarts?) {
    self.range = range
    var sum = PartChecksum(from: range.lowerBound)
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard let record = ObjectRecord(at: UInt64(offset), before: dataEnd, in: file) else { return }
      let bytes = file.extracting(record.range)
      guard Checksum.of(bytes) == record.checksum else { return }
      if level == .full {
        guard MessagePackCursor.isValue(bytes) else { return }
      }
      starts?.insert(offset, ofPartFrom: range.lowerBound)
      offset = record.end
      recordCount &+= 1
      if record.byteCount < PartChecksum.bytesForAppending {
        sum.advance(to: offset, in: file)
      } else {
        sum.advance(over: record.range, checksum: record.checksum, in: file)
      }
    }
    // A record that reaches into the next part proves that this part does not begin or end where a record does.
    guard offset == range.upperBound else { return }
    checksum = sum.finish(at: offset, in: file)
    isSound = true
  }
}
